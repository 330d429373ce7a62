import type { NodeId } from "#base/ids";
import type { Instant } from "#base/time";
import { number } from "./catalog/row.ts";
import type { Database } from "./catalog/sqlite.ts";
import { checkCopies } from "./check-copies.ts";
import { checkLedger } from "./check-ledger.ts";
import { publishedFindings } from "./check-published.ts";
import { checkRows, ROW_STEPS } from "./check-rows.ts";
import { checkSecured, type Separate } from "./check-secured.ts";
import { checkStrangers } from "./check-strangers.ts";
import { type Finding, SHOWN } from "./findings.ts";
import type { VerifierKey } from "./ledger/note.ts";
import type { Spool } from "./spool/spool.ts";
import type { Vault } from "./vault/vault.ts";

/** `rows`: the catalog and ledger alone. `sizes`: and every file and object. `hashes`: and their bytes. */
export type Depth = "rows" | "sizes" | "hashes";

export interface Report {
  /** The first of them; `more` were found besides. */
  readonly findings: readonly Finding[];
  readonly more: number;
  readonly segments: number;
  readonly entries: number;
  /** What could not be looked at, and why that is no finding. */
  readonly notes: readonly string[];
}

/** What is to be checked, and against what. */
export interface Kept {
  readonly database: Database;
  readonly spool: Spool;
  readonly vault: Vault;
  readonly node: NodeId;
  readonly verifier: VerifierKey;
  /** The separate medium; undefined where none is configured. */
  readonly secured: Separate | undefined;
}

/** Says how far a check is, in steps that take about as long. */
export type Watch = (done: number, total: number) => void;

const ENTRIES_A_STEP = 100_000;
const SEGMENTS_A_STEP = 1000;

/**
 * Checks the invariants of docs/design.md against the world, at one of three costs. An empty list is the
 * answer of a box that is well.
 */
export async function check(
  kept: Kept,
  depth: Depth,
  now: Instant,
  signal: AbortSignal,
  watch: Watch = () => undefined,
): Promise<Report> {
  const { entries, segments } = await sizes(kept.database);
  const ledgerSteps = Math.ceil(entries / ENTRIES_A_STEP);
  const total = ROW_STEPS + ledgerSteps + (depth === "rows" ? 0 : segments / SEGMENTS_A_STEP);
  let done = 0;
  const rows = await checkRows(kept.database, now, () => watch((done += 1), total));
  const ledger = await checkLedger(kept.database, kept.verifier, (seen) =>
    watch(ROW_STEPS + seen / ENTRIES_A_STEP, total),
  );
  const before = ROW_STEPS + ledgerSteps;
  const step = (seen: number): void => {
    if (seen % 100 === 0) watch(before + seen / SEGMENTS_A_STEP, total);
  };
  const secured = depth === "rows" ? undefined : await checkSecured(kept, depth, signal);
  const world =
    secured === undefined
      ? []
      : [
          secured,
          await checkCopies(kept, depth, step, signal),
          await checkStrangers(kept, now, signal),
          await publishedFindings(kept, signal),
        ];
  const parts = [rows, ledger, ...world];
  const findings = parts.flatMap((part) => part.findings).slice(0, SHOWN);
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  return {
    findings,
    more: count - findings.length,
    segments: rows.segments,
    entries: ledger.entries,
    notes: secured?.notes ?? [],
  };
}

function sizes(database: Database): Promise<{ entries: number; segments: number }> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select (select coalesce(max(seq) + 1, 0) from entry) as entries,
         (select sum(count) from segment_count where state in ('sealed', 'stored', 'destroying')) as segments`,
    );
    return { entries: number(row, "entries"), segments: number(row, "segments") };
  });
}
