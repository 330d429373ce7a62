import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { type Fair, openFair, rootPortOf } from "../daemon/docks/fair.ts";
import { NEVER } from "./fakes/rig.ts";

/** Lets what waits for nothing else go on. */
async function breathe(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
}

interface Reader {
  readonly port: string;
  turn: Disposable | undefined;
}

async function readers(fair: Fair, ports: readonly string[]): Promise<readonly Reader[]> {
  const all: Reader[] = ports.map((port) => ({ port, turn: undefined }));
  for (const one of all) {
    void fair.turn(one.port, NEVER).then((turn) => (one.turn = turn));
  }
  await breathe();
  return all;
}

describe("turns of cards that are read", () => {
  it("are never more than there are threads, and all come, whoever waits", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom("a/1", "a/2", "b/1"), { maxLength: 20 }),
        async (size, ports) => {
          const all = await readers(openFair(size), ports);
          const served = new Set<Reader>();
          while (served.size < all.length) {
            const running = all.filter((one) => one.turn && !served.has(one));
            assert.ok(running.length > 0 && running.length <= size);
            const [one] = running;
            if (!one) throw new Error("nobody runs");
            served.add(one);
            one.turn?.[Symbol.dispose]();
            await breathe();
          }
        },
      ),
    );
  });

  it("go to another root port before a hub full of cameras has all of them", async () => {
    const fair = openFair(2);
    const all = await readers(fair, ["a/1", "a/1", "a/1", "a/1", "b/2"]);
    const [first, second, , , other] = all;
    assert.ok(first?.turn && second?.turn && !other?.turn);
    first.turn[Symbol.dispose]();
    await breathe();
    assert.ok(other?.turn);
  });

  it("come round by port, however many wait at one of them", async () => {
    const fair = openFair(1);
    const all = await readers(fair, ["a/1", "a/1", "a/1", "a/1", "b/1", "b/1", "c/1"]);
    const order: string[] = [];
    while (order.length < all.length) {
      const one = all.find(({ turn }) => turn);
      if (!one) throw new Error("nobody runs");
      order.push(one.port);
      one.turn?.[Symbol.dispose]();
      one.turn = undefined;
      await breathe();
    }
    assert.deepEqual(order, ["a/1", "b/1", "c/1", "a/1", "b/1", "a/1", "a/1"]);
  });

  it("are given up by one whose card is gone while it waited, and by nobody twice", async () => {
    const fair = openFair(1);
    const gone = new AbortController();
    const first = await fair.turn("a/1", NEVER);
    const waits = fair.turn("a/1", gone.signal);
    const last = readers(fair, ["a/1"]);
    gone.abort(new Error("gone"));
    await assert.rejects(waits, /gone/);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await breathe();
    const [reader] = await last;
    assert.ok(reader?.turn);
    const [next] = await readers(fair, ["a/1"]);
    assert.equal(next?.turn, undefined);
  });

  it("are counted by the port of the machine that a slot hangs on", () => {
    assert.equal(rootPortOf("0000:00:14.0/2.3"), "0000:00:14.0/2");
    assert.equal(rootPortOf("0000:00:14.0/2.3.11"), "0000:00:14.0/2");
    assert.equal(rootPortOf("0000:00:14.0/12"), "0000:00:14.0/12");
    assert.equal(rootPortOf("fe9c0000.xhci/1.4"), "fe9c0000.xhci/1");
  });
});
