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
const short = z.string().max(200);

const common = {
  bewaard: z.literal("manifest/1"),
  id,
  node,
  producer: z.string().regex(/^[a-z]{1,16}$/),
  device,
  arrivedAt: time,
  /** The same moment by the clock that nobody sets: where wall time was wrong then, it is put right later. */
  arrivedUptime: z.strictObject({ bootId: z.string().min(1).max(64), ms: count }),
};

const segment = z.strictObject({
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
  plaintext: z.strictObject({ sha256: z.string().transform(checked(parseSha256)), bytes: count }),
  ciphertext: z.strictObject({
    bytes: count,
    partBytes: z.literal(PART_BYTES),
    parts: z
      .array(z.string().transform(checked(parseCiphertextSha256)))
      .min(1)
      .max(2000),
  }),
  sealedFor: z.iso.date(),
  truncated: z.boolean(),
  rewritten: z.strictObject({ rule: short, version: z.int() }).nullable(),
});

const gap = z.strictObject({
  ...common,
  kind: z.literal("gap"),
  startedAt: time,
  endedAt: time,
  cause: z.string().regex(/^[a-z][a-z-]{1,40}$/),
});

const emptied = z.strictObject({
  ...common,
  kind: z.literal("emptied"),
  emptiedAt: time,
  files: count,
});

const manifest = z.discriminatedUnion("kind", [segment, gap, emptied]);

export type Manifest = z.output<typeof manifest>;
export type SegmentManifest = z.output<typeof segment>;

/** @throws BewaardError MANIFEST_LIES naming the first field that is not as docs/format.md says. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const parsed = manifest.safeParse(json(bytes));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || "manifest";
  throw new BewaardError("MANIFEST_LIES", `${field}: ${issue?.message ?? "not as expected"}`);
}

function json(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (cause) {
    throw new BewaardError("MANIFEST_LIES", "not JSON", { cause });
  }
}

/** The bytes of a manifest file. Reads back as the same manifest. */
export function manifestText(fact: Manifest): string {
  const plain: unknown = JSON.parse(
    JSON.stringify(fact, (key, value: unknown) =>
      key.endsWith("At") && typeof value === "number" ? isoAt(value) : value,
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
