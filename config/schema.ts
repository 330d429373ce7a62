import { z } from "zod";
import { parseDeviceId, parseNodeId, parsePersonId } from "#base/ids";
import { TERM_LIMIT_MS } from "#base/term";
import { DAY_MS, HOUR_MS, instantOf } from "#base/time";
import { parseBytes, parseDurationMs } from "./units.ts";

// Every message says what to write instead. An unknown key is refused: a mistyped limit must not be no limit.

const siteName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'write a short name like "den-haag-handhaving"');
const absolutePath = z.string().regex(/^\//, "write an absolute path, starting with /");
const bytes = z.string().transform(parsedBy(parseBytes, 'write a size like "400 GB"'));
const duration = z
  .string()
  .transform(parsedBy(parseDurationMs, 'write a time like "28 days" or "72 hours"'));
const day = z.iso
  .date('write a day like "2026-11-01"')
  .transform((text) => instantOf(`${text}T00:00:00.000Z`));

const bodycam = z.strictObject({
  number: z
    .string()
    .transform(parsedBy(attempt(parseDeviceId), 'write a camera number like "bc-0101"')),
  /** A folder that stands for the docked camera. */
  folder: absolutePath,
  profile: z.string(),
  paired: day,
});

export const configSchema = z.strictObject({
  site: z.strictObject({
    name: siteName,
    /** A demo site lets one person open and release; it must never hold real footage. */
    demo: z.boolean().default(false),
  }),
  node: z.string().transform(parsedBy(attempt(parseNodeId), 'write a short name like "dock-1"')),
  policy: z.string().default("den-haag"),
  /** Catalog, keys and sockets of this box. */
  state: absolutePath,
  spool: z.strictObject({ path: absolutePath, limit: bytes, keep_free: bytes }),
  vault: z.strictObject({ directory: absolutePath }),
  /** Public day identities, from `bewaarctl desk init`. */
  recipients: absolutePath,
  /** Who may sign desk entries: OpenSSH allowed_signers, from `bewaarctl desk init`. */
  desk_signers: absolutePath,
  /**
   * What may vouch for this box's clock beside `clock confirm`: authenticated time (nts), and, only where
   * it is listed, time that anybody on the way could forge (ntp).
   */
  time: z.strictObject({ sources: z.array(z.enum(["nts", "ntp"])) }).default({ sources: ["nts"] }),
  bodycams: z
    .array(bodycam)
    .default([])
    .refine((all) => new Set(all.map(({ number }) => number)).size === all.length, {
      message: "each camera has one number (AR-01): two entries have the same",
    })
    .refine((all) => new Set(all.map(({ folder }) => folder)).size === all.length, {
      message: "two cameras cannot dock in the same folder",
    }),
});

export const policySchema = z
  .strictObject({
    name: z.string(),
    /** Legal ground of the processing (DH-02, AR-06). */
    ground: z.string(),
    retention: duration
      .refine((ms) => ms <= TERM_LIMIT_MS, {
        message: 'at most "28 days" (DH-06, AR-26): policy can only be shorter',
      })
      .refine((ms) => ms >= DAY_MS, { message: 'at least "1 day"' }),
    /** The longest a camera stays out of its dock: counts where its clock cannot be relied on. */
    longest_undocked: duration,
    /** What footage may be used for: a closed list, free text is refused (DH-03, AR-05). */
    purposes: z.array(z.string()).min(1),
    /** What may be a ground for a hold, and whether it needs a reference (DH-03, DH-04, AR-17). */
    hold_grounds: z.array(z.strictObject({ name: z.string(), reference: z.boolean() })).min(1),
    /** Who footage may be handed to (DH-10, AR-30). */
    recipients: z.array(z.string()).min(1),
  })
  .refine((policy) => policy.longest_undocked <= policy.retention - DAY_MS, {
    path: ["longest_undocked"],
    message: "at least a day shorter than retention",
  });

export const profileSchema = z.strictObject({
  name: z.string(),
  /** Globs of what a recording is called; everything else that is not ignored is taken too. */
  media: z.array(z.string()).min(1),
  ignore: z.array(z.string()).default([]),
  /** How the name encodes the start: named groups year month day hour minute second. */
  start_in_name: z.string().refine(isRegExp, "write a regular expression").nullable(),
  /** IANA zone the camera's clock keeps. */
  zone: z.string().refine(isZone, 'write a zone like "Europe/Amsterdam" or "UTC"'),
  /** Whether the maker or the dock keeps the clock right. */
  clock: z.enum(["synchronised", "unknown"]),
  /** What the creation time in the container is: UTC by its standard, local time by many cameras. */
  container_time: z.enum(["utc", "local", "none"]).default("none"),
  /** Whether name and container tell the start of a recording, or its end. */
  stamp_is: z.enum(["start", "end"]).default("start"),
  /** `local` for a FAT card that is mounted with tz=UTC. */
  file_times: z.enum(["utc", "local"]).default("utc"),
  /** A recording that would be longer has a length that is not its own. */
  longest_recording: duration.default(12 * HOUR_MS),
});

/** A desk station: made by `bewaarctl desk init`, kept beside the keys it names. */
export const deskSchema = z.strictObject({
  site: siteName,
  demo: z.boolean(),
  person: z.string().transform(parsedBy(attempt(parsePersonId), 'write a pseudonym like "p-01"')),
  /** Private SSH key, or a public one whose private half is on a token. */
  sign_key: absolutePath,
  vault: z.strictObject({ directory: absolutePath }),
  policy: z.string(),
  /** Public keys of the boxes, as `bewaard setup` prints them. */
  nodes: z.array(z.string()),
  /** Age recipients of the officers: what people write is sealed to them. */
  officers: z.array(z.string()).min(1),
});

export type Config = z.output<typeof configSchema>;
export type DeskConfig = z.output<typeof deskSchema>;
export type Policy = z.output<typeof policySchema>;
export type Profile = z.output<typeof profileSchema>;

/** A parser that returns undefined for what it cannot read, as a zod transform. */
function parsedBy<T>(
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

function attempt<T>(parse: (text: string) => T): (text: string) => T | undefined {
  return (text) => {
    try {
      return parse(text);
    } catch {
      return undefined;
    }
  };
}

function isRegExp(text: string): boolean {
  return attempt((source) => new RegExp(source, "u"))(text) !== undefined;
}

function isZone(zone: string): boolean {
  return attempt((timeZone) => new Intl.DateTimeFormat("en", { timeZone }))(zone) !== undefined;
}
