import { describe, it } from "mocha";
import { killedInBucket, stepsOf } from "../fakes/bucket-life.ts";
import { campaign } from "../fakes/campaign.ts";

/** So often at each step (issue 5). A build machine, which has done most steps once in each time zone before, does each once here. */
const TIMES = campaign(3);

describe(`SIGKILL with the vault in a bucket, at each step ${TIMES} times`, function () {
  this.timeout(600_000);

  for (const level of ["plain", "locked"] as const) {
    for (let time = 1; time <= TIMES; time += 1) {
      // Two lives, for a step that was killed at is not always come to again: each step begins one of them.
      it(`${level}, ${time}: whole at the end`, async () => {
        const steps = stepsOf(level);
        await killedInBucket(
          level,
          steps.filter((_, index) => index % 2 === 0),
        );
        await killedInBucket(
          level,
          steps.filter((_, index) => index % 2 === 1),
        );
      });
    }
  }
});
