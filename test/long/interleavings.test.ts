import * as fc from "fast-check";
import { describe, it } from "mocha";
import { campaign } from "../fakes/campaign.ts";
import { fastFolders } from "../fakes/fast-folders.ts";
import { happenings, play } from "../fakes/interleaving.ts";

describe("10,000 orders of arrival, hold, release, crash, jump, boot, outage and eviction (invariants 3, 4, 8, 10)", () => {
  it("never destroy what is held, never keep what is not past its term while time is trusted", async () => {
    using _fast = fastFolders();
    await fc.assert(fc.asyncProperty(happenings, play), { numRuns: campaign(10_000) });
  });
});
