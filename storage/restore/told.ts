import { z } from "zod";
import { parseCiphertextSha256, parseDeviceId, parseHoldId, parseSegmentId } from "#base/ids";
import { instantOf } from "#base/time";

// What an entry tells, as it is read back. Entries of a newer release may say more.

const facts = z.looseObject({ at: z.string(), kind: z.string().min(1) });

/** When and of what kind an entry is, with all it says. Throws what JSON and zod throw. */
export function factsOf(body: string): z.output<typeof facts> {
  return facts.parse(JSON.parse(body));
}

/** What `value` says as `schema` has it; undefined when it says something else. */
export function read<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> | undefined {
  try {
    return schema.parse(value);
  } catch (error) {
    // Ids and times are read by their own parsers, which throw these.
    const foreseen =
      error instanceof z.ZodError || error instanceof TypeError || error instanceof RangeError;
    if (foreseen) return undefined;
    throw error;
  }
}

const moment = z.string().transform(instantOf);
const device = z.string().transform(parseDeviceId);
const segment = z.string().transform(parseSegmentId);
const hold = z.string().transform(parseHoldId);
const usbId = z.string().regex(/^[0-9a-f]{4}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
// Of FAT and exFAT.
const volume = z
  .string()
  .regex(/^[0-9A-F]{4}-[0-9A-F]{4}$/)
  .nullable();
const trust = z.enum(["trusted", "untrusted", "overdue"]);

export const TOLD = {
  "device.paired": z.object({ device, type: z.enum(["bodycam", "camera"]), pairedAt: moment }),
  "device.placed": z.object({ device, place: z.string().nullable() }),
  "bodycam.identified": z.object({ device, idFileSha256: sha256 }),
  "bodycam.paired": z.object({
    device,
    vendor: usbId,
    product: usbId,
    serial: z
      .string()
      .regex(/^\P{C}{1,126}$/u)
      .nullable(),
    volume,
    idFileSha256: sha256.nullable(),
    profile: z.string(),
    by: z.string(),
  }),
  "bodycam.retired": z.object({ device }),
  "bodycam.volume-changed": z.object({ device, is: volume }),
  "card.emptied": z.object({ device, emptiedAt: moment }),
  "card.returned": z.object({ segment }),
  "card.wiped": z.object({ removed: z.array(segment) }),
  "segment.sealed": z.object({
    id: segment,
    device,
    startedAt: moment,
    // From 0.2.
    alternativeStartedAt: moment.nullish(),
    endedAt: moment.nullable(),
    timeSource: z.string(),
    timeTrust: trust,
    arrivedAt: moment,
    dueAt: moment,
    dueProvisional: z.boolean(),
    plaintextSha256: z.string().nullable(),
    plaintextBytes: z.number().nullable(),
    ciphertextBytes: z.number(),
    parts: z.array(z.string().transform(parseCiphertextSha256)),
    sealedFor: z.string(),
    truncated: z.boolean(),
    // From 0.4.
    producer: z.string().nullish(),
    clock: z
      .object({ declared: z.enum(["synchronised", "unknown"]), offsetMs: z.number().nullable() })
      .nullish(),
    rewritten: z.json().nullish(),
  }),
  "segment.term": z.object({ id: segment, timeTrust: trust, dueAt: moment }),
  "gap.recorded": z.object({
    id: segment,
    device,
    startedAt: moment,
    endedAt: moment,
    cause: z.string(),
  }),
  "manifest.quarantined": z.object({
    id: z.string(),
    producer: z.string(),
    code: z.string(),
    dueAt: moment,
  }),
  "quarantine.destroyed": z.object({ id: z.string() }),
  "hold.requested": z.object({
    hold,
    incident: z.string(),
    desk: z.number(),
    // From 0.4.
    owner: z.string().nullish(),
    segments: z.array(segment),
    reviewAt: moment,
  }),
  "hold.in-force": z.object({ hold, segment }),
  "hold.lost": z.object({ segment }),
  "hold.secured": z.object({
    hold,
    segment,
    medium: z.string(),
    serial: z.string(),
    identity: z.string(),
    sha256: z.string(),
  }),
  "medium.destroyed": z.object({
    medium: z.string(),
    serial: z.string(),
    whole: z.boolean(),
    ended: z.array(segment).nullish(),
  }),
  "secured.destroyed": z.object({ segment, versions: z.number() }),
  "secured.lost": z.object({ segment }),
  "hold.released": z.object({ hold, desk: z.number() }),
  "checkpoint.timestamped": z.object({ size: z.number(), toldAt: moment, sha256: z.string() }),
  "duty.opened": z.object({
    id: z.string(),
    duty: z.string(),
    device,
    decision: z.string(),
    startedAt: moment,
    endedAt: moment,
  }),
  "duty.done": z.object({ id: z.string(), by: z.string(), reference: z.string() }),
  "incident.marked": z.object({
    id: z.string(),
    device,
    startedAt: moment,
    endedAt: moment,
    by: z.string(),
  }),
  "breach.overdue": z.object({
    what: z.string(),
    place: z.string(),
    since: moment,
    discoveredAt: moment,
  }),
  "rows.archived": z.object({
    batch: z.number(),
    key: z.string(),
    first: z.number(),
    last: z.number(),
    sha256: z.string(),
    bytes: z.number(),
    root: z.string(),
  }),
} as const;

/** Kinds that make or change a row of the catalog. The others are told by their entry alone. */
export type ToldKind = keyof typeof TOLD;

export type Told<Kind extends ToldKind> = z.output<(typeof TOLD)[Kind]>;

export function isTold(kind: string): kind is ToldKind {
  return Object.hasOwn(TOLD, kind);
}
