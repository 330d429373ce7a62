import { readdir, statfs } from "node:fs/promises";
import { basename } from "node:path";
import { BewaardError } from "#base/errors";
import { printable } from "#base/printable";
import { type Clock, HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import { readProfile, shipped } from "../config/load.ts";
import type { Profile } from "../config/profile-schema.ts";
import { type CardFile, joined, listCard } from "../drivers/bodycam/card.ts";
import { type ClockFault, clockFault, offsetOf } from "../drivers/bodycam/clock-offset.ts";
import { mayBeContainer, readContainer } from "../drivers/bodycam/container-time.ts";
import { readIdentity } from "../drivers/bodycam/identity.ts";
import type { Moments } from "../drivers/bodycam/local-time.ts";
import { type Judged, judgeMatch, matches, rootNames } from "../drivers/bodycam/match.ts";
import { type FileKind, sorter } from "../drivers/bodycam/profile.ts";
import { stampOfFile } from "../drivers/bodycam/start-time.ts";
import { type Odd, oddOf } from "./odd-on-card.ts";
import { type RecordingTimes, recordingTimes } from "./recording-times.ts";

/** A file of a card, as a profile reads it. `times` is null for what is ignored. */
export interface TriedFile {
  readonly file: CardFile;
  readonly kind: FileKind;
  readonly times: RecordingTimes | null;
  /** When it was last changed, as its profile reads that. */
  readonly changed: Moments | undefined;
}

/** What a profile would make of a card. */
export interface Tried {
  readonly profile: string;
  readonly called: string;
  readonly judged: readonly Judged[];
  readonly files: readonly TriedFile[];
  /** What is there and could not be looked at, and why. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
  readonly odd: readonly Odd[];
  /** What the camera wrote of which one it is; null where its profile reads nothing, or nothing was found. */
  readonly identity: string | null;
  /** The file where its profile looks for that; null where it reads nothing. */
  readonly identityIn: string | null;
  readonly clock: {
    readonly declared: Profile["clock"];
    /** Camera less ours; null when it cannot be measured. */
    readonly offsetMs: number | null;
    readonly fault: ClockFault | null;
    /** The file that would set it; null where there is none. */
    readonly setBy: string | null;
  };
  readonly room: Room;
}

export interface Room {
  readonly freeBytes: number;
  readonly bytesPerHour: number | null;
  /** Whether the profile says what an hour takes, or it was reckoned from what is on the card. */
  readonly from: "profile" | "card" | null;
  /** Whole hours. */
  readonly hours: number | null;
}

/** What was tried, and the profiles that did not match, each with why. */
export interface Trial {
  readonly tried: readonly Tried[];
  readonly others: readonly { readonly profile: string; readonly judged: readonly Judged[] }[];
}

/** What somebody knows of a card that cannot be seen in its folder. */
export interface Told {
  readonly usb: string | undefined;
  readonly label: string | undefined;
}

/**
 * What the profile that is named, or each shipped one that matches, would make of the card at `root`. Only
 * reads. `clock` is asked for the moment that stands for its docking.
 * @throws BewaardError CARD_READ when nothing can be listed there; CONFIG_MISSING, CONFIG_INVALID of a profile.
 */
export async function tryCard(
  clock: Clock,
  root: string,
  named: string | undefined,
  told: Told,
  signal: AbortSignal,
): Promise<Trial> {
  const now = clock.now();
  const names = named === undefined ? await shippedProfiles() : [named];
  const tried: Tried[] = [];
  const others: { profile: string; judged: readonly Judged[] }[] = [];
  for (const name of names) {
    signal.throwIfAborted();
    const profile = await readProfile(name);
    const card = await listCard(root, profile.limits);
    if (!card) throw new BewaardError("CARD_READ", "there is no such folder");
    const seen = { ...told, names: await rootNames(root), files: card.files };
    const judged = judgeMatch(profile, seen);
    if (named === undefined && !matches(judged)) others.push({ profile: name, judged });
    else tried.push(await tryProfile(now, root, name, profile, judged, card, signal));
  }
  return { tried, others };
}

async function tryProfile(
  now: Instant,
  root: string,
  name: string,
  profile: Profile,
  judged: readonly Judged[],
  card: NonNullable<Awaited<ReturnType<typeof listCard>>>,
  signal: AbortSignal,
): Promise<Tried> {
  const files = await timed(now, root, profile, card.files, signal);
  const unread = card.unread.map(({ path, why }) => ({ path: printable(path), why }));
  const measured = card.more ? "not measurable" : offsetOf(profile, card.files, now);
  const offsetMs = measured === "not measurable" ? null : measured;
  return {
    profile: name,
    called: profile.name,
    judged,
    files,
    unread,
    odd: oddOf(now, files),
    identity: (await readIdentity(profile.identity, root, card.files)) ?? null,
    identityIn: profile.identity?.file ?? null,
    clock: {
      declared: profile.clock,
      offsetMs,
      fault: offsetMs === null ? null : clockFault(offsetMs, profile.zone, now),
      setBy: profile.set_time?.path ?? null,
    },
    room: await roomOn(root, profile, files),
  };
}

async function timed(
  now: Instant,
  root: string,
  profile: Profile,
  files: readonly CardFile[],
  signal: AbortSignal,
): Promise<readonly TriedFile[]> {
  const sort = sorter(profile);
  const found: TriedFile[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const kind = sort(file.path);
    const source = joined(Buffer.from(root), file.path);
    const times =
      kind === "ignored" || kind === "location"
        ? null
        : await recordingTimes(now, container, profile, file, source);
    found.push({ file, kind, times, changed: stampOfFile(profile, file.modifiedAt) });
  }
  return found;
}

async function container({ bytes, path }: CardFile, source: Uint8Array) {
  if (bytes === 0 || !mayBeContainer(path)) return undefined;
  const said = await readContainer(source);
  return typeof said === "string" ? undefined : said;
}

/** What fits on the card, by what its profile or, else, its own recordings say that an hour takes. */
async function roomOn(
  root: string,
  { bytes_per_hour }: Profile,
  files: readonly TriedFile[],
): Promise<Room> {
  const { bavail, bsize } = await statfs(root);
  const freeBytes = bavail * bsize;
  const reckoned = bytes_per_hour ?? hourOf(files);
  const from = reckoned === null ? null : bytes_per_hour === null ? "card" : "profile";
  const hours = reckoned === null ? null : Math.floor(freeBytes / reckoned);
  return { freeBytes, bytesPerHour: reckoned, from, hours };
}

/** What an hour takes, by recordings of known length; null when there are less than a minute of them. */
function hourOf(files: readonly TriedFile[]): number | null {
  let ms = 0;
  let bytes = 0;
  for (const { file, kind, times } of files) {
    if (kind !== "media" || !times || times.endedAt === null) continue;
    ms += times.endedAt - times.startedAt;
    bytes += file.bytes;
  }
  return ms < MINUTE_MS || bytes === 0 ? null : Math.round((bytes / ms) * HOUR_MS);
}

async function shippedProfiles(): Promise<readonly string[]> {
  const folder = shipped("profiles", "x").replace(/x\.yaml$/, "");
  const names = (await readdir(folder)).filter((file) => file.endsWith(".yaml"));
  return names.map((file) => basename(file, ".yaml")).toSorted();
}
