/**
 * How long something lasts, as far as it is known: wall time that nobody vouches for measures nothing, so the least and the
 * most may differ. In milliseconds.
 */
export interface Lasted {
  readonly atLeastMs: number;
  readonly atMostMs: number;
}

/**
 * Whether it lasts too long: raised by the least that it may be, over by the most. What nobody can tell raises nothing, and
 * has nothing that was raised be over.
 */
export function isLate(
  { atLeastMs, atMostMs }: Lasted,
  isRaised: boolean,
  limitMs: number,
  milderMs: number,
): boolean {
  return isRaised ? atMostMs > milderMs : atLeastMs > limitMs;
}

/** Of what is known by wall time only: as it says where it is trusted, and no less than uptime says. */
export function lastedByWall(trusted: boolean, wallMs: number, atLeastMs: number): Lasted {
  if (!trusted) return { atLeastMs, atMostMs: Number.POSITIVE_INFINITY };
  const ms = Math.max(wallMs, atLeastMs);
  return { atLeastMs: ms, atMostMs: ms };
}
