import { printable } from "#base/printable";
import { type Instant, isoOf } from "#base/time";
import type { Judged } from "../../drivers/bodycam/match.ts";
import type { FileKind } from "../../drivers/bodycam/profile.ts";
import type { Odd } from "../odd-on-card.ts";
import type { RecordingTimes } from "../recording-times.ts";
import type { Room, Trial, Tried, TriedFile } from "../try-card.ts";
import { localTime } from "./shown.ts";

// What people read of `bewaarctl bodycams try`: Dutch first, English beside it.

const KINDS: Readonly<Record<FileKind, string>> = {
  media: "opname / recording",
  sidecar: "bijbestand / sidecar",
  location:
    "plaatsgegevens, alleen bewaard als het beleid het zegt / location, kept only if policy says so",
  other: "ander, gaat mee / other, taken",
  ignored: "overgeslagen / ignored",
};

const SOURCES: Readonly<Record<RecordingTimes["source"], string>> = {
  name: "naam / name",
  container: "container",
  modified: "laatste wijziging / last change",
  arrival: "geen, dus aankomst / none, so arrival",
};

const BY: Readonly<Record<Judged["by"], string>> = {
  usb: "USB",
  volume_label: "label",
  markers: "wat erop staat / what lies on it",
  media: "hoe opnamen heten / what recordings are called",
};

const IS: Readonly<Record<Judged["is"], string>> = {
  so: "ja / yes",
  "not so": "NEE / NO",
  unseen: "niet te zien / cannot be seen",
};

const ODD: Readonly<Record<Odd["what"], string>> = {
  empty: "opname zonder inhoud / recording without a byte",
  "no-time":
    "opname zonder tijd in naam of container / recording without a time in name or container",
  "to-come": "opname uit de toekomst / recording from the future",
  old: "opname van meer dan 28 dagen oud / recording more than 28 days old",
  "never-set": "opname van vóór 2020: klok nooit gezet / recording of before 2020: clock never set",
  "came-twice": "tijd die twee keer kwam, of nooit / time that came twice, or never",
  misfit:
    "opname waarvan de laatste wijziging niet bij begin en einde past: zone, container_time, stamp_is of file_times fout, of een kopie? / recording whose last change does not fit its start and end: zone, container_time, stamp_is or file_times wrong, or a copy?",
  "no-length":
    "opname die eindigt als zij begint: is de tijd in de naam die van het einde (stamp_is)? / recording that ends as it begins: is the time in its name that of its end (stamp_is)?",
  stranger: "geen opname, en niets dat erbij hoort / no recording, and nothing that goes with one",
  "no-text": "naam die geen gewone tekst is / name that is no plain text",
  alone: "bijbestand zonder opname / sidecar without a recording",
};

const FAULTS: Readonly<Record<NonNullable<Tried["clock"]["fault"]>, string>> = {
  right: "goed / right",
  "summer-time": "ZOMER- OF WINTERTIJD / SUMMER OR WINTER TIME",
  reset: "OPNIEUW BEGONNEN, lege batterij? / BEGAN AGAIN, dead battery?",
  wrong: "FOUT / WRONG",
};

/** More than this are not shown one by one. */
const LINES = 40;

export function shownTrial({ tried, others }: Trial): string {
  return [
    ...tried.map(shownTried),
    ...(tried.length > 0
      ? []
      : [
          "geen profiel past; kies er een met --profile, of schrijf er een (docs/docks.md) / no profile matches; name one with --profile, or write one",
          ...others.map(({ profile, judged }) => `  ${profile}: ${shownJudged(judged)}`),
        ]),
  ].join("\n");
}

function shownTried(one: Tried): string {
  const more = one.files.length - LINES;
  return [
    `${one.profile} (${one.called})`,
    `  herkend aan / recognised by: ${shownJudged(one.judged)}`,
    ...shownIdentity(one),
    `  bestanden / files: ${shownCounts(one.files)}`,
    `  klok / clock: ${shownClock(one.clock)}`,
    `  ruimte / room: ${shownRoom(one.room)}`,
    ...one.odd.map(
      ({ what, files, path }) => `  LET OP / CAREFUL: ${files} × ${ODD[what]}: ${path}`,
    ),
    ...one.unread.map(({ path, why }) => `  NIET TE LEZEN / NOT READ: ${path || "."} (${why})`),
    ...one.files.slice(0, LINES).map(shownFile),
    ...(more > 0 ? [`    … en nog / and ${more} (--json toont alles / shows all)`] : []),
  ].join("\n");
}

