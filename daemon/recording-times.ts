import { DAY_MS, type Instant, instantOf } from "#base/time";
import type { CardFile } from "../drivers/bodycam/card.ts";
import {
  type AskFfprobe,
  type Container,
  mayBeContainer,
  readContainer,
} from "../drivers/bodycam/container-time.ts";
import { type Moments, moved } from "../drivers/bodycam/local-time.ts";
import type { CameraProfile } from "../drivers/bodycam/profile.ts";
import { stampInContainer, stampInName, stampOfFile } from "../drivers/bodycam/start-time.ts";
import type { Events } from "./events.ts";

/** When a recording was made, as far as its file tells (docs/time.md). */
export interface RecordingTimes {
  readonly startedAt: Instant;
  readonly alternativeStartedAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly source: "name" | "container" | "modified" | "arrival";
}

/** What the container of a file on a card says; undefined when it says nothing that we could read. */
export type ReadContainer = (file: CardFile, source: Uint8Array) => Promise<Container | undefined>;

/** 1904, 1970 and 1980 are how a date reads that nobody filled in, in QuickTime, Unix and FAT. */
const FIRST_DATE = instantOf("1980-01-02T00:00:00.000Z");

/**
 * Reads containers with ffprobe, and says once, for each reason, that one could not be read: footage
 * without a time is taken like all other.
 */
export function containerReader(events: Events, ask: AskFfprobe): ReadContainer {
  const said = new Set<string>();
  return async (file, source) => {
    if (file.bytes === 0 || !mayBeContainer(file.path)) return undefined;
    const container = await readContainer(source, ask);
    if (typeof container !== "string") return container;
    if (!said.has(container)) events.containerUnread(container);
    said.add(container);
    return undefined;
  };
}

/**
 * The start of a recording: by its name, else by its container, else by its file's last change, else
 * its arrival. The container costs a process, and is asked only where the name leaves a question.
 */
export async function recordingTimes(
  now: Instant,
  read: ReadContainer,
  profile: CameraProfile,
  file: CardFile,
  source: Uint8Array,
): Promise<RecordingTimes> {
  const named = stampInName(profile, file.path);
  const asks = named ? profile.stamp_is === "end" : profile.container_time !== "none";
  const container = asks ? await read(file, source) : undefined;
  const lastedMs = plausibleLength(profile, container?.durationMs);
  const changed = dated(stampOfFile(profile, file.modifiedAt), now);

  const byName = startOf(profile, named, lastedMs);
  if (byName) return timesOf("name", byName, profile, lastedMs, changed);
  const created = container?.createdAt && stampInContainer(profile, container.createdAt);
  const byContainer = startOf(profile, dated(created || undefined, now), lastedMs);
  if (byContainer) return timesOf("container", byContainer, profile, lastedMs, changed);
  // A camera closes its file at the end of a recording.
  const byChange = changed && (moved(changed, -(lastedMs ?? 0)) ?? changed);
  if (byChange) return timesOf("modified", byChange, profile, lastedMs, changed);
  return { startedAt: now, alternativeStartedAt: null, endedAt: null, source: "arrival" };
}

/** A stamp as a start. The end of a recording of which the length is not known tells no start. */
function startOf(
  { stamp_is }: CameraProfile,
  stamp: Moments | undefined,
  lastedMs: number | undefined,
): Moments | undefined {
  if (stamp === undefined || stamp_is === "start") return stamp;
  return lastedMs === undefined ? undefined : moved(stamp, -lastedMs);
}

function timesOf(
  source: RecordingTimes["source"],
  { earlier, later }: Moments,
  profile: CameraProfile,
  lastedMs: number | undefined,
  changed: Moments | undefined,
): RecordingTimes {
  const length = lastedMs ?? plausibleLength(profile, changed && changed.earlier - earlier);
  return {
    startedAt: earlier,
    alternativeStartedAt: later ?? null,
    endedAt: length === undefined ? null : (moved({ earlier, later }, length)?.earlier ?? null),
    source,
  };
}

function plausibleLength(
  { longest_recording }: CameraProfile,
  ms: number | undefined,
): number | undefined {
  return ms !== undefined && ms >= 0 && ms <= longest_recording ? ms : undefined;
}

/** Leaves out what was never a date, and what is later than any recording that is here. */
function dated(stamp: Moments | undefined, now: Instant): Moments | undefined {
  const sane = stamp && stamp.earlier >= FIRST_DATE && stamp.earlier <= now + DAY_MS;
  return sane ? stamp : undefined;
}
