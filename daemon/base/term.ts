import { DAY_MS, HOUR_MS, MINUTE_MS } from "./time.ts";

/** Nothing without a hold is older, anywhere, counted from recording (DH-06, AR-26). Policy may only be shorter. */
export const TERM_LIMIT_MS = 28 * DAY_MS;

/** Footage is due this long before its term ends, so that it is gone in time (invariant 3). */
export const DUE_MARGIN_MS = HOUR_MS;

/** A camera's clock that is this near to ours is right (docs/time.md). */
export const CLOCK_SLACK_MS = 5 * MINUTE_MS;
