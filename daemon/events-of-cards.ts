import type { BewaardError } from "#base/errors";
import type { DeviceId, SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import type { ClockFault } from "../drivers/bodycam/clock-offset.ts";
import { failed, type Say } from "./say.ts";

// What there is to say of docks and their cards: a part of daemon/events.ts.

export function dockEvents(say: Say) {
  return {
    cardSeen: (device: DeviceId, files: number, taken: number) =>
      say("info", "card-seen", "its card was read: {files} new files, {taken} of them taken", {
        device,
        files,
        taken,
      }),
    sealed: (segment: SegmentId, device: DeviceId, bytes: number) =>
      say("info", "sealed", "footage sealed as {segment}, {bytes}", { segment, device, bytes }),
    fileLeft: (device: DeviceId, name: string, error: BewaardError) =>
      say(error.transient ? "warning" : "alert", "file-left", "a file stays on its card", {
        device,
        name,
        ...failed(error),
      }),
    seenRead: (day: string, files: number) =>
      say(
        "info",
        "seen-read",
        "the desk's list of {day} was read: {files} files that other boxes took",
        { day, files },
      ),
    seenRefused: (day: string, error: BewaardError) =>
      say("alert", "seen-refused", "the desk's list of {day} is not believed", {
        day,
        ...failed(error),
      }),
    containerUnread: (why: string) =>
      say("warning", "container-unread", "a container could not be read, its time is not known", {
        why,
      }),
    dockDelayed: (device: DeviceId, error: BewaardError) =>
      say("error", "dock-delayed", "its card cannot be read now", {
        device,
        ...failed(error),
      }),
    bodycamClock: (device: DeviceId, offsetMs: number, fault: ClockFault) =>
      say(
        fault === "reset" ? "alert" : "warning",
        "bodycam-clock",
        "its clock was seen to be off by {offsetMs} ({fault}): its recordings are not believed",
        { device, offsetMs, fault },
      ),
    recipientsSkip: (days: readonly string[]) =>
      say("warning", "recipients-skip", "no identity for {days}: sealed for the next day's", {
        days,
      }),
    recipientsUnread: (error: BewaardError) =>
      say(
        "alert",
        "recipients-unread",
        "the file of day identities cannot be read, the old ones serve",
        failed(error),
      ),
    recipientsRunOut: (lastDay: string) =>
      say(
        "alert",
        "recipients-run-out",
        "day identities run out on {lastDay}: hold a key ceremony",
        { lastDay },
      ),
  };
}

/** Files of a card that were not read once, whole and the same. */
export function oddFileEvents(say: Say) {
  return {
    readTwice: (segment: SegmentId, device: DeviceId, unlike: SegmentId) =>
      say(
        "alert",
        "read-twice",
        "two reads of one file gave different bytes: both are kept, {segment} and {unlike}",
        { segment, device, unlike },
      ),
    decide: (device: DeviceId, left: string, code: string, decideBy: Instant) =>
      say(
        "alert",
        "decide",
        "a file can only stay on its card ({code}): somebody must decide before {decideBy}",
        { device, left, code, decideBy: isoOf(decideBy) },
      ),
    decisionDue: (files: number) =>
      say(
        "alert",
        "decision-due",
        "{files} files stay on cards, and somebody must have decided by now",
        { files },
      ),
    sourceChanged: (segment: SegmentId, device: DeviceId, name: string) =>
      say(
        "alert",
        "source-changed",
        "a file changed while it was read: what was read is kept as {segment}",
        { segment, device, name },
      ),
    truncatedClosed: (segment: SegmentId, device: DeviceId) =>
      say(
        "alert",
        "truncated",
        "sealing was cut off and the source is gone: {segment} is kept as far as it is",
        { segment, device },
      ),
    leftoverDelayed: (segment: string, error: BewaardError) =>
      say(
        "error",
        "leftover-delayed",
        "what a crash left of {segment} could not be settled yet, and stays",
        { segment, ...failed(error) },
      ),
    cutOffEmpty: (segment: SegmentId, device: DeviceId) =>
      say(
        "warning",
        "cut-off-empty",
        "sealing {segment} was cut off before any footage was written",
        { segment, device },
      ),
  };
}
