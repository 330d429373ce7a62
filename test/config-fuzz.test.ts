import { describe, it } from "mocha";
import { assertEveryFuzzedOneHasACode } from "./fakes/fuzzed-configuration.ts";

describe("a fuzzed configuration", function () {
  this.timeout(120_000);

  it("is taken, or refused with a code, a line and a column: 150 of the 2,000 that test:long reads", () =>
    assertEveryFuzzedOneHasACode(150));
});
