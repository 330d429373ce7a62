import type { Events } from "../events.ts";
import type { Slot } from "./slot-state.ts";

/** Says in the journal what a slot shows, each time that it shows something else. */
export function saySlot(events: Events): (slot: string, now: Slot, before: Slot) => void {
  return (slot, now, before) => {
    const left = { slot, docking: before.docking, device: before.number };
    const where = { slot, docking: now.docking, device: now.number };
    // That its camera is out was said when its card was: what comes of its cable is nothing to look for.
    const isOver = before.docking !== null && before.why !== "card-gone";
    if (isOver && before.docking !== now.docking) {
      if (before.state === "busy" && before.number !== null && before.why !== "setting-clock")
        events.undockedEarly(left);
      else events.undocked(left);
    }
    if (now.state === "busy" && now.why === "card-gone") return;
    if (now.docking !== null && before.docking !== now.docking) events.docked(where);
    switch (now.state) {
      case "free":
        return;
      case "busy":
        if (now.why !== "recognising") events.slotBusy(where, now.why);
        return;
      case "safe":
        events.slotSafe(where, now.why);
        return;
      case "done":
        events.slotDone(where, now.why);
        return;
      case "failed":
        events.slotFailed(where, now.why);
        return;
      default:
        now.state satisfies never;
    }
  };
}
