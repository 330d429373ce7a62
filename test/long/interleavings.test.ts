import { describe, it } from "mocha";
import { campaign, timed } from "../fakes/campaign.ts";
import { fastFolders } from "../fakes/fast-folders.ts";
import { playAll } from "../fakes/interleaving.ts";

describe("10,000 orders of arrival, hold, release, crash, jump, boot, outage and eviction (invariants 3, 4, 8, 10)", () => {
  it("never destroy what is held, never keep what is not past its term while time is trusted", async () => {
    using _fast = fastFolders();
    await timed("interleavings", () => playAll(campaign(10_000)));
  });
});
