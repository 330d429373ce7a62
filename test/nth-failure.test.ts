import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { fastFolders } from "./fakes/fast-folders.ts";
import { openFailing } from "./fakes/nth-failure.ts";

// A few of the calls; test/long/nth-failure.test.ts lets every one of them fail.
const SOME = [
  [25, { calls: "files", code: "ENOSPC" }],
  [30, { calls: "files", code: "EIO" }],
  [90, { calls: "files", code: "EIO" }],
  [66, { calls: "statements", code: "CATALOG_FULL" }],
] as const;

describe("a call that fails in the middle of a life (invariant 8)", function () {
  this.timeout(120_000);

  for (const [nth, fault] of SOME) {
    it(`${fault.code} at call ${nth} to ${fault.calls}: loses nothing, doubles nothing, keeps nothing too long`, async () => {
      using _fast = fastFolders();
      await using failing = await openFailing();
      assert.ok(await failing.live(nth, fault), "a life has as many calls");
    });
  }
});
