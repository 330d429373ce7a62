import { ulid } from "ulid";
import {
  type DutyId,
  type HoldId,
  parseDutyId,
  parseHoldId,
  parseSegmentId,
  type SegmentId,
} from "#base/ids";
import type { Instant } from "#base/time";

/** A new segment id: sorts by `at`, does not repeat (80 random bits). */
export function newSegmentId(at: Instant): SegmentId {
  return parseSegmentId(ulid(at));
}

export function newMarkId(at: Instant): string {
  return ulid(at);
}

export function newHoldId(at: Instant): HoldId {
  return parseHoldId(ulid(at));
}

export function newDutyId(at: Instant): DutyId {
  return parseDutyId(ulid(at));
}

/** Of one docking of a camera, from being seen to being gone. */
export function newDockingId(at: Instant): string {
  return ulid(at);
}
