import { z } from "zod";
import { reference, slug } from "../../config/values.ts";
import { DOCK_METHODS } from "./dock-questions.ts";
import { MARK_METHODS } from "./mark-questions.ts";
import { SET_TIME_METHODS } from "./set-time-questions.ts";
import { cardFile, WIPE_METHODS } from "./wipe-questions.ts";

// What may be asked of core over its socket: one JSON line there, one back (docs/design.md, "Control").
// People's questions (status, find, verify, confirm, ledger) and the producers' (known, room) share it.

const window = z.strictObject({
  device: z.string().nullable(),
  fromMs: z.int(),
  toMs: z.int(),
  /** Part of a place's name. */
  place: z.string().min(1).max(100).optional(),
  limit: z.int().min(1).max(10_000).optional(),
  /** `more` of the answer before this one. */
  after: z.string().optional(),
});

const found = z.object({
  id: z.string(),
  device: z.string(),
  place: z.string().nullable(),
  startedAt: z.string(),
  alternativeStartedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  timeSource: z.string(),
  timeTrust: z.enum(["trusted", "untrusted", "overdue"]),
  arrivedAt: z.string(),
  dueAt: z.string(),
  /** A hold that comes later is too late. */
  holdableUntil: z.string(),
  /** Null for a truncated one: nobody has opened it. */
  bytes: z.number().nullable(),
  truncated: z.boolean(),
  state: z.enum(["sealed", "stored", "destroying", "destroyed"]),
  hold: z.enum(["none", "asked", "in force"]),
});

const gap = z.object({
  id: z.string(),
  device: z.string(),
  place: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string(),
  cause: z.string(),
});

const left = z.object({
  id: z.string(),
  device: z.string(),
  name: z.string(),
  code: z.string(),
  decideBy: z.string(),
});

const duty = z.object({
  id: z.string(),
  duty: z.enum(["inform"]),
  device: z.string(),
  decision: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  openedAt: z.string(),
});

const holdState = z.enum(["requested", "in force", "released"]);

const held = z.object({
  id: z.string(),
  incident: z.string(),
  owner: z.string().nullable(),
  state: holdState,
  segments: z.number(),
  inForce: z.number(),
  secured: z.number(),
  toCome: z.number(),
  requestedAt: z.string(),
  reviewAt: z.string(),
  releasedAt: z.string().nullable(),
});

const heldSegment = z.object({
  id: z.string(),
  state: holdState,
  inVaultAt: z.string().nullable(),
  securedAt: z.string().nullable(),
  medium: z.string().nullable(),
  serial: z.string().nullable(),
  copy: z.string().nullable(),
  sha256: z.string().nullable(),
});

const finding = z.object({ invariant: z.int(), what: z.string() });

// A name becomes a file: nothing in it may lead elsewhere.
const proofFile = z.object({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/),
  content: z.base64(),
});

export const METHODS = {
  status: {
    params: z.strictObject({}),
    result: z.object({
      site: z.string(),
      node: z.string(),
      states: z.record(z.string(), z.number()),
      holds: z.object({ requested: z.number(), inForce: z.number() }),
      spoolBytes: z.number(),
      spoolLimitBytes: z.number(),
      clock: z.object({ trusted: z.boolean(), why: z.string() }),
      checkpoint: z.object({ size: z.number(), publishedAt: z.string().nullable() }).nullable(),
      history: z.enum(["one", "diverged", "unknown"]),
      /** What was told and is not over, since when; the longest first. */
      alarms: z.array(z.object({ alarm: z.string(), about: z.string(), since: z.string() })),
      deskReadTo: z.number(),
      left: z.object({ files: z.number(), decideBy: z.string().nullable() }),
      duties: z.object({ open: z.number(), since: z.string().nullable() }),
      /** When the newest backup was made; null where there is none. */
      backupAt: z.string().nullable(),
    }),
  },
  find: {
    params: window,
    result: z.object({
      segments: z.array(found),
      gaps: z.array(gap),
      /** What stays on cameras, of that time or of no known time. */
      left: z.array(left),
      /** Where the next part begins; null when this is all. */
      more: z.string().nullable(),
      /** The start of the first recording this box knows of. */
      knownFrom: z.string().nullable(),
      /** The places that were searched; of every camera where none was named. */
      places: z.array(z.string()),
    }),
  },
  "clock.confirm": {
    params: z.strictObject({ timeMs: z.int(), by: z.string().max(64) }),
    result: z.object({ offMs: z.number() }),
  },
  verify: {
    params: z.strictObject({ depth: z.enum(["rows", "sizes", "hashes"]) }),
    result: z.object({
      findings: z.array(finding),
      more: z.number(),
      segments: z.number(),
      entries: z.number(),
      notes: z.array(z.string()),
    }),
  },
  "ledger.head": {
    params: z.strictObject({}),
    result: z.object({
      vkey: z.string(),
      checkpoint: z.object({ size: z.number(), note: z.string() }).nullable(),
      timestamp: z.object({ size: z.number(), toldAt: z.string(), reply: z.base64() }).nullable(),
    }),
  },
  "ledger.prove": {
    params: z.union([
      z.strictObject({ segment: z.string(), entry: z.null() }),
      z.strictObject({ segment: z.null(), entry: z.int().nonnegative() }),
    ]),
    result: z.object({ files: z.array(proofFile), waiting: z.array(z.string()) }),
  },
  "ledger.verify": {
    params: z.strictObject({}),
    result: z.object({ findings: z.array(finding), entries: z.number() }),
  },
  holds: {
    /** One of them, with its segments; null for all, without. */
    params: z.strictObject({ hold: z.string().nullable() }),
    result: z.object({ holds: z.array(held), segments: z.array(heldSegment) }),
  },
  duties: {
    params: z.strictObject({}),
    result: z.object({ duties: z.array(duty) }),
  },
  "duties.done": {
    params: z.strictObject({ id: z.string(), by: slug, reference }),
    result: z.object({ done: z.string() }),
  },
  known: {
    params: z.strictObject({
      device: z.string(),
      files: z.array(cardFile),
    }),
    result: z.object({ known: z.array(z.boolean()) }),
  },
  room: {
    params: z.strictObject({ bytes: z.int(), urgent: z.boolean() }),
    result: z.object({ granted: z.boolean() }),
  },
  ...DOCK_METHODS,
  ...WIPE_METHODS,
  ...MARK_METHODS,
  ...SET_TIME_METHODS,
} as const;

