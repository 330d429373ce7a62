import { z } from "zod";

// What may be asked of core over its socket: one JSON line there, one back (docs/design.md, "Control").
// People's questions (status, find, verify, confirm) and the producers' (known, room) share it.

const window = z.strictObject({
  device: z.string().nullable(),
  fromMs: z.int(),
  toMs: z.int(),
});

const found = z.object({
  id: z.string(),
  device: z.string(),
  startedAt: z.string(),
  alternativeStartedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  timeTrust: z.enum(["trusted", "untrusted", "overdue"]),
  dueAt: z.string(),
  bytes: z.number(),
  state: z.enum(["sealed", "stored", "destroying", "destroyed"]),
  hold: z.enum(["none", "asked", "in force"]),
});

const gap = z.object({
  device: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  cause: z.string(),
});

const finding = z.object({ invariant: z.int(), what: z.string() });

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
      deskReadTo: z.number(),
    }),
  },
  find: {
    params: window,
    result: z.object({ segments: z.array(found), gaps: z.array(gap) }),
  },
  "clock.confirm": {
    params: z.strictObject({ timeMs: z.int(), by: z.string().max(64) }),
    result: z.object({ offMs: z.number() }),
  },
  verify: {
    params: z.strictObject({ depth: z.enum(["rows", "sizes", "hashes"]) }),
    result: z.object({ findings: z.array(finding), segments: z.number(), entries: z.number() }),
  },
  known: {
    params: z.strictObject({
      device: z.string(),
      files: z.array(z.strictObject({ path: z.base64(), bytes: z.int(), modifiedAtMs: z.int() })),
    }),
    result: z.object({ known: z.array(z.boolean()) }),
  },
  room: {
    params: z.strictObject({ bytes: z.int() }),
    result: z.object({ granted: z.boolean() }),
  },
} as const;

export type Method = keyof typeof METHODS;
export type Params<M extends Method> = z.output<(typeof METHODS)[M]["params"]>;
export type Result<M extends Method> = z.output<(typeof METHODS)[M]["result"]>;

/** How an answer is read, a method each. @throws ZodError for an answer of another form. */
export const READ: { readonly [M in Method]: (answer: unknown) => Result<M> } = {
  status: (answer) => METHODS.status.result.parse(answer),
  find: (answer) => METHODS.find.result.parse(answer),
  "clock.confirm": (answer) => METHODS["clock.confirm"].result.parse(answer),
  verify: (answer) => METHODS.verify.result.parse(answer),
  known: (answer) => METHODS.known.result.parse(answer),
  room: (answer) => METHODS.room.result.parse(answer),
};

/** One function a method. */
export type Answers = { readonly [M in Method]: (params: Params<M>) => Promise<Result<M>> };

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
