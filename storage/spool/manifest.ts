import { z } from "zod";
import { BewaardError } from "#base/errors";
import {
  parseCiphertextSha256,
  parseDeviceId,
  parseNodeId,
  parseSegmentId,
  parseSha256,
} from "#base/ids";
import { instantOf, isoOf } from "#base/time";
import { canonical } from "../ledger/canonical.ts";
import { PART_BYTES } from "../seal/part-digests.ts";
import type { Sealed } from "../seal/sealer.ts";

/** A manifest is a fact a producer hands over (docs/format.md). Larger than this is no manifest. */
export const MANIFEST_LIMIT_BYTES = 256 * 1024;

const id = z.string().transform(checked(parseSegmentId));
const node = z.string().transform(checked(parseNodeId));
const device = z.string().transform(checked(parseDeviceId));
// A time before 1970-01-02 or after 9999 is no recording's, and has no place in a vault key.
const time = z
  .string()
  .regex(/^(?!1970-01-01)(?:19[7-9]\d|[2-9]\d{3})-/)
  .transform(checked(instantOf));
const count = z.int().min(0);
const short = z.string().regex(/^[\x20-\x7e]{0,200}$/);

const common = {
  bewaard: z.literal("manifest/1"),
  id,
  node,
  producer: z.string().regex(/^[a-z]{1,16}$/),
  device,
  arrivedAt: time,
  /** The same moment by the clock that nobody sets: where wall time was wrong then, it is put right later. */
  arrivedUptime: z.strictObject({ bootId: z.string().regex(/^[\x20-\x7e]{1,64}$/), ms: count }),
};

/** What is known of a recording before its first byte is sealed. */
export const recorded = {
  ...common,
  kind: z.literal("segment"),
  recording: z.strictObject({
    startedAt: time,
    /** The other moment that this local time was, when clocks changed; manifests of 0.1 say nothing. */
    alternativeStartedAt: time.nullable().default(null),
    endedAt: time.nullable(),
    source: z.enum(["name", "container", "modified", "arrival", "stream"]),
    clock: z.strictObject({
      /** What the camera's profile says of its clock. */
      declared: z.enum(["synchronised", "unknown"]),
      /** Camera clock less ours, seen at this docking; null when it cannot be seen. */
      offsetMs: z.int().nullable(),
    }),
  }),
  /** The file on the card; null for a wall camera. `path` is base64 of its bytes. */
  file: z.strictObject({ path: z.base64().max(12_000), modifiedAt: time }).nullable(),
  sealedFor: z.iso.date(),
  rewritten: z.strictObject({ rule: short, version: z.int() }).nullable(),
};

const digests = {
  /** Null when truncated: nobody knows before it is opened. */
  plaintext: z
    .strictObject({ sha256: z.string().transform(checked(parseSha256)), bytes: count })
    .nullable(),
  ciphertext: z.strictObject({
    bytes: count,
    partBytes: z.literal(PART_BYTES),
    parts: z
      .array(z.string().transform(checked(parseCiphertextSha256)))
      .min(1)
      .max(2000),
  }),
  truncated: z.boolean(),
};

const segment = z
  .strictObject({ ...recorded, ...digests })
  .refine((one) => (one.plaintext === null) === one.truncated, {
    path: ["plaintext"],
    message: "is null when truncated, and only then",
  });

const gap = z.strictObject({
  ...common,
  kind: z.literal("gap"),
  startedAt: time,
  endedAt: time,
  cause: z.string().regex(/^[a-z][a-z-]{1,40}$/),
});

const left = z.strictObject({
  ...common,
  kind: z.literal("left"),
  /** `bytes` and `modifiedAt` are null for a folder that cannot be listed. */
  file: z.strictObject({
    path: z.base64().max(12_000),
    bytes: count.nullable(),
    modifiedAt: time.nullable(),
  }),
  code: z.string().regex(/^[A-Z][A-Z_]{1,40}$/),
  decideBy: time,
});

const manifest = z.discriminatedUnion("kind", [segment, gap, left]);

export type Manifest = z.output<typeof manifest>;
export type SegmentManifest = z.output<typeof segment>;
export type LeftManifest = z.output<typeof left>;

/** @throws BewaardError MANIFEST_LIES naming the first field that is not as docs/format.md says. */
export function parseManifest(bytes: Uint8Array): Manifest {
  return parsedAs(manifest, bytes);
}

/** A fact of form `schema` in `bytes`. @throws BewaardError MANIFEST_LIES naming the first field. */
export function parsedAs<T extends z.ZodType>(schema: T, bytes: Uint8Array): z.output<T> {
  const text = textOf(bytes);
  const plain = json(text);
  const parsed = schema.safeParse(plain);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "manifest";
    throw lies(`${field}: ${issue?.message ?? "not as expected"}`);
  }
  // JSON.parse takes the last of two: another reader would see another fact.
  if (namesIn(text) !== fieldsOf(plain)) throw lies("a field comes twice");
  return parsed.data;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw lies("not UTF-8", cause);
  }
}

function json(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (cause) {
    throw lies("not JSON", cause);
  }
}

/** How many names of fields are written in a JSON text. */
function namesIn(text: string): number {
  const strings = text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g);
  return strings.filter(([, colon]) => colon !== undefined).toArray().length;
}

/** How many fields a value has. The schema has passed it, so it is not deep. */
function fieldsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, one) => sum + fieldsOf(one), own);
}

function lies(what: string, cause?: unknown): BewaardError {
  return new BewaardError("MANIFEST_LIES", what, { cause });
}

/** What a manifest says of a file that was sealed to its end. */
export function digestsOf(
  sealed: Sealed,
): Pick<SegmentManifest, "plaintext" | "ciphertext" | "truncated"> {
  const { plaintextSha256, plaintextBytes } = sealed;
  return {
    plaintext: { sha256: plaintextSha256, bytes: plaintextBytes },
    ciphertext: ciphertextOf(sealed),
    truncated: false,
  };
}

/** What a manifest says of the sealed bytes, whether they are all or not. */
export function ciphertextOf({
  ciphertextBytes,
  parts,
}: Pick<Sealed, "ciphertextBytes" | "parts">): SegmentManifest["ciphertext"] {
  return { bytes: ciphertextBytes, partBytes: PART_BYTES, parts: [...parts] };
}

/** The bytes of a manifest file. Reads back as the same manifest. */
export function manifestText(fact: Manifest): string {
  return factText(fact);
}

/** Canonical JSON of a fact, with its times as text, and a newline. */
export function factText(fact: object): string {
  const plain: unknown = JSON.parse(
    JSON.stringify(fact, (key, value: unknown) =>
      /(?:At|By)$/.test(key) && typeof value === "number" ? isoAt(value) : value,
    ),
  );
  return `${canonicalOf(plain)}\n`;
}

function isoAt(ms: number): string {
  return isoOf(instantOf(new Date(ms).toISOString()));
}

function canonicalOf(plain: unknown): string {
  const known = z.json().parse(plain);
  return canonical(known);
}

/** A branded parser as a zod transform: its TypeError or RangeError becomes an issue of that field. */
function checked<T>(parse: (text: string) => T): (text: string, context: z.RefinementCtx) => T {
  return (text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "?" });
      return z.NEVER;
    }
  };
}
