import { z } from "zod";
import { parseDeviceId } from "#base/ids";
import { type Instant, instant, instantOf } from "#base/time";
import { parseBytes, parseDurationMs, parseHours, parseRate } from "./units.ts";

// The kinds of value that the files are made of. Every message says what to write instead. `x-unit` says how
// a value is written: config/plain.ts writes it so again. What is `x-personal` lies apart in the ledger.

const SITE = 'write a short name like "den-haag-handhaving"';
export const siteName = z.string(SITE).regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, SITE);
const PATH = "write an absolute path, starting with /";
export const absolutePath = z.string(PATH).regex(/^\//, PATH).refine(isOneLine, PATH);
const SIZE = 'write a size like "400 GB"';
export const bytes = z
  .string(SIZE)
  .transform(parsedBy(parseBytes, SIZE))
  .meta({ "x-unit": "size" });
const RATE = 'write a rate like "40 Mbit/s"';
export const rate = z
  .string(RATE)
  .transform(parsedBy(parseRate, RATE))
  .refine(
    (bits) => bits >= 100_000,
    'at least "100 kbit/s": a part of an object must still get through',
  )
  .meta({ "x-unit": "rate" });
const HOURS = 'write hours like "07:00-19:00" or "22:00-06:00"';
/** Part of each day, as written. */
export const hours = z.string(HOURS).refine((text) => parseHours(text) !== undefined, HOURS);
const TIME = 'write a time like "28 days" or "72 hours"';
export const duration = z
  .string(TIME)
  .transform(parsedBy(parseDurationMs, TIME))
  .meta({ "x-unit": "time" });
export const day = z.iso
  .date('write a day like "2026-11-01"')
  .transform((text) => instantOf(`${text}T00:00:00.000Z`))
  .meta({ "x-unit": "day" });
const MOMENT = 'write a time with its offset, like "2026-11-22T08:00+01:00"';
/** A time of the clock, where a day is not exact enough. */
export const moment = z
  .string(MOMENT)
  .transform(parsedBy(parseMoment, MOMENT))
  .meta({ "x-unit": "moment" });
const SLUG = 'write a short word in small letters, like "aangifte" or "integriteitsonderzoek"';
/** A word of a closed list. Free text is no such word (AR-05). */
export const slug = z.string(SLUG).regex(/^[a-z0-9][a-z0-9-]{0,62}$/, SLUG);
/** A role of the organisation. It could be written as a person's name; so it is kept as personal. */
export const manager = slug.meta({ "x-personal": true });
const REFERENCE = 'write the number of the document, like "OR-2026-017"';
export const reference = z.string(REFERENCE).regex(/^[A-Za-z0-9][A-Za-z0-9./ -]{0,62}$/, REFERENCE);

const NAMED = 'write a shipped name like "den-haag" or "generic-dcim", or an absolute path';
/** Something that is shipped, by name, or one of the site's own, by path. */
export const named = z
  .string(NAMED)
  .regex(/^(?:\/.*|[a-z0-9-]+)$/, NAMED)
  .refine(isOneLine, NAMED);
const NUMBER = 'write a camera number like "bc-0101"';
export const cameraNumber = z
  .string(NUMBER)
  .transform(parsedBy(attempt(parseDeviceId), NUMBER))
  .describe("The camera's one number (AR-01).");
/** Where a camera is used. Never a person. */
export const placeName = z
  .string()
  .trim()
  .regex(/^[^\p{C}]{1,100}$/u, 'write a place like "Centrum, Leyweg"');
const ADDRESS = 'write an address like "https://tsa.example.nl/", without a name or password in it';
/** An http address without a name or password in it: those would end up in logs. */
export const plainUrl = z.string(ADDRESS).refine(isPlainUrl, ADDRESS);

/** A parser that returns undefined for what it cannot read, as a zod transform. */
export function parsedBy<T>(
  parse: (text: string) => T | undefined,
  advice: string,
): (text: string, context: z.RefinementCtx) => T {
  return (text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: advice });
    return z.NEVER;
  };
}

export function attempt<T>(parse: (text: string) => T): (text: string) => T | undefined {
  return (text) => {
    try {
      return parse(text);
    } catch {
      return undefined;
    }
  };
}

/** No file is named with a control character, and Node refuses one with a zero byte in it. */
function isOneLine(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

/** To the minute, second or millisecond, with the offset that it is of. */
function parseMoment(text: string): Instant | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{3})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text))
    return undefined;
  const wall = `${text.slice(0, 16)}:00.000Z`;
  // Date.parse takes 30 February for a day in March.
  if (attempt(instantOf)(wall) === undefined) return undefined;
  return attempt((valid) => instant(Date.parse(valid)))(text);
}

function isPlainUrl(text: string): boolean {
  const url = attempt((address) => new URL(address))(text);
  return (
    url !== undefined && /^https?:$/.test(url.protocol) && `${url.username}${url.password}` === ""
  );
}

/** For a rule over some fields: it names the first, and waits while one of them is itself wrong. */
export function over(...fields: [string, ...string[]]) {
  return {
    path: [fields[0]],
    params: { rule: true },
    when: ({ issues }: z.core.ParsePayload): boolean =>
      !issues.some((issue) => isAboutOne(issue, fields) && !isOfRule(issue)),
  };
}

function isOfRule(issue: z.core.$ZodRawIssue): boolean {
  return issue.code === "custom" && issue.params?.["rule"] === true;
}

/** About one of `fields`, or about all: what should have fields is something else, and has none. */
function isAboutOne({ path = [], code }: z.core.$ZodRawIssue, fields: readonly string[]): boolean {
  return path.length === 0 ? code === "invalid_type" : fields.includes(String(path[0]));
}
