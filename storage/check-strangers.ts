import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { DUE_MARGIN_MS, TERM_LIMIT_MS } from "#base/term";
import { type Instant, MINUTE_MS } from "#base/time";
import { number, optional, text } from "./catalog/row.ts";
import type { Kept } from "./check.ts";
import { type Finding, type Findings, openFindings } from "./findings.ts";
import { beginsAsAge } from "./seal/begins.ts";
import { begunAt } from "./spool/incoming.ts";
import {
  archivePrefix,
  backupAt,
  backupPrefix,
  checkpointKey,
  checkpointPrefix,
  DESK_PREFIX,
} from "./vault/keys.ts";

/** Setting something apart takes less than this. */
const MOVING_MS = MINUTE_MS;

/**
 * What lies beside the ring: incoming/ and quarantine/ (invariants 2, 3 and 6), and the ledger, the
 * archives, the desk's chain and the backups in the vault (invariants 3 and 6).
 */
export async function checkStrangers(
  kept: Kept,
  now: Instant,
  signal: AbortSignal,
): Promise<{ findings: readonly Finding[]; count: number }> {
  const findings = openFindings();
  await checkIncoming(kept, now, findings);
  await checkQuarantine(kept, now, findings);
  await checkCheckpoints(kept, findings, signal);
  await checkArchives(kept, findings, signal);
  await checkDesk(kept, findings, signal);
  await checkBackups(kept, now, findings, signal);
  return { findings: findings.first, count: findings.count };
}

/** A backup knows of footage: past the term it must not be there, whoever was to remove it (invariant 3). */
async function checkBackups(
  { vault, node }: Kept,
  now: Instant,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  for await (const { key } of vault.list(backupPrefix(node), signal)) {
    // What `bewaard check --vault` tried.
    if (key.startsWith(`${backupPrefix(node)}check`)) continue;
    const at = backupAt(key);
    if (at === undefined) findings.add(6, `${JSON.stringify(key)} is no backup of this box`);
    else if (now - at > TERM_LIMIT_MS) findings.add(3, `${key} is older than a term`);
  }
}

async function checkIncoming({ spool }: Kept, now: Instant, findings: Findings): Promise<void> {
  const root = join(spool.path, "incoming");
  for await (const { name } of await opendir(root)) {
    const shown = `incoming/${name}`;
    // Whose it is can close it to core: that must not keep anything else from being found.
    await orClosed(shown, findings, async () => {
      for await (const file of await opendir(join(root, name)))
        await checkOffered(
          `${shown}/${JSON.stringify(file.name)}`,
          join(root, name),
          file.name,
          now,
          findings,
        );
    });
  }
}

async function checkOffered(
  shown: string,
  folder: string,
  name: string,
  now: Instant,
  findings: Findings,
): Promise<void> {
  const path = join(folder, name);
  const since = begunAt(name) ?? (await changedAt(path));
  if (since === undefined) return;
  if (now - since > TERM_LIMIT_MS - DUE_MARGIN_MS)
    findings.add(3, `${shown} has waited longer than a term`);
  if (!name.endsWith(".age")) return;
  await orClosed(shown, findings, async () => {
    if (!(await beginsAsAge(path))) findings.add(2, `${shown} does not begin as an age file`);
  });
}

async function orClosed(
  shown: string,
  findings: Findings,
  look: () => Promise<void>,
): Promise<void> {
  try {
    await look();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || error instanceof BewaardError) throw error;
    findings.add(6, `${shown} cannot be looked at (${code})`);
  }
}

async function checkQuarantine(
  { spool, database }: Kept,
  now: Instant,
  findings: Findings,
): Promise<void> {
  const root = join(spool.path, "quarantine");
  for await (const { name } of await opendir(root)) {
    // The row comes after the files have moved; and core records what a crash left, at its start.
    if (now - (begunAt(`${name}.`) ?? 0) < MOVING_MS) continue;
    const [row] = await database.transaction((sql) =>
      sql.all("select 1 from quarantine where id = $id and destroyed_at_ms is null", { $id: name }),
    );
    if (!row && (await changedAt(join(root, name))) !== undefined)
      findings.add(6, `quarantine/${JSON.stringify(name)} has no row`);
  }
  const rows = await database.transaction((sql) =>
    sql.all(
      // What is due may be leaving this moment.
      `select id from quarantine
       where destroyed_at_ms is null and (due_at_ms > $now or due_provisional = 1) limit 10000`,
      { $now: now },
    ),
  );
  for (const row of rows) {
    const id = text(row, "id");
    if ((await changedAt(join(root, id))) === undefined)
      findings.add(6, `${id} is not in quarantine/`);
  }
}

/** Each published head is in the vault, and each head there is one of ours. */
async function checkCheckpoints(
  { database, vault, node }: Kept,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const heads = () =>
    database.transaction((sql) =>
      sql.all("select size, published_at_ms from checkpoint order by size"),
    );
  const missing = new Set(
    (await heads())
      .filter((row) => optional(row, "published_at_ms", number) !== undefined)
      .map((row) => checkpointKey(node, number(row, "size"))),
  );
  const there: string[] = [];
  for await (const { key } of vault.list(checkpointPrefix(node), signal)) there.push(key);
  // Read again: one may have been signed and put since.
  const known = new Set((await heads()).map((row) => checkpointKey(node, number(row, "size"))));
  for (const key of there) {
    missing.delete(key);
    if (!known.has(key)) findings.add(6, `${key} in the vault has no row`);
  }
  for (const key of missing) findings.add(6, `${key} is published and not in the vault`);
}

async function checkArchives(
  { database, vault, node }: Kept,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const archives = async () => {
    const rows = await database.transaction((sql) =>
      sql.all(
        "select archive_key, archive_bytes, read_back_at_ms from batch where kind = 'archived'",
      ),
    );
    return new Map(rows.map((row) => [text(row, "archive_key"), row]));
  };
  const missing = await archives();
  const there = await Array.fromAsync(vault.list(archivePrefix(node), signal));
  // Read again: one may have been made and put since.
  const known = await archives();
  for (const { key, bytes } of there) {
    const row = known.get(key);
    if (!row) findings.add(6, `${key} in the vault has no row`);
    else if (number(row, "archive_bytes") !== bytes) findings.add(6, `${key} has ${bytes} bytes`);
    missing.delete(key);
  }
  for (const [key, row] of missing) {
    if (optional(row, "read_back_at_ms", number) !== undefined)
      findings.add(6, `${key} is archived and not in the vault`);
  }
}

/** The desk's chain has every number from 1: a missing one hides what was decided. */
async function checkDesk({ vault }: Kept, findings: Findings, signal: AbortSignal): Promise<void> {
  let next = 1;
  for await (const { key } of vault.list(DESK_PREFIX, signal)) {
    const found = Number(key.slice(DESK_PREFIX.length));
    if (found > next) findings.add(6, `desk entry ${next} is not in the vault, and later ones are`);
    next = Math.max(next, found + 1);
  }
}

async function changedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    // Adopted or destroyed since it was listed.
    return undefined;
  }
}
