import { join } from "node:path";
import { after, describe, it } from "mocha";
import type { Step } from "#base/step";
import { temporaryFolder } from "./fakes/folder.ts";
import { alone, killedAt, OF_A_LIFE } from "./fakes/killed.ts";
import { makeAuthority } from "./peers/timestamp-authority.ts";

/** One timestamp authority for all lives: its keys are what takes time. */
const authority = temporaryFolder().then(async (folder) => {
  await makeAuthority(join(folder.path, "keys"));
  return folder;
});

/** So many lives; test/long/crash.test.ts has one for each step. */
const LIVES = 12;

/** Every step once, in the order in which a life comes to them, spread over the lives. */
const chains: readonly (readonly Step[])[] = [
  ...Array.from({ length: LIVES }, (_, life) =>
    OF_A_LIFE.filter((step) => !alone(step)).filter((_step, index) => index % LIVES === life),
  ),
  ...OF_A_LIFE.filter(alone).map((step) => [step]),
];

describe("SIGKILL, then start again (invariants 1, 3, 4, 6, 8)", function () {
  this.timeout(240_000);
  after(async () => (await authority)[Symbol.asyncDispose]());

  for (const steps of chains) {
    it(`at ${steps.join(", then at ")}: nothing lost, nothing kept too long, nothing held destroyed, no plaintext left`, async () => {
      await killedAt(steps, join((await authority).path, "keys"));
    });
  }
});
