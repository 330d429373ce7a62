import { z } from "zod";
import { BewaardError } from "#base/errors";
import {
  type NodeKey,
  signNote,
  type VerifierKey,
  verifiedText,
} from "../../storage/ledger/note.ts";

/**
 * The one byte form of a value that was parsed from JSON: RFC 8785, as of ledger entries. By hand, because
 * what runs as root loads no library that it can do without; numbers here are whole, keys are ASCII.
 */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    isRecord(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** `value` as a signed note of the node. Nothing that a checkpoint could be taken for: it begins with a brace. */
export function signedNote(key: NodeKey, value: unknown): string {
  return signNote(key, `${canonicalText(value)}\n`);
}

/**
 * What core signed, checked against its form.
 * @throws BewaardError ORDER_REFUSED when it is not signed with the key of `verifier`, or of another form.
 */
export function readSigned<Schema extends z.ZodType>(
  verifier: VerifierKey,
  note: string,
  schema: Schema,
): z.output<Schema> {
  const text = verifiedText(verifier, note);
  if (text === undefined) throw refused("not signed with this node's key");
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof z.ZodError)) throw cause;
    throw refused("signed, and of another form than this version knows", cause);
  }
}

export function refused(why: string, cause?: unknown): BewaardError {
  return new BewaardError("ORDER_REFUSED", why, { cause });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
