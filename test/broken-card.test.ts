import assert from "node:assert/strict";
import promises, { chmod, rm, truncate } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError, type ErrorCode } from "#base/errors";
import type { Ask } from "../daemon/control/client.ts";
import { READ } from "../daemon/control/protocol.ts";
import { countLeft } from "../storage/catalog/left.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { rowsOf } from "./fakes/medium.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { openFakeSlots, writeFileOf } from "./fakes/slots.ts";

const SLOT = "0000:00:14.0/2.1";
const FILES = 6;

/** A docked camera with some recordings, which `prepare` sees before it is plugged in. */
async function docked(
  prepare: (rig: Rig, folder: string) => void | Promise<void> = () => undefined,
  ask?: Ask,
) {
  const rig = await openRig({ pool: inlinePool() });
  const slots = await openFakeSlots(rig, ask);
  const folder = join(slots.media, "sdb1");
  await slots.pair("bc-0101");
  for (let index = 0; index < FILES; index += 1)
    await writeFileOf(folder, named(index), `opname ${index}`);
  await prepare(rig, folder);
  return {
    rig,
    slots,
    count: (event: string) => rig.said.filter((one) => one === event).length,
    kept: async () => (await rowsOf(rig, "select id from segment")).length,
    plug: () => slots.plug(SLOT, "sdb1", "bc-0101"),
    async [Symbol.asyncDispose]() {
      await slots[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** A name that its folder has and that leads nowhere, as on a card whose directory is damaged. */
function leadsNowhere(name: string, code: string): Disposable {
  const { lstat } = promises;
  const fail = async (path: unknown, ...more: unknown[]): Promise<unknown> => {
    if (String(path).endsWith(name)) throw Object.assign(new Error(code), { code });
    return Reflect.apply(lstat, promises, [path, ...more]);
  };
  Reflect.set(promises, "lstat", fail);
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]() {
      Reflect.set(promises, "lstat", lstat);
      syncBuiltinESMExports();
    },
  };
}

/** Core that has room until `isAway`. */
function answering(isAway: () => boolean, code: ErrorCode): Ask {
  return async (method, params) => {
    if (method === "room") {
      if (isAway()) throw new BewaardError(code, "as the test wants it", { transient: true });
      return READ[method]({ granted: true });
    }
    const files = "files" in params ? params.files : [];
    return READ[method]({ known: files.map(() => false) });
  };
}

describe("a docked card", () => {
  for (const code of ["EIO", "ENOENT"])
    it(`with one name that leads nowhere (${code}) has all its other files taken, and a fact that this one stays`, async () => {
      await using camera = await docked();
      using _bad = leadsNowhere(named(2), code);
      await camera.plug();
      const { rig, slots } = camera;
      assert.ok(await slots.until(async () => (await camera.kept()) === FILES - 1));
      assert.ok(await slots.until(async () => (await countLeft(rig.database)).files === 1));
      assert.ok(await slots.until(() => slots.state(SLOT) === "failed"));
      assert.equal(slots.board.read(SLOT).why, "card-unread");
    });

  it("of which a file vanishes while it is read is still there: all its other files are taken, and nobody pulled it out", async () => {
    await using camera = await docked((rig, folder) => {
      const seal = rig.sealing.pool.seal.bind(rig.sealing.pool);
      let sealed = 0;
      rig.sealing.pool.seal = async (...args) => {
        sealed += 1;
        if (sealed === 1) await rm(join(folder, named(3)));
        return seal(...args);
      };
    });
    await camera.plug();
    const { slots } = camera;
    assert.ok(await slots.until(() => slots.state(SLOT) === "safe"));
    assert.equal(await camera.kept(), FILES - 1);
    assert.equal(camera.count("undocked-early") + camera.count("file-left"), 0);
  });

  it("waits where core goes away while it is read: no file is said to stay on it", async () => {
    let isAway = false;
    const core = answering(() => isAway, "CONTROL_UNREACHABLE");
    await using camera = await docked(({ sealing: { pool } }) => {
      const seal = pool.seal.bind(pool);
      pool.seal = async (...args) => {
        isAway = true;
        return seal(...args);
      };
    }, alone(core));
    await camera.plug();
    const { slots } = camera;
    assert.ok(await slots.until(() => slots.board.read(SLOT).why === "core-away"));
    assert.equal(camera.count("file-left"), 0);
    isAway = false;
  });

  for (const [times, end] of [
    [1, "safe"],
    [Infinity, "failed"],
  ] as const)
    it(`of which core does not believe a fact (${times} times) has that file handed over once more, and is ${end} in the end`, async () => {
      await using camera = await docked(({ sealing: { pool } }) => {
        const seal = pool.seal.bind(pool);
        let spoiled = 0;
        pool.seal = async (source, target, ...more) => {
          const sealed = await seal(source, target, ...more);
          if (String(source).includes(named(2)) && spoiled < times) {
            spoiled += 1;
            await chmod(target, 0o600);
            await truncate(target, 100);
          }
          return sealed;
        };
      });
      await camera.plug();
      const { slots } = camera;
      assert.ok(await slots.until(() => slots.state(SLOT) === end));
      const believed = end === "safe";
      assert.equal(camera.count("quarantined"), believed ? 1 : 2);
      assert.equal(await camera.kept(), believed ? FILES : FILES - 1);
      if (!believed) assert.equal(slots.board.read(SLOT).why, "not-adopted");
    });

  it("in a box that is full says so once, and not of each file", async () => {
    const full = answering(() => true, "SPOOL_FULL");
    await using camera = await docked(undefined, full);
    await camera.plug();
    const { slots } = camera;
    assert.ok(await slots.until(() => slots.board.read(SLOT).why === "no-room"));
    await slots.until(() => false, 90);
    assert.equal(camera.count("file-left"), 1);
  });

  it("that core cannot order the wiping of is safe all the same, and says whom to call", async () => {
    await using camera = await docked();
    const { slots } = camera;
    slots.answerWipe(async () => {
      throw new BewaardError("CONFIG_MISSING", "there is no such profile");
    });
    await camera.plug();
    assert.ok(await slots.until(() => slots.board.read(SLOT).why === "not-emptied"));
    await slots.until(() => false, 90);
    assert.equal(slots.state(SLOT), "safe");
    assert.equal(camera.count("slot-failed"), 0);
  });
});

/** As `ask`, with a question for each file. */
function alone(ask: Ask): Ask {
  return async (method, params, watch) => {
    if (method === "room" && "bytes" in params && params.bytes > 20)
      return READ[method]({ granted: false });
    return ask(method, params, watch);
  };
}
