import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { writeDurably } from "#base/durable";
import { printable } from "#base/printable";
import { systemClock } from "#base/system-clock";
import { DAY_MS, every, instant, instantOf, isoOf } from "#base/time";
import { together } from "#base/together";
import { temporaryFolder } from "./fakes/folder.ts";
import { handClock, NEVER, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

describe("together", () => {
  it("stops the siblings of the first task to fail, waits for them, then rethrows its error", async () => {
    const stopped: string[] = [];
    const running = together(NEVER, [
      () => Promise.reject(new Error("first")),
      async (signal) => {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        stopped.push("second");
      },
    ]);
    await assert.rejects(running, /first/);
    assert.deepEqual(stopped, ["second"]);
  });
});

describe("every", () => {
  it("yields at once, then after each period, and ends quietly on abort", async () => {
    const { clock, signal } = turns(handClock(START), 3);
    const seen: number[] = [];
    for await (const now of every(clock, 1000, signal)) seen.push(now - START);
    assert.deepEqual(seen, [0, 1000, 2000]);
  });
});

describe("the system clock", () => {
  it("refuses a timer of more than a day: 24.8 days would fire at once", async () => {
    await assert.rejects(systemClock.sleep(28 * DAY_MS, NEVER), RangeError);
    assert.match(systemClock.bootId(), /^[0-9a-f-]{36}$/);
    assert.ok(systemClock.uptimeMs() > 0);
  });
});

describe("an instant", () => {
  it("reads back exactly what it was written as, and nothing else", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
        assert.equal(instantOf(isoOf(instant(ms))), ms);
      }),
    );
    for (const text of [
      "2026-11-22",
      "2026-11-22T10:00:00Z",
      "2026-11-22T10:00:00.000+01:00",
      "x",
    ]) {
      assert.throws(() => instantOf(text), RangeError);
    }
  });
});

describe("a file name shown to people", () => {
  it("never carries a control character, whatever its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (name) => {
        assert.doesNotMatch(printable(name), /[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
    assert.equal(printable(Buffer.from("Zürich\n\x1b[31m%s")), "Zürich\\x0a\\x1b[31m%s");
    assert.equal(printable(Buffer.from([0x41, 0xff])), "A\\xff");
  });

  it("is different for different bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        if (!Buffer.from(a).equals(Buffer.from(b))) assert.notEqual(printable(a), printable(b));
      }),
    );
  });
});

describe("a small file written durably", () => {
  it("replaces the old one whole and leaves nothing beside it", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "x");
    for (const content of ["one", "two"]) await writeDurably(path, content, 0o600);
    assert.equal(await readFile(path, "utf8"), "two");
    assert.deepEqual(await readdir(folder.path), ["x"]);
  });
});
