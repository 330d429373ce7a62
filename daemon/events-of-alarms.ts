import type { DeviceId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import type { Say } from "./say.ts";

// What an operator is told once when it begins and once when it is over: a part of daemon/events.ts. When, daemon/alarms
// says.

export function alarmEvents(say: Say) {
  const over = (event: `${OverName}-over`, message: string, since: Instant, fields: object = {}) =>
    say("notice", event, message, { since: isoOf(since), ...fields });
  return {
    notRecording: (
      device: DeviceId | null,
      cameras: number,
      state: string | null,
      code: string | null,
    ) =>
      say("alert", "not-recording", "a camera that should be recorded is not", {
        device,
        cameras,
        state,
        code,
      }),
    notRecordingOver: (device: string | null, since: Instant) =>
      over("not-recording-over", "a camera is recorded again, or is not to be", since, { device }),
    diskLeft: (hours: number, leftBytes: number) =>
      say("alert", "disk-left", "the spool will be full soon if the vault takes nothing", {
        hours,
        leftBytes,
      }),
    diskLeftOver: (since: Instant) =>
      over("disk-left-over", "there is room in the spool for long enough again", since),
    uploadLate: (since: Instant) =>
      say("alert", "upload-late", "footage waits for the vault for too long: it is here alone", {
        since: isoOf(since),
      }),
    uploadLateOver: (since: Instant) =>
      over("upload-late-over", "nothing waits long for the vault any more", since),
    checkpointMissed: (since: Instant) =>
      say("alert", "checkpoint-missed", "the ledger has not left this box for an hour", {
        since: isoOf(since),
      }),
    checkpointMissedOver: (since: Instant) =>
      over("checkpoint-missed-over", "the ledger leaves this box again", since),
    rootSession: (remote: boolean) =>
      say("alert", "root-session", "somebody is logged in as root on this box", { remote }),
    rootSessionOver: (since: Instant) =>
      over("root-session-over", "somebody who was logged in as root is not any more", since),
    metricsDelayed: (why: string) =>
      say("error", "metrics-delayed", "metrics cannot be had where the configuration says", {
        why,
      }),
  };
}

type OverName =
  | "checkpoint-missed"
  | "disk-left"
  | "not-recording"
  | "root-session"
  | "upload-late";
