import * as fc from "fast-check";

/**
 * How many runs of a campaign of `full` runs to make now. `BEWAARD_CAMPAIGN_PERCENT` (1 to 100) makes a
 * build machine do a share of each; without it a campaign runs whole. Never none.
 */
export function campaign(full: number): number {
  const percent = Number(process.env["BEWAARD_CAMPAIGN_PERCENT"] ?? "100");
  if (!(percent > 0 && percent <= 100)) throw new RangeError("BEWAARD_CAMPAIGN_PERCENT: 1 to 100");
  return Math.max(1, Math.round((full * percent) / 100));
}

/** Runs a campaign and says at its end how many runs it made, and how long they took. */
export async function timed(name: string, body: () => Promise<number>): Promise<void> {
  const began = performance.now();
  const runs = await body();
  const seconds = ((performance.now() - began) / 1000).toFixed();
  process.stderr.write(`campaign ${name}: ${runs} runs, ${seconds} s\n`);
}

/**
 * Asserts that `property` holds in `runs` random cases, and returns how many. A case in which it does not is made as small as it
 * goes, and told with what replays it: `BEWAARD_REPLAY=SEED` for the same cases, `SEED,PATH` for that one.
 */
export async function assertAlways<T>(
  property: fc.IAsyncPropertyWithHooks<T>,
  runs: number,
): Promise<number> {
  const [seed, path] = (process.env["BEWAARD_REPLAY"] ?? "").split(",");
  const replay = { ...(seed && { seed: Number(seed) }), ...(path && { path }) };
  const details = await fc.check(property, { numRuns: runs, ...replay });
  if (!details.failed) return details.numRuns;
  const told = (await fc.asyncDefaultReportMessage(details)) ?? "";
  const again = [details.seed, details.counterexamplePath].filter((part) => part !== null).join();
  throw new Error(`${told}\nreplay: BEWAARD_REPLAY=${again}`, { cause: details.errorInstance });
}
