import type { Instant } from "#base/time";

// When an alarm is told, told again, and told to be over: hysteresis, and no input or output.

/** An alarm that was told and has not been told to be over. Kept over restarts. */
interface Raised {
  readonly at: Instant;
  /** The last of its stages that was told. */
  readonly stage: number;
  /** When that one was, where it was not the first. */
  readonly toldAt?: Instant | undefined;
}

/** How one alarm about one thing stands. */
export interface Standing {
  readonly raised: Raised | undefined;
  /** By uptime: since when it is bad, but for spells that were too short to count as good. */
  readonly badSinceMs: number | undefined;
  /** By uptime: since when it has been good without a break. */
  readonly goodSinceMs: number | undefined;
}

export interface Rule {
  /** Told once it has been bad for so long. */
  readonly raiseAfterMs: number;
  /** Told to be over once it has been good for so long; a shorter spell is none. */
  readonly clearAfterMs: number;
  /** Told again with each stage, when it lasts so long; the first is 0. */
  readonly stage: (lastsMs: number) => number;
}

/** What is to be told now. */
export type Told = "raised" | "still" | "over" | "nothing";

export const AT_REST: Standing = {
  raised: undefined,
  badSinceMs: undefined,
  goodSinceMs: undefined,
};

/**
 * How it stands after a look, and what is to be told. How long it lasts goes by wall time, for it outlives a restart: from
 * `since`, or else from when it was told. A clock that was set back to before it was told last has it told again, and begins it
 * anew where that is before it was told first: else it would be quiet until that moment comes once more.
 */
export function standingAfter(
  rule: Rule,
  { raised, badSinceMs, goodSinceMs }: Standing,
  isBad: boolean,
  now: Instant,
  uptimeMs: number,
  since?: Instant,
): { readonly standing: Standing; readonly told: Told } {
  if (isBad) {
    const fromMs = badSinceMs ?? uptimeMs;
    const bad = { badSinceMs: fromMs, goodSinceMs: undefined };
    const isSetBack = raised !== undefined && now < (raised.toldAt ?? raised.at);
    const at = raised !== undefined && raised.at < now ? raised.at : now;
    const stage = rule.stage(Math.max(0, now - (since ?? at)));
    if (raised === undefined) {
      if (uptimeMs - fromMs < rule.raiseAfterMs)
        return { standing: { ...bad, raised }, told: "nothing" };
      return { standing: { ...bad, raised: { at: now, stage } }, told: "raised" };
    }
    if (!isSetBack && stage <= raised.stage)
      return { standing: { ...bad, raised }, told: "nothing" };
    return { standing: { ...bad, raised: { at, stage, toldAt: now } }, told: "still" };
  }
  const fromMs = goodSinceMs ?? uptimeMs;
  if (uptimeMs - fromMs < rule.clearAfterMs)
    return { standing: { raised, badSinceMs, goodSinceMs: fromMs }, told: "nothing" };
  return { standing: AT_REST, told: raised === undefined ? "nothing" : "over" };
}
