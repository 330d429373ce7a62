import assert from "node:assert/strict";
import { open, readdir, readFile } from "node:fs/promises";
import { uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
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
  it("counts the uptime that the kernel does, and asks it only now and then", async () => {
    for (let times = 0; times < 3; times += 1) {
      // This process may be held up between any two of them.
      const [earliest, told, latest] = [uptime() * 1000, systemClock.uptimeMs(), uptime() * 1000];
      const said = `${told} between ${earliest} and ${latest}`;
      assert.ok(told > earliest - 100 && told < latest + 100, said);
      await pause(600);
    }
    const before = systemClock.uptimeMs();
    await pause(50);
    const passedMs = systemClock.uptimeMs() - before;
    assert.ok(passedMs >= 45 && passedMs < 60_000, `${passedMs} ms`);
  });

  it("refuses a timer of more than a day: 24.8 days would fire at once", async () => {
    await assert.rejects(systemClock.sleep(28 * DAY_MS, NEVER), RangeError);
    assert.match(systemClock.bootId(), /^[0-9a-f-]{36}$/);
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

describe("an error of a disk", () => {
  const coded = (code: string) => Object.assign(new Error(code), { code, syscall: "write" });
  const codeOf = (error: Error) => {
    const told = diskError(error, "recording");
    return told instanceof BewaardError && told.transient ? told.code : told === error;
  };

  it("passes, whatever the kernel calls it", () => {
    for (const code of [
      "EIO",
      "EPERM",
      "ENOTDIR",
      "EBUSY",
      "ETIMEDOUT",
      "ERR_FS_EISDIR",
      "Unknown system error -117",
    ])
      assert.equal(codeOf(coded(code)), "SPOOL_IO", code);
    for (const code of ["ENOSPC", "EDQUOT", "Unknown system error -122"])
      assert.equal(codeOf(coded(code)), "SPOOL_FULL", code);
  });

  it("is none where the program itself is wrong", async () => {
    for (const code of ["EBADF", "EEXIST", "EFAULT", "ERR_INVALID_ARG_TYPE", "ABORT_ERR"])
      assert.equal(codeOf(coded(code)), true, code);
    assert.equal(codeOf(new TypeError("a bug")), true);
    await using folder = await temporaryFolder();
    const file = await open(join(folder.path, "file"), "w");
    await file.close();
    const closed = await file.write("x").catch((error: Error) => error);
    assert.ok(closed instanceof Error);
    assert.equal(codeOf(closed), true);
  });

  it("has the kernel's name where Node has none", () => {
    const names = [-122, -116, -117].map((errno) =>
      systemCode(coded(`Unknown system error ${errno}`)),
    );
    assert.deepEqual(names, ["EDQUOT", "ESTALE", "E117"]);
  });
});