function shownIdentity({ identity, identityIn }: Tried): readonly string[] {
  if (identity !== null) return [`  camera zegt / says: ${identity}`];
  if (identityIn === null) return [];
  const file = printable(Buffer.from(identityIn));
  return [
    `  LET OP / CAREFUL: identity: ontbreekt, of het patroon past niet / is not there, or the pattern does not fit: ${file}`,
  ];
}

function shownJudged(judged: readonly Judged[]): string {
  return judged.map(({ by, is }) => `${BY[by]}: ${IS[is]}`).join("; ");
}

function shownCounts(files: readonly TriedFile[]): string {
  return kinds
    .map((kind) => {
      const own = files.filter((one) => one.kind === kind);
      return `${own.length} ${KINDS[kind]} (${size(bytesOf(own))})`;
    })
    .join(", ");
}

function shownClock({ declared, offsetMs, fault, setBy }: Tried["clock"]): string {
  const promised =
    declared === "synchronised"
      ? "volgens het profiel gelijk / kept right, by the profile"
      : "volgens het profiel onbekend / unknown, by the profile";
  const seen =
    offsetMs === null || fault === null
      ? "niet te meten / not measurable"
      : `${offsetMs < 0 ? "-" : "+"}${Math.round(Math.abs(offsetMs) / 1000)} s: ${FAULTS[fault]}`;
  const set =
    setBy === null
      ? "niet te zetten / cannot be set"
      : `te zetten met / set by ${printable(Buffer.from(setBy))}`;
  return [promised, seen, set].join("; ");
}

function shownRoom({ freeBytes, bytesPerHour, from, hours }: Room): string {
  const free = `${size(freeBytes)} vrij / free`;
  if (bytesPerHour === null) return `${free}; uren onbekend / hours not known`;
  const said =
    from === "card" ? "berekend van deze kaart / reckoned from this card" : "profiel / profile";
  return `nog ${hours} uur / ${hours} hours left (${free}, ${size(bytesPerHour)} per uur / an hour, ${said})`;
}

function shownFile({ file, kind, times }: TriedFile): string {
  const head = `    ${printable(file.path)}  ${KINDS[kind]}  ${size(file.bytes)}`;
  if (!times) return head;
  const { startedAt, alternativeStartedAt, endedAt, source } = times;
  const or =
    alternativeStartedAt === null ? "" : ` of / or ${localTime(isoOf(alternativeStartedAt))}`;
  const until = endedAt === null ? "" : ` – ${localTime(isoOf(endedAt))}`;
  return `${head}  ${localTime(isoOf(startedAt))}${or}${until} (${SOURCES[source]})`;
}

const kinds = [
  "media",
  "sidecar",
  "location",
  "other",
  "ignored",
] as const satisfies readonly FileKind[];

/** The same as one JSON value (docs/json.md). */
export function trialForPrograms({ tried, others }: Trial): object {
  return {
    tried: tried.map(({ files, ...one }) => ({
      ...one,
      counts: Object.fromEntries(
        kinds.map((kind) => {
          const own = files.filter((file) => file.kind === kind);
          return [kind, { files: own.length, bytes: bytesOf(own) }];
        }),
      ),
      files: files.map(({ file, kind, times }) => ({
        path: printable(file.path),
        kind,
        bytes: file.bytes,
        modifiedAt: isoOf(file.modifiedAt),
        startedAt: iso(times?.startedAt),
        alternativeStartedAt: iso(times?.alternativeStartedAt),
        endedAt: iso(times?.endedAt),
        timeSource: times?.source ?? null,
      })),
    })),
    others,
  };
}

function iso(at: Instant | null | undefined): string | null {
  return at === null || at === undefined ? null : isoOf(at);
}

function bytesOf(files: readonly TriedFile[]): number {
  return files.reduce((sum, { file }) => sum + file.bytes, 0);
}

function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}
