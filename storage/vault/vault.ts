import type { CiphertextSha256 } from "#base/ids";

/** Technical facts kept with an object. Never a person. ASCII only. */
export type ObjectFacts = Readonly<Record<string, string>>;

/** Bytes to store, with the digests taken when they were made: they are never computed again to be trusted. */
export interface ObjectBody {
  open(): AsyncIterable<Uint8Array>;
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

/**
 * Where sealed footage, ledger and desk entries are kept outside this box. Every implementation
 * passes test/contracts/vault.ts. Keys are `[a-z0-9][A-Za-z0-9._-]*` separated by `/`.
 *
 * Every call may throw BewaardError VAULT_UNAVAILABLE (transient): nobody knows what happened, look again.
 */
export interface Vault extends AsyncDisposable {
  /**
   * Stores `body` under a key nothing has been stored under, held from its first moment if asked;
   * resolves with the version once the vault was seen to hold the same bytes. The same bytes already
   * there are not an error: their version is returned, and held if asked.
   * @throws BewaardError VAULT_CONFLICT when other bytes are there, VAULT_CORRUPT when what arrived is not
   * what `body` promised (nothing is stored then), VAULT_FULL (transient).
   */
  put(
    key: string,
    body: ObjectBody,
    facts: ObjectFacts,
    held: boolean,
    signal: AbortSignal,
  ): Promise<string>;
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
  /** Every version whose key starts with `prefix` (ending in `/`), in order of key. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectVersion>;
  /** Keys under `prefix` (ending in `/`) with unfinished writes. */
  unfinished(prefix: string): Promise<readonly string[]>;
  /** Removes the unfinished writes of `key`; one still going on fails. */
  abandon(key: string): Promise<void>;
  /** Resolves once the hold was set, or lifted, and read back. @throws BewaardError VAULT_NOT_FOUND. */
  setHold(key: string, versionId: string, held: boolean): Promise<void>;
  /** @throws BewaardError VAULT_NOT_FOUND. */
  isHeld(key: string, versionId: string): Promise<boolean>;
  /**
   * Removes one version for good. One that is not there is not an error.
   * @throws BewaardError VAULT_HELD when it is held: nothing was removed.
   */
  destroy(key: string, versionId: string): Promise<void>;
}
