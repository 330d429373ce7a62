import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { machineBusy } from "#base/machine-busy";
import { causeOf } from "../daemon/record/causes.ts";

const SPENT = fileURLToPath(new URL("fakes/spent-machine.ts", import.meta.url));

describe("a machine that has no more of something", () => {
  for (const moment of [
    "starting ffmpeg without files",
    "starting ffmpeg without processes",
    "connecting to a camera without files",
    "opening a gate without files",
  ]) {
    it(`fails one camera for a while, and is no bug: ${moment}`, () => {
      const said = execFileSync(process.execPath, [SPENT, moment], {
        encoding: "utf8",
        timeout: 80_000,
      });
      assert.equal(said.trim(), "MACHINE_BUSY true");
    });
  }

  it("is a gap of its own, and nothing else is", () => {
    const busy = machineBusy(Object.assign(new Error("x"), { code: "ENOMEM" }));
    assert.ok(busy);
    assert.equal(causeOf(busy), "machine-busy");
    for (const code of ["ENOENT", "ECONNREFUSED", "constructor"])
      assert.equal(machineBusy(Object.assign(new Error("x"), { code })), undefined);
    assert.equal(machineBusy(new Error("EMFILE")), undefined);
  });
});
