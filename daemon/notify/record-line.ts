import { type Clock, HOUR_MS, MINUTE_MS } from "#base/time";
import type { Board } from "../record/board.ts";

const TROUBLE = ["stalled", "backing off", "connecting"] as const;
const AT_REST = ["not in service", "out of period"] as const;

/** How the recorder does: how many cameras do what, and since when the first of those has that is in trouble. */
export function recordLine(clock: Clock, board: Pick<Board, "all">): string {
  const cameras = board.all();
  if (cameras.length === 0) return "no cameras";
  const inState = (which: (typeof cameras)[number]["state"]) =>
    cameras.filter(({ state }) => state === which);
  const trouble = TROUBLE.flatMap((state) => {
    const since = inState(state).map((one) => one.since);
    const lastsMs = clock.now() - Math.min(...since);
    return since.length > 0 ? [`${since.length} ${state} ${lasting(lastsMs)}`] : [];
  });
  const atRest = AT_REST.flatMap((state) => {
    const count = inState(state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  const recording = inState("recording").length;
  const first = `${recording} ${recording === 1 ? "camera" : "cameras"} recording`;
  return [first, ...trouble, ...atRest].join(", ");
}

/** Whole minutes, then whole hours: a line that is another each second is not worth telling. */
function lasting(ms: number): string {
  if (ms < MINUTE_MS) return "< 1 min";
  return ms < HOUR_MS ? `${Math.floor(ms / MINUTE_MS)} min` : `${Math.floor(ms / HOUR_MS)} h`;
}
