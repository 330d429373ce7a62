import type { SlotBoard } from "../docks/slot-board.ts";

/** How the dock does: how many slots are in which state. Free ones are not told of. */
export function dockLine(board: Pick<SlotBoard, "news">): string {
  const states = board.news().map(({ state }) => state);
  const many = (which: (typeof states)[number]) => states.filter((one) => one === which).length;
  const others = (["failed", "safe", "done"] as const).flatMap((state) =>
    many(state) > 0 ? [`${many(state)} ${state}`] : [],
  );
  const busy = many("busy");
  if (busy + others.length === 0) return "docks empty";
  return [`${busy} ${busy === 1 ? "dock" : "docks"} busy`, ...others].join(", ");
}
