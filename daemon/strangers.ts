import { atMostEvery } from "#base/at-most-every";
import { type Clock, DAY_MS, HOUR_MS, type Instant, instant } from "#base/time";
import type { Manifest } from "../storage/spool/manifest.ts";
import type { Events } from "./events.ts";
import { longestWaitMs, type Term } from "./term.ts";

/** Facts of cameras that core does not know yet: they wait in incoming/ until it is started again. */
export interface Strangers {
  /** Whether this manifest waits: it need not be read again now. */
  readonly waits: (name: Uint8Array) => boolean;
  /**
   * Lets a manifest of an unknown camera wait, and says so once an hour; then undefined. What is to wait no
   * longer is to be quarantined as of the moment it returns: its wait counts for its term (invariant 3).
   */
  readonly keep: (name: Uint8Array, manifest: Manifest, trusted: boolean) => Instant | undefined;
}

const LONGEST_MS = 7 * DAY_MS;

/**
 * The recorder reads the configuration by itself, and may know a camera that was added sooner than core does,
 * or one that was taken out before core ever saw it. The dock runs with core: from there it is a lie.
 */
export function openStrangers(clock: Clock, events: Events, term: Term): Strangers {
  const waiting = new Map<string, number>();
  const hourly = atMostEvery(clock, HOUR_MS);
  const longestMs = Math.min(LONGEST_MS, term.termMs / 4);
  const countedMs = longestWaitMs(term);

  return {
    waits: (name) => (waiting.get(keyOf(name)) ?? 0) > clock.uptimeMs(),
    keep(name, manifest, trusted) {
      const now = clock.now();
      waiting.delete(keyOf(name));
      if (manifest.producer !== "record") return now;
      const hereMs = Math.max(0, hereForMs(clock, manifest));
      // While time is not trusted nothing is destroyed, and nobody knows for how long it has waited.
      if (trusted && hereMs >= longestMs) return instant(now - Math.min(hereMs, countedMs));
      const leftMs = trusted ? Math.min(longestMs - hereMs, HOUR_MS) : HOUR_MS;
      waiting.set(keyOf(name), clock.uptimeMs() + leftMs);
      if (hourly(manifest.device)) events.cameraUnknown(manifest.device);
      return undefined;
    },
  };
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name).toString("latin1");
}

function hereForMs(clock: Clock, { arrivedAt, arrivedUptime }: Manifest): number {
  return arrivedUptime.bootId === clock.bootId()
    ? clock.uptimeMs() - arrivedUptime.ms
    : clock.now() - arrivedAt;
}
