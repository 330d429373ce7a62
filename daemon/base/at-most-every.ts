import type { Clock } from "./time.ts";

/** True at first and then once a `periodMs` for the same thing: an alarm that repeats each minute is not read. */
export function atMostEvery(clock: Clock, periodMs: number): (what: string) => boolean {
  const said = new Map<string, number>();
  return (what) => {
    const uptimeMs = clock.uptimeMs();
    for (const [known, atMs] of said) if (uptimeMs - atMs >= periodMs) said.delete(known);
    if (said.has(what)) return false;
    said.set(what, uptimeMs);
    return true;
  };
}
