import { describe, it } from "mocha";
import type { Step } from "#base/step";
import { killedInBucket, stepsOf } from "./fakes/bucket-life.ts";

/** Steps around which a locked bucket is as a plain one. */
const AS_IN_PLAIN: readonly Step[] = [
  "store.intended",
  "store.read-back",
  "store.batch-closed",
  "hold.requested",
  "hold.released",
  "destroy.batch-closed",
];

// Every step of both, three times: test/long/bucket-crash.test.ts.
// What one kill leaves, the start after another may clear away by chance: so not all in one life.
const plain = stepsOf("plain");
const locked = stepsOf("locked").filter((step) => !AS_IN_PLAIN.includes(step));
const LIVES = [
  { level: "plain", steps: plain.filter((_, index) => index % 2 === 0) },
  { level: "plain", steps: plain.filter((_, index) => index % 2 === 1) },
  { level: "locked", steps: locked },
] as const;

describe("SIGKILL with the vault in a bucket, then start again (invariants 1, 3, 4, 6, 8)", function () {
  this.timeout(240_000);

  for (const { level, steps } of LIVES) {
    it(`${level}, at ${steps.join(", then at ")}: nothing lost, nothing kept too long, nothing held destroyed, no unfinished upload`, async () => {
      await killedInBucket(level, steps);
    });
  }
});
