import { createHash } from "node:crypto";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseHoldId, parseNodeId, parsePersonId, parseSegmentId } from "#base/ids";
import { instantOf, isoOf } from "#base/time";
import { canonical } from "../../storage/ledger/canonical.ts";

// Entries of the desk's chain (docs/format.md, "Desk entry"). Boxes obey these, so they carry nothing
// that names a person beyond a pseudonym; what people wrote lies sealed beside them.

const time = z.string().transform((text, context) => {
  try {
    return instantOf(text);
  } catch {
    context.addIssue({ code: "custom", message: "not a UTC time" });
    return z.NEVER;
  }
});

const branded = <T>(parse: (text: string) => T) =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "?" });
      return z.NEVER;
    }
  });

// No control character, and no half of a surrogate pair: canonical JSON has no form for one.
const short = z.string().regex(/^[^\p{C}]{1,200}$/u);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const target = z.strictObject({ node: branded(parseNodeId), id: branded(parseSegmentId) });

const command = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("init"),
    demo: z.boolean(),
    people: z.array(branded(parsePersonId)).min(1),
    nodes: z.array(short),
  }),
  z.strictObject({
    kind: z.literal("hold"),
    hold: branded(parseHoldId),
    incident: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,40}$/),
    purpose: short,
    ground: short,
    owner: branded(parsePersonId),
    reviewAt: time,
    segments: z.array(target).min(1).max(10_000),
    /** SHA-256 over salt and detail: reason and reference, sealed at `desk/detail/`. */
    detail: sha256,
  }),
  z.strictObject({ kind: z.literal("release"), hold: branded(parseHoldId) }),
  /** A medium is destroyed, or what it had of some segments: two people sign the same (invariant 12). */
  z.strictObject({
    kind: z.literal("medium.destroyed"),
    medium: short,
    serial: short,
    segments: z.union([z.literal("all"), z.array(target).min(1).max(10_000)]),
    /** The entry of who signed first, by number and link; null when this is the first. */
    confirms: z.strictObject({ number: z.int().min(1), link: sha256 }).nullable(),
  }),
  z.strictObject({ kind: z.literal("open"), segment: target, purpose: short }),
]);

const entry = z.strictObject({
  bewaard: z.literal("desk/1"),
  site: short,
  number: z.int().min(1),
  /** SHA-256 of the object before this one; null for the first. */
  previous: sha256.nullable(),
  at: time,
  expiresAt: time,
  nonce: z.base64().length(24),
  by: branded(parsePersonId),
  command,
});

export type DeskEntry = z.output<typeof entry>;
export type DeskCommand = z.output<typeof command>;

/** What is signed: one line of canonical JSON. */
export function deskEntryText(value: DeskEntry): string {
  const plain: unknown = JSON.parse(
    JSON.stringify(value, (key, field: unknown) =>
      (key === "at" || key.endsWith("At")) && typeof field === "number"
        ? isoOf(instantOf(new Date(field).toISOString()))
        : field,
    ),
  );
  return canonical(z.json().parse(plain));
}

/** Entry and signature as one object: the line, and the SSH signature over it. */
export function joinSigned(text: string, signature: string): string {
  return `${text}\n${signature}`;
}

/** One armoured signature and nothing else: what follows it would change the link and not the signature. */
export const SIGNATURE =
  /^-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]{1,20000}-----END SSH SIGNATURE-----\n?$/;

/** @throws BewaardError DESK_TAMPERED when the object has not the form of a desk entry. */
export function splitSigned(object: string): { text: string; signature: string; entry: DeskEntry } {
  const end = object.indexOf("\n");
  const text = end < 0 ? object : object.slice(0, end);
  const parsed = entry.safeParse(json(text));
  if (!parsed.success || deskEntryText(parsed.data) !== text) {
    throw new BewaardError("DESK_TAMPERED", "a desk entry has not the form it was signed in");
  }
  const signature = object.slice(end + 1);
  if (end < 0 || !SIGNATURE.test(signature)) {
    throw new BewaardError("DESK_TAMPERED", "a desk entry has not one signature after it");
  }
  return { text, signature, entry: parsed.data };
}

/** The chain's link: SHA-256 of the whole object. */
export function linkOf(object: string): string {
  return createHash("sha256").update(object).digest("hex");
}

function json(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    return undefined;
  }
}
