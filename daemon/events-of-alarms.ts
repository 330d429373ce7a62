import { type Instant, isoOf } from "#base/time";
import type { Say } from "./say.ts";

// What an operator is told once when it begins and once when it is over: a part of daemon/events.ts. When, daemon/alarms
// says.

export function alarmEvents(say: Say) {
  return {
    uploadLate: (since: Instant) =>
      say("alert", "upload-late", "footage waits for the vault for too long: it is here alone", {
        since: isoOf(since),
      }),
    uploadInTime: () =>
      say("notice", "upload-in-time", "nothing waits long for the vault any more", {}),
    metricsDelayed: (why: string) =>
      say("error", "metrics-delayed", "metrics cannot be had where the configuration says", {
        why,
      }),
  };
}
