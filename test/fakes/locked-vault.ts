import { BewaardError } from "#base/errors";
import { DAY_MS, type Instant } from "#base/time";
import type { Vault } from "../../storage/vault/vault.ts";

/** A vault that nobody can empty before its time, and its rule, which a test runs as a bucket would daily. */
export interface LockedVault {
  readonly vault: Vault;
  /** Until when each key is locked; undefined for one that is not. */
  readonly locks: ReadonlyMap<string, Instant | undefined>;
  /** Destroys what has been free of lock and hold for a day. */
  rule: (now: Instant) => Promise<void>;
}

/**
 * The level `locked` over another vault. The real thing is a bucket with Object Lock: test/peers/ runs
 * against one; here it stands in for its 28 days.
 */
export function lockedVault(inner: Vault, signal: AbortSignal): LockedVault {
  const locks = new Map<string, Instant | undefined>();
  const freeSince = new Map<string, Instant>();
  const vault: Vault = {
    ...inner,
    level: "locked",
    async put(key, body, keeping, inSignal) {
      const version = await inner.put(key, body, keeping, inSignal);
      locks.set(key, keeping.lockedUntil);
      return version;
    },
    async destroy(key) {
      throw new BewaardError("VAULT_LOCKED", `${key}: locked, not destroyed`);
    },
  };
  return {
    vault,
    locks,
    async rule(now) {
      for await (const { key, versionId } of inner.list("footage/", signal)) {
        const held = await inner.isHeld(key, versionId);
        if (held || now < (locks.get(key) ?? 0)) freeSince.delete(key);
        else if (now >= (freeSince.get(key) ?? now) + DAY_MS) await inner.destroy(key, versionId);
        else freeSince.set(key, freeSince.get(key) ?? now);
      }
    },
  };
}
