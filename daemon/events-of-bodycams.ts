import type { BewaardError } from "#base/errors";
import type { DeviceId, SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { failed, type Say } from "./say.ts";

// What may be missing of bodycams: a part of daemon/events.ts. Each says of what time.

interface Numbered {
  readonly counter: number;
  readonly startedAt: Instant;
}

export function bodycamEvents(say: Say) {
  return {
    bodycamVolumeChanged: (
      device: DeviceId,
      slot: string,
      was: string | null,
      is: string | null,
      seenAt: Instant,
    ) =>
      say(
        "alert",
        "bodycam-volume-changed",
        "a bodycam has another card, or was formatted: what it recorded since may be elsewhere, or gone",
        { device, slot, was, is, since: isoOf(seenAt) },
      ),
    bodycamsAlike: (slot: string) =>
      say("alert", "bodycams-alike", "a bodycam cannot be told from another: it is not read", {
        slot,
      }),
    bodycamAway: (device: DeviceId, seenAt: Instant) =>
      say(
        "alert",
        "bodycam-away",
        "a bodycam was not docked for longer than policy allows: what it recorded since is on it alone",
        { device, since: isoOf(seenAt) },
      ),
    bodycamProfileUnread: (device: DeviceId, error: BewaardError) =>
      say("alert", "bodycam-profile-unread", "the profile of a paired bodycam cannot be read", {
        device,
        ...failed(error),
      }),
    bodycamCounterJumped: (
      device: DeviceId,
      after: Numbered,
      before: Numbered,
      missing: number | null,
    ) =>
      say(
        "alert",
        "bodycam-counter-jumped",
        "the numbers in the names of a bodycam's files jump: files between them were never seen",
        {
          device,
          from: after.counter,
          to: before.counter,
          missing,
          after: isoOf(after.startedAt),
          before: isoOf(before.startedAt),
        },
      ),
    footageBeforeEmptying: (
      segment: SegmentId,
      device: DeviceId,
      startedAt: Instant,
      emptiedAt: Instant,
    ) =>
      say(
        "alert",
        "footage-before-emptying",
        "footage says it is older than when its card was last seen empty: its clock was set back, or it was put back on the card; what was recorded since may be missing",
        { segment, device, startedAt: isoOf(startedAt), emptiedAt: isoOf(emptiedAt) },
      ),
  };
}
