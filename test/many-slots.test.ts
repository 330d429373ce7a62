import assert from "node:assert/strict";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import type { SealPool } from "../storage/seal/pool.ts";
import { fastFolders } from "./fakes/fast-folders.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { NEVER, named, openRig } from "./fakes/rig.ts";
import { openFakeSlots, writeFileOf } from "./fakes/slots.ts";

const MIB = 1024 * 1024;
/** A hub with twelve cameras, and four sockets of the machine itself. */
const SLOTS = [
  ...Array.from({ length: 12 }, (_, port) => `0000:00:14.0/1.${port + 1}`),
  ...Array.from({ length: 4 }, (_, port) => `0000:00:14.0/${port + 2}`),
];
const FILES = 10;

/** What is sealed at once, and which cards that was, in turn; nothing before it is opened. */
function countingPool() {
  const inner = inlinePool();
  const counted = { now: 0, most: 0, order: new Array<string>() };
  const opened = Promise.withResolvers<void>();
  const pool: SealPool = {
    ...inner,
    async seal(source, target, recipients, signal) {
      counted.now += 1;
      counted.most = Math.max(counted.most, counted.now);
      counted.order.push(/media\/(sd[a-z]+1)/.exec(Buffer.from(source).toString())?.[1] ?? "");
      try {
        await opened.promise;
        // So that others come in between, as they do where a thread seals.
        await systemClock.sleep(1, NEVER);
        return await inner.seal(source, target, recipients, signal);
      } finally {
        counted.now -= 1;
      }
    },
  };
  return { pool, counted, open: opened.resolve };
}

function heapAfterCollecting(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") Reflect.apply(collect, undefined, []);
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

describe("sixteen slots at once", function () {
  this.timeout(120_000);

  it("are read no more than the threads can seal, none waits for a hub, and memory stays where it was", async () => {
    using _fast = fastFolders();
    const { pool, counted, open } = countingPool();
    await using rig = await openRig({ pool });
    await using slots = await openFakeSlots(rig);
    const before = heapAfterCollecting();
    for (const [index, slot] of SLOTS.entries()) {
      const name = `sd${String.fromCharCode(97 + index)}1`;
      const number = `bc-01${String(index).padStart(2, "0")}`;
      await slots.pair(number);
      for (let file = 0; file < FILES; file += 1) {
        await writeFileOf(join(slots.media, name), named(file), Buffer.alloc(64 * 1024, number));
      }
      await slots.plug(slot, name, number);
    }
    assert.ok(
      await slots.until(() => SLOTS.every((slot) => slots.board.read(slot).files === FILES)),
    );
    open();
    assert.ok(await slots.until(() => SLOTS.every((slot) => slots.state(slot) === "safe"), 600));
    assert.equal(counted.most, 2);
    assert.equal(counted.order.length, SLOTS.length * FILES);
    // All wait: five ports are served in turn, four of them with one camera each, for the hub has one cable.
    const turns = counted.order.slice(2, 22);
    const own = turns.filter((card) => /sd[m-p]1/.test(card)).length;
    assert.ok(own >= 13, `${own} of ${turns.length} turns for the four with a port of their own`);
    assert.ok(heapAfterCollecting() - before < 60 * MIB);
  });
});
