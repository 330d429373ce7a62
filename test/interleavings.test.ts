import { describe, it } from "mocha";
import { fastFolders } from "./fakes/fast-folders.ts";
import { playAll } from "./fakes/interleaving.ts";

describe("any order of arrival, hold, release, crash, jump, boot, outage and eviction (invariants 3, 4, 8, 10)", function () {
  this.timeout(240_000);

  it("never destroys what is held, never keeps what is not past its term while time is trusted", async () => {
    using _fast = fastFolders();
    await playAll(40);
  });
});
