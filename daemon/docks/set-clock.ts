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

/** For a card whose profile names a file that sets its clock, and whose clock was looked at: `seenClock`. */
export function clockSetter(
  clock: Clock,
  core: Pick<DockCore, "setTime">,
  docking: string,
  record: CardRecord,
  seenClock: SeenClock | undefined,
): SetClock {
  let isOver = false;
  let firstAskedMs: number | undefined;
  return async () => {
    if (isOver) return NOTHING;
    const offsetMs = offsetNow(clock, seenClock);
    const { why, over } = await core.setTime({ docking, record, offsetMs });
    isOver = over;
    firstAskedMs ??= clock.uptimeMs();
    const hold = why === "setting-clock" && clock.uptimeMs() - firstAskedMs < HOLD_MS;
    return { why, hold };
  };
}

/** For one whose clock nobody sets. */
export const SETS_NO_CLOCK: SetClock = async () => NOTHING;
