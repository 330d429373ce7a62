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
        "another card, or formatted: what was recorded since {since} may be elsewhere, or gone",
        { device, slot, was, is, since: isoOf(seenAt) },
      ),
    bodycamsAlike: (slot: string) =>
      say("alert", "bodycams-alike", "a bodycam that cannot be told from another is not read", {
        slot,
      }),
    bodycamProfileUnread: (device: DeviceId, error: BewaardError) =>
      say("alert", "bodycam-profile-unread", "the profile it was paired with cannot be read", {
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
        "the numbers in the names of its files jump from {from} to {to}[: {missing} files between them were never seen]",
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
        "{segment} says it is of {startedAt}, before its card was last seen empty at {emptiedAt}: the clock was set back, or files were put back",
        { segment, device, startedAt: isoOf(startedAt), emptiedAt: isoOf(emptiedAt) },
      ),
  };
}

/** The alarm about one that does not come. */
export function awayEvents(say: Say) {
  return {
    bodycamAway: (device: DeviceId, seenAt: Instant) =>
      say(
        "alert",
        "bodycam-away",
        "not docked since {since}, longer than policy allows: what it recorded since is on it alone",
        { device, since: isoOf(seenAt) },
      ),
    bodycamAwayOver: (device: string, since: Instant) =>
      say("notice", "bodycam-away-over", "missed since {since}: docked now, or retired", {
        device,
        since: isoOf(since),
      }),
  };
}
