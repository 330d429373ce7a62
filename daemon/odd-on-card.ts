import { printable } from "#base/printable";
import { CLOCK_SLACK_MS, TERM_LIMIT_MS } from "#base/term";
import { type Instant, instantOf, MINUTE_MS, SECOND_MS } from "#base/time";
import type { Moments } from "../drivers/bodycam/local-time.ts";
import type { RecordingTimes } from "./recording-times.ts";
import type { TriedFile } from "./try-card.ts";

/**
 * `empty`: a recording without a byte. `no-time`: one whose name and container tell no time. `to-come`: one
 * that begins later than now. `old`: one that is over the term by its own time. `never-set`: one of before
 * 2020, as a dead clock has it. `came-twice`: a local time that came twice. `misfit`: one whose file
 * was last changed before it began, or not at its end: a wrong zone, or a copy. `no-length`: one that by its name began
 * when it was last changed: its name tells the end. `stranger`: neither a recording
 * nor what goes with one. `no-text`: a name that is no plain text. `alone`: a sidecar without its recording.
 */
const ODD = [
  "empty",
  "no-time",
  "to-come",
  "old",
  "never-set",
  "came-twice",
  "misfit",
  "no-length",
  "stranger",
  "no-text",
  "alone",
] as const;

export interface Odd {
  readonly what: (typeof ODD)[number];
  readonly files: number;
  /** The first of them. */
  readonly path: string;
}

const NEVER_SET_BEFORE = instantOf("2020-01-01T00:00:00.000Z");

/** What somebody should look at before a profile is believed. Nothing of it keeps a file from being taken. */
export function oddOf(now: Instant, files: readonly TriedFile[]): readonly Odd[] {
  const recordings = new Set(
    files.filter(({ kind }) => kind === "media").map(({ file }) => stem(file.path)),
  );
  return ODD.flatMap((what) => {
    const found = files.filter(
      (one) => one.kind !== "ignored" && one.kind !== "location" && is(what, now, one, recordings),
    );
    const [first] = found;
    return first ? [{ what, files: found.length, path: printable(first.file.path) }] : [];
  });
}

function is(
  what: Odd["what"],
  now: Instant,
  { file, kind, times, changed }: TriedFile,
  recordings: ReadonlySet<string>,
): boolean {
  const isRecording = kind === "media";
  const startedAt = times?.startedAt ?? now;
  switch (what) {
    case "empty":
      return isRecording && file.bytes === 0;
    case "no-time":
      return isRecording && times?.source !== "name" && times?.source !== "container";
    case "to-come":
      return isRecording && startedAt > now + CLOCK_SLACK_MS;
    case "old":
      return isRecording && startedAt >= NEVER_SET_BEFORE && startedAt + TERM_LIMIT_MS <= now;
    case "never-set":
      return isRecording && startedAt < NEVER_SET_BEFORE;
    case "came-twice":
      return isRecording && times?.alternativeStartedAt !== null;
    case "misfit":
      return isRecording && times !== null && !fits(times, changed);
    case "no-length":
      return isRecording && file.bytes > 0 && times?.source === "name" && isMomentary(times);
    case "stranger":
      return kind === "other";
    case "no-text":
      return !Buffer.from(printable(file.path)).equals(file.path);
    case "alone":
      return kind === "sidecar" && !recordings.has(stem(file.path));
    default:
      what satisfies never;
      return false;
  }
}

/** A camera writes the end of a file in seconds; a wrong zone is half an hour at least. */
const CLOSING_MS = 5 * MINUTE_MS;

/** Whether a file was last changed at its end. One whose container tells its length has an end in any case. */
function fits({ endedAt, source }: RecordingTimes, changed: Moments | undefined): boolean {
  if (source === "arrival") return true;
  if (endedAt === null) return false;
  if (changed === undefined) return true;
  const { earlier, later = earlier } = changed;
  return [earlier, later].some((at) => Math.abs(at - endedAt) <= CLOSING_MS);
}

/** FAT keeps times by two seconds. */
const GRAIN_MS = 2 * SECOND_MS;

function isMomentary({ startedAt, endedAt }: RecordingTimes): boolean {
  return endedAt !== null && endedAt - startedAt <= GRAIN_MS;
}

/** A name without its folders and extension: cameras put sidecars into folders of their own. */
function stem(path: Uint8Array): string {
  const name = printable(path).split("/").at(-1) ?? "";
  return name.replace(/\.[^.]*$/, "").toLowerCase();
}