export type Method = keyof typeof METHODS;
export const EVERY_METHOD: readonly Method[] = Object.keys(METHODS).filter(isMethod);

function isMethod(name: string): name is Method {
  return Object.hasOwn(METHODS, name);
}

export type Params<M extends Method> = z.output<(typeof METHODS)[M]["params"]>;
export type Result<M extends Method> = z.output<(typeof METHODS)[M]["result"]>;

/** How an answer is read, a method each. @throws ZodError for an answer of another form. */
export const READ: { readonly [M in Method]: (answer: unknown) => Result<M> } = {
  status: (answer) => METHODS.status.result.parse(answer),
  find: (answer) => METHODS.find.result.parse(answer),
  "clock.confirm": (answer) => METHODS["clock.confirm"].result.parse(answer),
  verify: (answer) => METHODS.verify.result.parse(answer),
  "ledger.head": (answer) => METHODS["ledger.head"].result.parse(answer),
  "ledger.prove": (answer) => METHODS["ledger.prove"].result.parse(answer),
  "ledger.verify": (answer) => METHODS["ledger.verify"].result.parse(answer),
  holds: (answer) => METHODS.holds.result.parse(answer),
  duties: (answer) => METHODS.duties.result.parse(answer),
  "duties.done": (answer) => METHODS["duties.done"].result.parse(answer),
  "bodycams.mark": (answer) => METHODS["bodycams.mark"].result.parse(answer),
  "bodycams.marks": (answer) => METHODS["bodycams.marks"].result.parse(answer),
  "docks.wipe": (answer) => METHODS["docks.wipe"].result.parse(answer),
  "docks.report": (answer) => METHODS["docks.report"].result.parse(answer),
  "docks.set-time": (answer) => METHODS["docks.set-time"].result.parse(answer),
  known: (answer) => METHODS.known.result.parse(answer),
  room: (answer) => METHODS.room.result.parse(answer),
  bodycams: (answer) => METHODS.bodycams.result.parse(answer),
  "bodycams.pair": (answer) => METHODS["bodycams.pair"].result.parse(answer),
  "bodycams.retire": (answer) => METHODS["bodycams.retire"].result.parse(answer),
  "bodycams.identify": (answer) => METHODS["bodycams.identify"].result.parse(answer),
  docks: (answer) => METHODS.docks.result.parse(answer),
  "docks.news": (answer) => METHODS["docks.news"].result.parse(answer),
  "docks.pairings": (answer) => METHODS["docks.pairings"].result.parse(answer),
};

/** Told now and then by an answer that takes long. */
export type Watch = (done: number, total: number) => void;

/** One function a method. */
export type Answers = {
  readonly [M in Method]: (params: Params<M>, watch: Watch) => Promise<Result<M>>;
};

/** A line before the reply of a question that takes long. */
export const progressLine = z.strictObject({
  progress: z.strictObject({ done: z.number(), total: z.number() }),
});

export const request = z.strictObject({ method: z.string(), params: z.unknown() });

export const reply = z.discriminatedUnion("ok", [
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    code: z.string(),
    message: z.string(),
    transient: z.boolean(),
  }),
]);
