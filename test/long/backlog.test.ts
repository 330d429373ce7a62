import { describe, it } from "mocha";
import { drainsFlat } from "../fakes/backlog.ts";

describe("a week's backlog", function () {
  this.timeout(600_000);

  it("of 10,000 segments drains to its end in one go, with flat memory", async () => {
    await drainsFlat(10_000);
  });
});
