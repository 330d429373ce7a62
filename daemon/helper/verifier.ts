import { BewaardError } from "#base/errors";
import { readTrusted } from "#base/trusted-file";
import { parseVerifier, type VerifierKey } from "../../storage/ledger/note.ts";
import type { HelperPlaces } from "./places.ts";
import { ownUser } from "./record.ts";

const VERIFIER_BYTES = 4096;

/**
 * The public key of the node, that root put there: the one thing the helper believes.
 * @throws BewaardError ORDER_REFUSED where it is not root's alone, NODE_KEY where it is no key.
 */
export async function readVerifier({ verifier }: HelperPlaces): Promise<VerifierKey> {
  const bytes = await readTrusted(verifier, [ownUser()], VERIFIER_BYTES);
  if (Buffer.isBuffer(bytes)) return parseVerifier(bytes.toString());
  throw new BewaardError("ORDER_REFUSED", `the node's public key is ${bytes}`);
}

/** Whether an error says that a list, an order or the key is not to be trusted. */
export function isUntrusted(error: unknown): error is BewaardError {
  return (
    error instanceof BewaardError && (error.code === "ORDER_REFUSED" || error.code === "NODE_KEY")
  );
}
