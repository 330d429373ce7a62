import { BewaardError } from "#base/errors";
import { readText } from "../../storage/vault/body.ts";
import { deskKey } from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { type DeskEntry, linkOf, splitSigned } from "./entry.ts";
import { keySha256Of, signedBy } from "./ssh-signature.ts";

/** How far a reader has followed the chain: the number of the last entry and the link to it. */
export interface ChainHead {
  readonly number: number;
  readonly link: string | null;
}

/** An entry that was checked. */
export interface ChainEntry {
  readonly entry: DeskEntry;
  readonly head: { readonly number: number; readonly link: string };
  /** SHA-256 of the public key that signed it. */
  readonly keySha256: string;
}

export const CHAIN_START: ChainHead = { number: 0, link: null };

/**
 * Yields the entries after `head`, each checked: number, link, site, and the signature of a person the
 * allowed_signers file names. Ends at the first number that is not there.
 * @throws BewaardError DESK_TAMPERED for an entry that is not as signed, DESK_CHAIN_BROKEN when the entry
 * at `head` is gone or another one, VAULT_UNAVAILABLE (transient).
 */
export async function* chainAfter(
  vault: Vault,
  site: string,
  signersPath: string,
  head: ChainHead,
  signal: AbortSignal,
): AsyncGenerator<ChainEntry, void, undefined> {
  if (head.number > 0) await stillThere(vault, head, signal);
  let { number, link } = head;
  for (;;) {
    const object = await readEntry(vault, number + 1, signal);
    if (object === undefined) {
      if (await endsAt(vault, number)) return;
      continue;
    }
    const { text, signature, entry } = splitSigned(object);
    const why =
      entry.number !== number + 1 || entry.previous !== link
        ? "does not follow the one before it"
        : entry.site !== site
          ? "is of another site"
          : !(await signedBy(signersPath, entry.by, text, signature))
            ? "is not signed by somebody this site knows"
            : undefined;
    if (why !== undefined)
      throw new BewaardError("DESK_TAMPERED", `desk entry ${number + 1} ${why}`);
    number += 1;
    link = linkOf(object);
    yield { entry, head: { number, link }, keySha256: keySha256Of(signature) };
  }
}

/** An entry taken out of the chain hides all that follow it; so many numbers on, it is still noticed. */
const LOOK_AHEAD = 16;

/**
 * True when nothing follows `number`; false when the next entry has come meanwhile.
 * @throws BewaardError DESK_CHAIN_BROKEN when later entries are there and the next one is not.
 */
async function endsAt(vault: Vault, number: number): Promise<boolean> {
  for (let later = number + 2; later <= number + LOOK_AHEAD; later += 1) {
    if ((await vault.versions(deskKey(later))).length === 0) continue;
    // Entries are put in order, so by now the one between is there, or was taken away.
    if ((await vault.versions(deskKey(number + 1))).length > 0) return false;
    const message = `desk entry ${number + 1} is missing, and ${later} is there`;
    throw new BewaardError("DESK_CHAIN_BROKEN", message);
  }
  return true;
}

/** A vault that was rolled back, or swapped, shows another chain: nothing in it is obeyed then. */
async function stillThere(vault: Vault, head: ChainHead, signal: AbortSignal): Promise<void> {
  const object = await readEntry(vault, head.number, signal);
  if (object !== undefined && linkOf(object) === head.link) return;
  throw new BewaardError(
    "DESK_CHAIN_BROKEN",
    `desk entry ${head.number}, read before, is gone or changed`,
  );
}

/** The link to entry `number`, or undefined where it is not there: for who knows that it was read before. */
export async function linkAt(
  vault: Vault,
  number: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const object = await readEntry(vault, number, signal);
  return object === undefined ? undefined : linkOf(object);
}

/** A hold on 10,000 segments is under a megabyte. */
const ENTRY_LIMIT_BYTES = 2 * 1024 * 1024;

// Put once: of several versions the first is the entry, whatever somebody wrote over it later.
async function readEntry(
  vault: Vault,
  number: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const key = deskKey(number);
  const [first] = await vault.versions(key);
  if (first !== undefined && first.bytes > ENTRY_LIMIT_BYTES) {
    throw new BewaardError("DESK_TAMPERED", `desk entry ${number} has ${first.bytes} bytes`);
  }
  return first && (await readText(vault, key, first.versionId, signal));
}
