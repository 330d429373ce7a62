import { describe, it } from "mocha";
import { killedInBucket, stepsOf } from "./fakes/bucket-life.ts";

// What one kill leaves, the start after another may clear away by chance: so not all in one life.
const plain = stepsOf("plain");
const LIVES = [
  { level: "plain", steps: plain.filter((_, index) => index % 2 === 0) },
  { level: "plain", steps: plain.filter((_, index) => index % 2 === 1) },
  { level: "locked", steps: stepsOf("locked") },
] as const;

describe("SIGKILL with the vault in a bucket, then start again (invariants 1, 3, 4, 6, 8)", function () {
  this.timeout(240_000);

  for (const { level, steps } of LIVES) {
    it(`${level}, at ${steps.join(", then at ")}: nothing lost, nothing kept too long, nothing held destroyed, no unfinished upload`, async () => {
      await killedInBucket(level, steps);
    });
  }
});
