import { join } from "node:path";
import { describe, it } from "mocha";
import { campaign, timed } from "../fakes/campaign.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { killedAt, OF_A_LIFE } from "../fakes/killed.ts";
import { makeAuthority } from "../peers/timestamp-authority.ts";

describe("SIGKILL at each step, in a life of its own (invariants 1, 3, 4, 6, 8)", () => {
  it("loses nothing, keeps nothing too long, destroys nothing held, leaves no plaintext", async () => {
    await using authority = await temporaryFolder();
    const keys = join(authority.path, "keys");
    await makeAuthority(keys);
    const lives = campaign(OF_A_LIFE.length);
    await timed("kills", async () => {
      // Evenly over all steps.
      for (let life = 0; life < lives; life += 1) {
        const step = OF_A_LIFE[Math.floor((life * OF_A_LIFE.length) / lives)];
        if (step !== undefined) await killedAt([step], keys);
      }
      return lives;
    });
  });
});
