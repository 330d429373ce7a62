import type { Clock } from "#base/time";

/** How long things have been refused, by uptime: no jump of the clock hurries it. */
export interface Patience {
  /** True once `key` has been refused for longer than the patience lasts. */
  atEnd(key: string): boolean;
  answered(key: string, granted: boolean): void;
}

export function openPatience(clock: Clock, patienceMs: number): Patience {
  const refusedAt = new Map<string, number>();
  return {
    atEnd: (key) => clock.uptimeMs() - (refusedAt.get(key) ?? clock.uptimeMs()) > patienceMs,
    answered(key, granted) {
      if (granted) refusedAt.delete(key);
      else if (!refusedAt.has(key)) refusedAt.set(key, clock.uptimeMs());
    },
  };
}
