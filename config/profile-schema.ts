import picomatch from "picomatch";
import { z } from "zod";
import { HOUR_MS } from "#base/time";
import { attempt, bytes, duration, over } from "./values.ts";

// How a model of bodycam names and places its files, keeps its clock and is recognised: data, not code
// (docs/docks.md). What has a default may be left out.

const REGEXP = "write a regular expression";
const regexp = z.string(REGEXP).refine(isRegExp, REGEXP);
const GLOB = 'write a glob like "DCIM/**/*.MP4"';
const globs = z.array(z.string(GLOB).min(1, GLOB));
const USB = 'write vendor and product like "0b6a:1234", in small letters';
const BELOW = 'write a path below the root of the card like "MISC/version.txt"';
const below = z.string(BELOW).refine(isBelow, BELOW);
const TEMPLATE =
  "write at most 4 KiB of plain text with {year} {month} {day} {hour} {minute} in it; {second} may be, and no other {word}";

/** The root helper begins no more orders than a dock of 16 slots has at this pace (daemon/helper/orders.ts). */
const AGAIN = 'write how often, "1 hour" at the least';
const ZONE = 'write a zone like "Europe/Amsterdam" or "UTC"';

const profileKeys = z.strictObject({
  name: z.string().describe("What this profile is called."),
  /** Globs of what a recording is called; everything else that is not ignored is taken too. */
  media: z
    .array(z.string())
    .min(1)
    .describe("Globs of what a recording is called; everything else not ignored is taken too."),
  ignore: z.array(z.string()).default([]).describe("Globs of what is no footage."),
  /** How the name encodes the start: named groups year … second; seq is its number. */
  start_in_name: z
    .string()
    .refine(isRegExp, REGEXP)
    .nullable()
    .describe(
      "How the name encodes the start: groups year month day hour minute second, and seq for a number that goes up by one each file; or null.",
    ),
  /** IANA zone the camera's clock keeps. */
  zone: z.string(ZONE).refine(isZone, ZONE).describe("IANA zone that the camera's clock keeps."),
  /** Whether the maker or the dock keeps the clock right. */
  clock: z
    .enum(["synchronised", "unknown"])
    .describe("Whether the maker or the dock keeps the clock right."),
  /** What the creation time in the container is: UTC by its standard, local time by many cameras. */
  container_time: z
    .enum(["utc", "local", "none"])
    .default("none")
    .describe("What the creation time in the container is; none: not to be believed."),
  /** Whether name and container tell the start of a recording, or its end. */
  stamp_is: z
    .enum(["start", "end"])
    .default("start")
    .describe("Whether name and container tell the start of a recording, or its end."),
  /** `local` for a FAT card that is mounted with tz=UTC. */
  file_times: z
    .enum(["utc", "local"])
    .default("utc")
    .describe("What the times of its files are: local for a FAT card mounted with tz=UTC."),
  /** A recording that would be longer has a length that is not its own. */
  longest_recording: duration
    .default(12 * HOUR_MS)
    .describe("A recording that would be longer has a length that is not its own."),
  match: z
    .strictObject({
      usb: z
        .array(z.string(USB).regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/, USB))
        .default([])
        .describe("USB ids of the model: one of them."),
      volume_label: regexp
        .nullable()
        .default(null)
        .describe("What its card's volume label looks like."),
      markers: globs
        .default([])
        .describe("Globs of what lies on its card, empty or not: one of them is there."),
    })
    .prefault({})
    .describe("How a card of this model is recognised: everything named here must be so."),
  sidecars: globs
    .default([])
    .describe("Globs of what a camera puts beside its recordings. Taken like all else."),
  /** Not kept unless policy says so (DH-05). */
  locations: globs
    .default(["**/*.{GPS,NMEA,GPX,KML,SRT}"])
    .describe(
      "Globs of files that tell where a camera was: taken only where policy keeps location.",
    ),
  identity: z
    .strictObject({ file: below, pattern: regexp })
    .nullable()
    .default(null)
    .describe(
      "Where the camera writes which one it is: file, and pattern whose first group, or whole, is it.",
    ),
  clock_file: z
    .strictObject({ path: z.string(GLOB).min(1, GLOB), kind: z.enum(["modified"]) })
    .nullable()
    .default(null)
    .describe(
      "Glob of a file that the camera itself writes at each docking; its time is the clock's.",
    ),
  set_time: z
    .strictObject({
      path: below,
      template: z.string(TEMPLATE).refine(isTemplate, TEMPLATE),
      line_end: z.enum(["lf", "crlf"]),
      zone: z.string(ZONE).refine(isZone, ZONE),
      again: duration
        .refine((ms) => ms >= HOUR_MS, AGAIN)
        .nullable()
        .default(null)
        .meta({ "x-unit": "time" }),
    })
    .nullable()
    .default(null)
    .describe(
      "A file that sets its clock: path, template, line_end (lf, crlf), zone, again (how often while it is docked); or null.",
    ),
  loops_within: duration
    .nullable()
    .default(null)
    .meta({ "x-unit": "time" })
    .describe("It records over its oldest footage within this time by itself; null: it does not."),
  bytes_per_hour: bytes
    .refine((size) => size > 0, 'write a size like "4 GB"')
    .nullable()
    .default(null)
    .meta({ "x-unit": "size" })
    .describe("What an hour of recording takes; null: reckoned from what is on the card."),
  wipe: z
    .enum(["unlink", "overwrite"])
    .default("unlink")
    .describe("Whether a file is only removed from the card, or first written over."),
  /** Invariant 1: what is to have a file before it leaves its card. */
  wipe_after: z
    .enum(["vault", "second-medium", "never"])
    .nullable()
    .default(null)
    .describe(
      "What must have a file before it leaves its card; null: as docks.wipe_after of the box.",
    ),
  limits: z
    .strictObject({
      files: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(100_000)
        .describe(
          "More files are no card of this model: the oldest so many are taken, the rest is told, and the card is never emptied.",
        ),
      bytes: bytes.default(8e12).describe("A file that is larger stays on the card, and is told."),
      depth: z
        .int()
        .min(1)
        .max(64)
        .default(12)
        .describe("Folders deeper than this are not looked into, and told."),
    })
    .prefault({})
    .describe("What a card of this model never goes beyond."),
});

