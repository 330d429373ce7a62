import type { DeviceId } from "#base/ids";
import type { Say } from "./say.ts";

// What there is to say of setting the clocks of cameras: a part of daemon/events.ts.

export function setTimeEvents(say: Say) {
  return {
    clockOrdered: (device: DeviceId, order: string, offsetMs: number | null) =>
      say(
        "info",
        "clock-ordered",
        "its clock may be set[, it is off by {offsetMs}]: the order is signed",
        { device, order, offsetMs },
      ),
    clockSet: (device: DeviceId, order: string, offsetMs: number | null) =>
      say("notice", "clock-set", "the file that sets its clock was written to its card", {
        device,
        order,
        offsetMs,
      }),
    clockNotSet: (device: DeviceId, order: string, outcome: string, why: string | null) =>
      say("error", "clock-not-set", "the file that sets its clock was not written ({outcome})", {
        device,
        order,
        outcome,
        why,
      }),
    clockNotSetNow: (device: DeviceId, why: string) =>
      say("warning", "clock-not-set-now", "its clock is not set now", { device, why }),
  };
}
