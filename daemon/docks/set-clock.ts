import { type Clock, SECOND_MS } from "#base/time";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import { offsetNow, type SeenClock } from "../seen-clock.ts";
import type { DockCore } from "./dock-core.ts";
import type { SlotWhy } from "./slot-why.ts";

/** What there is to say of a camera's clock. */
export interface ClockSaid {
  readonly why: SlotWhy | null;
  /** Its card is being written to, and only just: whoever waits for it waits a little longer. */
  readonly hold: boolean;
}

/** Has a camera's clock set, in one docking. Asked once all its files are adopted, with the offset of before. */
export type SetClock = () => Promise<ClockSaid>;

/** Writing takes a second; a helper that takes longer is not worth standing there for. */
const HOLD_MS = 20 * SECOND_MS;
const NOTHING: ClockSaid = { why: null, hold: false };

/**
 * For a card whose profile names a file that sets its clock, and whose clock was looked at: `seenClock`. Asks again
 * `againMs` after it was set, unless that is null: many cameras read the file only when they are taken out.
 */
export function clockSetter(
  clock: Clock,
  core: Pick<DockCore, "setTime">,
  docking: string,
  record: CardRecord,
  seenClock: SeenClock | undefined,
  againMs: number | null,
): SetClock {
  let overMs: number | undefined;
  let firstAskedMs: number | undefined;
  return async () => {
    const isFirst = overMs === undefined;
    if (overMs !== undefined && clock.uptimeMs() - overMs < (againMs ?? Infinity)) return NOTHING;
    // Nobody has looked at it since it was set.
    const offsetMs = isFirst ? offsetNow(clock, seenClock) : null;
    const { why, over } = await core.setTime({ docking, record, offsetMs });
    if (over) overMs = clock.uptimeMs();
    firstAskedMs ??= clock.uptimeMs();
    const hold = why === "setting-clock" && clock.uptimeMs() - firstAskedMs < HOLD_MS;
    return { why, hold };
  };
}

/** For one whose clock nobody sets. */
export const SETS_NO_CLOCK: SetClock = async () => NOTHING;
