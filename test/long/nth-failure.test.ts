import { describe, it } from "mocha";
import { campaign, timed } from "../fakes/campaign.ts";
import { fastFolders } from "../fakes/fast-folders.ts";
import { FAULTS, openFailing } from "../fakes/nth-failure.ts";

describe("the n-th call fails, for every n until a life passes untouched (invariant 8)", () => {
  for (const fault of FAULTS) {
    it(`${fault.code} from ${fault.calls}: lost nothing, doubled nothing, kept nothing too long`, async () => {
      using _fast = fastFolders();
      await using failing = await openFailing();
      const stride = Math.max(1, Math.round(100 / campaign(100)));
      await timed(`${fault.code} from ${fault.calls}`, async () => {
        let runs = 1;
        for (let nth = 1; await failing.live(nth, fault); nth += stride) runs += 1;
        return runs;
      });
    });
  }
});
