import { describe, it } from "mocha";
import { fastFolders } from "./fakes/fast-folders.ts";
import { playSecured } from "./fakes/secure-play.ts";

describe("any order of hold, release, expiry, crash, and a disk that comes and goes (invariants 3, 4, 8)", function () {
  this.timeout(240_000);

  it("never lets go of a separate copy that a hold needs, and leaves none that nothing holds", async () => {
    using _fast = fastFolders();
    await playSecured(40);
  });
});
