import type { DeviceId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import type { Say } from "./say.ts";

// What an operator is told once when it begins and once when it is over: a part of daemon/events.ts. When, daemon/alarms
// says.

export function alarmEvents(say: Say) {
  return {
    notRecording: (
      device: DeviceId | null,
      cameras: number,
      state: string | null,
      code: string | null,
    ) =>
      device === null
        ? say(
            "alert",
            "not-recording",
            "no recorder answers: none of {cameras} cameras is known to be recorded",
            { device, cameras, state, code },
          )
        : say(
            "alert",
            "not-recording",
            "a camera that should be recorded is not[, it is {state}]",
            { device, cameras, state, code },
          ),
    notRecordingOver: (device: string | null, since: Instant) =>
      say(
        "notice",
        "not-recording-over",
        "recorded again, or not to be recorded any more: it was not since {since}",
        { device, since: isoOf(since) },
      ),
    ...roomAlarms(say),
    checkpointMissed: (since: Instant) =>
      say(
        "alert",
        "checkpoint-missed",
        "the ledger has not left this box for more than an hour: since {since}",
        { since: isoOf(since) },
      ),
    checkpointMissedOver: (since: Instant) =>
      say("notice", "checkpoint-missed-over", "the ledger leaves this box, as not since {since}", {
        since: isoOf(since),
      }),
    rootSession: (remote: boolean) =>
      remote
        ? say("alert", "root-session", "somebody is logged in as root, over the network", {
            remote,
          })
        : say("alert", "root-session", "somebody is logged in as root, at this machine", {
            remote,
          }),
    rootSessionOver: (since: Instant) =>
      say("notice", "root-session-over", "nobody is logged in as root who was since {since}", {
        since: isoOf(since),
      }),
    metricsDelayed: (why: string) =>
      say("error", "metrics-delayed", "metrics cannot be had where the configuration says", {
        why,
      }),
  };
}

function roomAlarms(say: Say) {
  return {
    diskLeft: (hours: number, leftBytes: number) =>
      say(
        "alert",
        "disk-left",
        "the spool will be full in {hours} hours if the vault takes nothing",
        { hours, leftBytes },
      ),
    diskLeftOver: (since: Instant) =>
      say("notice", "disk-left-over", "there is room for long enough, as not since {since}", {
        since: isoOf(since),
      }),
    uploadLate: (since: Instant) =>
      say(
        "alert",
        "upload-late",
        "footage waits for the vault since {since}, too long: it is here alone",
        { since: isoOf(since) },
      ),
    uploadLateOver: (since: Instant) =>
      say(
        "notice",
        "upload-late-over",
        "nothing waits long for the vault, as it did since {since}",
        {
          since: isoOf(since),
        },
      ),
  };
}
