import { createHash } from "node:crypto";
import { BewaardError } from "#base/errors";
import { parseCiphertextSha256 } from "#base/ids";
import { openPartDigests } from "../seal/part-digests.ts";
import type { Bucket } from "./bucket.ts";
import type { Piece } from "./s3-answers.ts";
import type { Keeping, ObjectBody } from "./vault.ts";

/** The most that one request may put: 5 GiB. */
const WHOLE_BYTES = 5 * 1024 ** 3;

/**
 * Whether a body of several parts goes up in one request: where only the request that makes a version can lock it.
 * Ceph ignores the lock of an upload in parts, and a credential that may lock afterwards can undo locks there with a
 * date after 2106 (docs/vault.md).
 */
export function goesWhole(bucket: Bucket, body: ObjectBody, { lockedUntil }: Keeping): boolean {
  const lockedByPut = bucket.level === "locked" && bucket.provider !== "aws";
  return lockedByPut && lockedUntil !== undefined && body.bytes <= WHOLE_BYTES;
}

/**
 * A body as one request sends it. Of several parts nobody took the hash of the whole: it is taken here, in a
 * reading of its own that the digests of the parts vouch for, since junk that is locked cannot be taken back.
 * @throws BewaardError VAULT_CORRUPT when the bytes are not those that were sealed.
 */
export async function wholePiece(
  body: ObjectBody,
  key: string,
  signal: AbortSignal,
): Promise<Piece> {
  const open = () => body.open();
  const [only, ...more] = body.parts;
  if (only === undefined) throw new TypeError("a body without parts");
  if (more.length === 0) return { open, bytes: body.bytes, sha256: only };
  const digests = openPartDigests();
  const whole = createHash("sha256");
  for await (const chunk of body.openHere?.() ?? body.open()) {
    signal.throwIfAborted();
    digests.update(chunk);
    whole.update(chunk);
  }
  if (digests.finish().parts.join() !== body.parts.join()) {
    throw new BewaardError("VAULT_CORRUPT", `${key}: not the bytes that were sealed`);
  }
  return { open, bytes: body.bytes, sha256: parseCiphertextSha256(whole.digest("hex")) };
}
