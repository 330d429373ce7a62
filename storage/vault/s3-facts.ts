import { createHash } from "node:crypto";
import { type CiphertextSha256, parseCiphertextSha256 } from "#base/ids";
import type { ObjectBody, ObjectFacts } from "./vault.ts";

/** Beside the facts, the digest of the bytes: what a version claims to be, before anybody reads it. */
const DIGEST = "sha256";
/** Providers take 2 KiB, names included; some refuse before that. */
const MOST_BYTES = 1536;

/**
 * Facts and digest as they go with an object.
 * @throws TypeError for what would not come back as it went: other than printable ASCII, spaces at an end.
 */
export function metadataOf(facts: ObjectFacts, body: ObjectBody): ObjectFacts {
  const metadata = { ...facts, [DIGEST]: digestOf(body.parts) };
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || !/^(?:[!-~](?:[ -~]*[!-~])?)?$/.test(value))
      throw new TypeError(`not a fact of an object: ${name}`);
  }
  if (DIGEST in facts) throw new TypeError(`${DIGEST} is no fact`);
  if (JSON.stringify(metadata).length > MOST_BYTES) throw new TypeError("too many facts");
  return metadata;
}

export function factsIn(metadata: ObjectFacts): ObjectFacts {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== DIGEST));
}

/** Undefined for an object that was not written by us, or by an attacker who did not care. */
export function digestIn(metadata: ObjectFacts): string | undefined {
  return metadata[DIGEST];
}

/** Of one part its SHA-256; of more, that of their digests, with `-` and their number, as AWS composes them. */
export function digestOf(parts: readonly CiphertextSha256[]): string {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const hash = createHash("sha256");
  for (const part of parts) hash.update(Buffer.from(part, "hex"));
  return `${parseCiphertextSha256(hash.digest("hex"))}-${parts.length}`;
}

/** As providers that keep checksums answer for such an object. */
export function checksumOf(parts: readonly CiphertextSha256[]): string {
  const [hex = "", number] = digestOf(parts).split("-");
  const base64 = Buffer.from(hex, "hex").toString("base64");
  return number === undefined ? base64 : `${base64}-${number}`;
}
