import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/system-clock";
import { SECOND_MS } from "#base/time";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { startBox } from "./box.ts";
import { type Figure, figure } from "./figure.ts";
import { option } from "./options.ts";

const NEVER = new AbortController().signal;
// What a start still compiles, collects and looks for is not idle yet.
const SETTLE_MS = 45 * SECOND_MS;

/** A box with two empty docks, left alone for `--seconds` (120): how much of a core it takes. */
export async function idleBench(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "bewaard-bench-"));
  try {
    const { config } = await makeDemoSite(systemClock, folder, ["bc-0101", "bc-0102"], 2, NEVER);
    const box = await startBox(folder, config);
    await systemClock.sleep(SETTLE_MS, NEVER);
    const seconds = option("seconds", 120);
    const before = await box.cpuMs();
    await systemClock.sleep(seconds * SECOND_MS, NEVER);
    const used = (await box.cpuMs()) - before;
    const peak = await box.peakBytes();
    await box.stop();
    return [
      figure("idle, of one core", (100 * used) / (seconds * SECOND_MS), "%", "<= 0.2"),
      figure("resident memory of a box, at most", peak / 1e6, "MB", "<= 200"),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
