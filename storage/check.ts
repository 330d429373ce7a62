import type { NodeId } from "#base/ids";
import type { Instant } from "#base/time";
import type { Database } from "./catalog/sqlite.ts";
import { checkCopies } from "./check-copies.ts";
import { checkLedger } from "./check-ledger.ts";
import { publishedFindings } from "./check-published.ts";
import { checkRows } from "./check-rows.ts";
import type { VerifierKey } from "./ledger/note.ts";
import type { Spool } from "./spool/spool.ts";
import type { Vault } from "./vault/vault.ts";

/** Something that is not as an invariant of docs/design.md says. Reported, never repaired by deleting. */
export interface Finding {
  readonly invariant: number;
  readonly what: string;
}

/** `rows`: the catalog and ledger alone. `sizes`: and every file and object. `hashes`: and their bytes. */
export type Depth = "rows" | "sizes" | "hashes";

export interface Report {
  readonly findings: readonly Finding[];
  readonly segments: number;
  readonly entries: number;
}

/** What is to be checked, and against what. */
export interface Kept {
  readonly database: Database;
  readonly spool: Spool;
  readonly vault: Vault;
  readonly node: NodeId;
  readonly verifier: VerifierKey;
}

/**
 * Checks the invariants of docs/design.md against the world, at one of three costs. An empty list is the
 * answer of a box that is well.
 */
export async function check(
  kept: Kept,
  depth: Depth,
  now: Instant,
  signal: AbortSignal,
): Promise<Report> {
  const rows = await checkRows(kept.database, now);
  const ledger = await checkLedger(kept.database, kept.verifier);
  const copies = depth === "rows" ? [] : await checkCopies(kept, depth, signal);
  const published = depth === "rows" ? [] : await publishedFindings(kept, signal);
  return {
    findings: [...rows.findings, ...ledger.findings, ...published, ...copies],
    segments: rows.segments,
    entries: ledger.entries,
  };
}
