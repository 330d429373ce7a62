import { describe, it } from "mocha";
import { campaign, timed } from "../fakes/campaign.ts";
import { assertEveryFuzzedOneHasACode } from "../fakes/fuzzed-configuration.ts";

describe("2,000 fuzzed configurations", () => {
  it("are each taken, or refused with a code, a line and a column: no crash, no hang", () =>
    timed("configurations", () => assertEveryFuzzedOneHasACode(campaign(2000))));
});
