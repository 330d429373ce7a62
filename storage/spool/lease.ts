import { join } from "node:path";
import { BewaardError } from "#base/errors";
import { lockFile } from "../catalog/sqlite.ts";
import type { Role, Spool } from "./spool.ts";

/**
 * Holds `role` on this spool until disposed; the kernel lets go when the process dies, however it dies.
 * @throws BewaardError LEASE_HELD when another process has it.
 */
export async function openLease(spool: Spool, role: Role): Promise<AsyncDisposable> {
  const lease = await lockFile(join(spool.path, "lease", role));
  if (lease) return lease;
  throw new BewaardError(
    "LEASE_HELD",
    `another bewaard runs ${role} on ${spool.path}: stop that one, or leave it to it`,
  );
}