export const profileSchema = profileKeys
  .refine(({ wipe_after, loops_within }) => wipe_after !== "never" || loops_within !== null, {
    ...over("wipe_after", "loops_within"),
    message: "never: only of a model that records over its oldest itself (loops_within)",
  })
  .refine(({ ignore, media }) => ignore.length === 0 || !media.some(ignoredBy(ignore)), {
    ...over("ignore", "media"),
    message: "leaves out what `media` calls a recording: a full card would be called empty",
  })
  // The root helper writes over a small file of that name (invariant 1).
  .refine((profile) => !isWrittenOver(profile), {
    ...over("set_time", "media", "sidecars", "locations", "identity", "clock_file"),
    message:
      "path is a file that `media`, `sidecars`, `locations`, `identity` or `clock_file` speaks of: it would be written over",
  });

export type Profile = z.output<typeof profileSchema>;

function isRegExp(text: string): boolean {
  return attempt((source) => new RegExp(source, "u"))(text) !== undefined;
}

function isZone(zone: string): boolean {
  return attempt((timeZone) => new Intl.DateTimeFormat("en", { timeZone }))(zone) !== undefined;
}

/** Whether a plain name that `media` speaks of is one of those that are left out. */
function ignoredBy(ignore: readonly string[]): (glob: string) => boolean {
  const isIgnored = picomatch([...ignore], { nocase: true, dot: true });
  return (glob) => isIgnored(example(glob));
}

/** Whether the file that sets a clock is one of the camera's own, whatever the case of its letters. */
function isWrittenOver({
  set_time,
  media,
  sidecars,
  locations,
  identity,
  clock_file,
}: z.output<typeof profileKeys>): boolean {
  if (set_time === null) return false;
  const ofCamera = [...media, ...sidecars, ...locations, ...(clock_file ? [clock_file.path] : [])];
  const isNamed = picomatch(ofCamera, { nocase: true, dot: true });
  const isIdentity = identity?.file.toLowerCase() === set_time.path.toLowerCase();
  return isIdentity || isNamed(set_time.path);
}

/** `DCIM/a/a.MP4` for `DCIM/**` and `/*.{MP4,MOV}`. */
function example(glob: string): string {
  return glob
    .replaceAll(/\{([^{},]*)[^{}]*\}/g, "$1")
    .replaceAll(/\[([^\]])[^\]]*\]/g, "$1")
    .replaceAll(/\*+/g, "a")
    .replaceAll("?", "a");
}

/** It never leads out of the card, nor to its root. */
function isBelow(path: string): boolean {
  return (
    !/\p{Cc}/u.test(path) &&
    path.length <= 1024 &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

/** Filled in by daemon/orders/time-file.ts. A time without its day or minute would set a wrong clock. */
function isTemplate(text: string): boolean {
  const words = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, word = ""]) => word);
  const rest = text.replaceAll(/\{[^{}]*\}/g, "");
  return (
    Buffer.byteLength(text) <= 4096 &&
    !/[{}]/.test(rest) &&
    !/(?![\n\t])\p{Cc}/u.test(text) &&
    words.every((word) => [...NEEDED, "second"].includes(word)) &&
    NEEDED.every((word) => words.includes(word))
  );
}

const NEEDED: readonly string[] = ["year", "month", "day", "hour", "minute"];
