import type { CiphertextSha256 } from "#base/ids";
import type { Instant } from "#base/time";

/** Technical facts kept with an object. Never a person. ASCII only. */
export type ObjectFacts = Readonly<Record<string, string>>;

/** Bytes to store, with the digests taken when they were made: they are never computed again to be trusted. */
export interface ObjectBody {
  /**
   * The bytes, or those of `range`; each call reads them anew, so a try that failed can be made again. A chunk is
   * good only until the next one is asked for: its memory is used again.
   */
  open(range?: ByteRange): AsyncIterable<Uint8Array>;
  /** As `open`, for who sends none of it on: not held up by a limit on what is sent. Left out where there is none. */
  readonly openHere?: ObjectBody["open"];
  readonly bytes: number;
  /** SHA-256 of each 64 MiB part. */
  readonly parts: readonly CiphertextSha256[];
}

/** One version of one object. Footage is found by version, never by key alone. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly bytes: number;
}

/** Bytes [from, to) of an object. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** How an object is to be kept. */
export interface Keeping {
  readonly facts: ObjectFacts;
  /** Held from its first moment. A vault without holds of its own (`plain`) takes no notice. */
  readonly held: boolean;
  /** A `locked` vault destroys it no earlier, whoever asks. Others take no notice. */
  readonly lockedUntil: Instant | undefined;
}

/** Neither held nor locked, and without facts: ledger and desk entries. */
export const FREELY: Keeping = { facts: {}, held: false, lockedUntil: undefined };

/**
 * Who can destroy what lies there.
 * - `directory`: whoever writes there; a version can be held.
 * - `plain`: whoever has the destroyer's credential; the bucket knows no holds.
 * - `locked`: nobody before the lock ends or while held; then the bucket itself. A version can be held.
 */
export type VaultLevel = "directory" | "plain" | "locked";

/** What is still to be seen of a key. After its destruction each number is 0. */
export interface Traces {
  readonly versions: number;
  /** Delete markers: they hold no footage, and hide from those who look by key alone. */
  readonly markers: number;
  readonly unfinished: number;
}

/**
 * Where sealed footage, ledger and desk entries are kept outside this box. Every implementation
 * passes test/contracts/vault.ts. Keys are `[a-z0-9][A-Za-z0-9._-]*` separated by `/`.
 *
 * Every call may throw BewaardError VAULT_UNAVAILABLE (transient): nobody knows what happened, look again.
 */
export interface Vault extends AsyncDisposable {
  readonly level: VaultLevel;
  /**
   * Stores `body` under a key nothing has been stored under, held and locked from its first moment if
   * asked; resolves with the version once the vault was seen to hold the same bytes. The same bytes already
   * there are not an error: their version is returned, and held if asked.
   * @throws BewaardError VAULT_CONFLICT when other bytes are there, VAULT_CORRUPT when what arrived is not
   * what `body` promised (nothing is stored then), VAULT_FULL (transient).
   */
  put(key: string, body: ObjectBody, keeping: Keeping, signal: AbortSignal): Promise<string>;
  /**
   * The bytes of one version, or those of `range` that it has: fewer only past its end.
   * @throws BewaardError VAULT_NOT_FOUND.
   */
  read(
    key: string,
    versionId: string,
    signal: AbortSignal,
    range?: ByteRange,
  ): AsyncIterable<Uint8Array>;
  facts(key: string, versionId: string): Promise<ObjectFacts>;
  /** Every version under exactly this key, oldest first; empty when there is none. */
  versions(key: string): Promise<readonly ObjectVersion[]>;
  /** Every version whose key starts with `prefix` (ending in `/`), in order of key; only of keys behind `after`. */
  list(prefix: string, signal: AbortSignal, after?: string): AsyncIterable<ObjectVersion>;
  /** Keys under `prefix` (ending in `/`) with unfinished writes. */
  unfinished(prefix: string): Promise<readonly string[]>;
  /** Removes the unfinished writes of `key`; one still going on fails. */
  abandon(key: string): Promise<void>;
  /** Removes delete markers of `key` where they hide no version any more. @throws BewaardError VAULT_DENIED. */
  unhide(key: string): Promise<void>;
  /** What is left under exactly this key. */
  traces(key: string): Promise<Traces>;
  /**
   * Resolves once the hold was set, or lifted, and read back.
   * @throws BewaardError VAULT_NOT_FOUND, VAULT_NO_HOLDS where the vault is `plain`, VAULT_DENIED when this
   * credential may not.
   */
  setHold(key: string, versionId: string, held: boolean): Promise<void>;
  /** False, always, where the vault is `plain`. @throws BewaardError VAULT_NOT_FOUND. */
  isHeld(key: string, versionId: string): Promise<boolean>;
  /**
   * Removes one version for good. One that is not there is not an error.
   * @throws BewaardError VAULT_HELD when it is held, VAULT_LOCKED while its lock lasts, VAULT_DENIED when this
   * credential may not: nothing was removed.
   */
  destroy(key: string, versionId: string): Promise<void>;
}
