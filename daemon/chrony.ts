import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Clock, type Instant, instant, MINUTE_MS, SECOND_MS } from "#base/time";
import type { TimeSource } from "./keep-time.ts";

// The only file that asks chronyd. Its answers are CSV: see chronyc(1), "sources" and "authdata".

/** `nts`: authenticated time. `ntp`: time that anybody on the way could forge. */
export type ChronyKind = "nts" | "ntp";

const DEADLINE_MS = 5 * SECOND_MS;
/** A measurement that is older says too little about now: chronyd measures at least each 17 minutes. */
const FRESH_S = 20 * 60;

/**
 * The servers of this machine's chronyd of the kinds that the site relies on, each an outside source of
 * its own. Silent without chronyd, or where it does not let us ask. `clock` is the one chronyd steers:
 * its offsets are from there. `where`: options of chronyc, to ask another than the machine's own.
 */
export function chrony(
  clock: Clock,
  kinds: readonly ChronyKind[],
  where: readonly string[] = [],
): TimeSource {
  let offsetMs = clock.now() - clock.uptimeMs();
  let steadySinceMs = clock.uptimeMs();
  return async (signal) => {
    if (kinds.length === 0) return [];
    // Somebody set the clock: what chronyd measured before then vouches for another time.
    if (Math.abs(clock.now() - clock.uptimeMs() - offsetMs) > MINUTE_MS) {
      offsetMs = clock.now() - clock.uptimeMs();
      steadySinceMs = clock.uptimeMs();
    }
    const [sources, authentication] = await Promise.all([
      ask(where, "sources", signal),
      ask(where, "authdata", signal),
    ]);
    const authenticated = new Set(
      authentication.filter(([, mode]) => mode === "NTS").map(([address]) => address),
    );
    return sources.flatMap((row) => {
      const source: ChronyKind = authenticated.has(row[2]) ? "nts" : "ntp";
      const time = timeOf(clock, clock.uptimeMs() - steadySinceMs, row);
      return time !== undefined && kinds.includes(source) ? [{ source, time }] : [];
    });
  };
}

/** The time of one row of `sources`; undefined for a clock of this machine, and one silent since it was set. */
function timeOf(clock: Clock, steadyMs: number, row: readonly string[]): Instant | undefined {
  const [mode, , , , , reach, lastSeconds, offsetSeconds] = row;
  if (mode !== "^" && mode !== "=") return undefined;
  // "LastRx" is a huge number, or "-", for a source that never answered.
  const freshS = Math.min(FRESH_S, steadyMs / 1000);
  if (!(Number(reach) > 0) || !(Number(lastSeconds) <= freshS)) return undefined;
  // Positive: this machine's clock is ahead of the source.
  const ms = Math.round(clock.now() - Number(offsetSeconds) * 1000);
  return Number.isSafeInteger(ms) && ms >= 0 ? instant(ms) : undefined;
}

async function ask(
  where: readonly string[],
  command: string,
  signal: AbortSignal,
): Promise<readonly string[][]> {
  try {
    const { stdout } = await promisify(execFile)("chronyc", ["-c", "-n", ...where, command], {
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 1024,
      signal,
    });
    return stdout
      .trim()
      .split("\n")
      .map((line) => line.split(","));
  } catch {
    // Not installed, not running, or not for us: a source that says nothing is no source.
    return [];
  }
}
