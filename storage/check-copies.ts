import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { optional, text } from "./catalog/row.ts";
import { type Segment, segmentOfRow } from "./catalog/segment-row.ts";
import type { Database } from "./catalog/sqlite.ts";
import type { Depth, Kept } from "./check.ts";
import { rowlessInSpool, rowlessInVault } from "./check-rowless.ts";
import { type Finding, openFindings } from "./findings.ts";
import { beginsAsAge, beginsAsAgeIn } from "./seal/begins.ts";
import { sameParts } from "./seal/part-digests.ts";
import { segmentPath } from "./spool/spool.ts";
import { footageKey } from "./vault/keys.ts";

const PAGE = 1000;

interface Row {
  readonly segment: Segment;
  readonly spool: string | undefined;
  readonly vault: string | undefined;
  readonly versionId: string | undefined;
  readonly held: boolean;
}

/** Catalog = world (invariant 6): every copy is there as recorded, and nothing else is. */
export async function checkCopies(
  kept: Kept,
  depth: Depth,
  onSegment: (done: number) => void,
  signal: AbortSignal,
): Promise<{ findings: readonly Finding[]; count: number }> {
  const findings = openFindings();
  const addAll = (found: readonly Finding[]): void => {
    for (const { invariant, what } of found) findings.add(invariant, what);
  };
  let done = 0;
  for await (const row of rows(kept.database)) {
    signal.throwIfAborted();
    if (row.spool === "present") addAll(await checkSpoolCopy(kept, row.segment, depth));
    if (row.vault === "present") addAll(await checkVaultCopy(kept, row, depth, signal));
    done += 1;
    onSegment(done);
  }
  for await (const found of rowlessInSpool(kept)) addAll([found]);
  for await (const found of rowlessInVault(kept, signal)) addAll([found]);
  return { findings: findings.first, count: findings.count };
}

async function* rows(database: Database): AsyncGenerator<Row> {
  let after = "";
  for (;;) {
    const found = await database.transaction((sql) =>
      sql.all(
        `select segment.*, spool.state as spool, vault.state as vault, vault.version_id,
           exists (select 1 from hold where segment_id = segment.id and released_at_ms is null
             and in_force_at_ms is not null) as held
         from segment
         left join copy spool on spool.segment_id = segment.id and spool.place = 'spool'
         left join copy vault on vault.segment_id = segment.id and vault.place = 'vault'
         where segment.id > $after and segment.state <> 'destroyed' order by segment.id limit ${PAGE}`,
        { $after: after },
      ),
    );
    for (const row of found) {
      after = text(row, "id");
      yield {
        segment: segmentOfRow(row),
        spool: optional(row, "spool", text),
        vault: optional(row, "vault", text),
        versionId: optional(row, "version_id", text),
        held: row["held"] === 1,
      };
    }
    if (found.length < PAGE) return;
  }
}

/** A copy that has left since its row was read, or leaves while it is read, is no finding. */
async function checkSpoolCopy(kept: Kept, segment: Segment, depth: Depth): Promise<Finding[]> {
  const found = await lookInSpool(kept, segment, depth);
  if (found === undefined) return [];
  return (await stillPresent(kept.database, segment.id, "spool")) ? [found] : [];
}

async function lookInSpool(
  { spool }: Kept,
  segment: Segment,
  depth: Depth,
): Promise<Finding | undefined> {
  const { id, arrivedAt, ciphertextBytes } = segment;
  const path = segmentPath(spool, id, arrivedAt);
  try {
    const { size } = await stat(path);
    if (size !== ciphertextBytes)
      return { invariant: 6, what: `${id} has ${size} bytes in the spool, not ${ciphertextBytes}` };
    if (!(await beginsAsAge(path)))
      return { invariant: 2, what: `${id} in the spool does not begin as an age file` };
    if (depth !== "hashes") return undefined;
    // One byte more than were sealed, and no more, of what may have become endless.
    const bytes = createReadStream(path, { highWaterMark: 1 << 20, end: ciphertextBytes });
    if (await sameParts(bytes, segment.parts)) return undefined;
    return { invariant: 6, what: `${id} in the spool is not the bytes that were sealed` };
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === "ENOENT") return { invariant: 6, what: `${id} is not in the spool` };
    // A producer whose file it is can close it to core: that must not keep anything else from being found.
    return { invariant: 6, what: `${id} in the spool cannot be read (${code})` };
  }
}

/** As for the spool; and a hold that was released meanwhile need not be there any more. */
async function checkVaultCopy(
  kept: Kept,
  row: Row,
  depth: Depth,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const found = await lookInVault(kept, row, depth, signal);
  if (found.length === 0) return found;
  if (!(await stillPresent(kept.database, row.segment.id, "vault"))) return [];
  const held = await stillHeld(kept.database, row.segment.id);
  return found.filter(({ invariant }) => invariant !== 4 || held);
}

async function lookInVault(
  { vault, node }: Kept,
  { segment, versionId, held }: Row,
  depth: Depth,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { id, device, startedAt, ciphertextBytes } = segment;
  const key = footageKey(node, device, startedAt, id);
  const gone = [{ invariant: 6, what: `${id} is not in the vault` }];
  const findings: Finding[] = [];
  try {
    const version = (await vault.versions(key)).find((one) => one.versionId === versionId);
    if (!version) return gone;
    if (!(await beginsAsAgeIn(vault, version, signal)))
      findings.push({ invariant: 2, what: `${id} in the vault does not begin as an age file` });
    if (version.bytes !== ciphertextBytes)
      findings.push({ invariant: 6, what: `${id} has ${version.bytes} bytes in the vault` });
    if (held && vault.level !== "plain" && !(await vault.isHeld(key, version.versionId)))
      findings.push({ invariant: 4, what: `${id} is held and the vault does not hold it` });
    if (
      depth === "hashes" &&
      !(await sameParts(vault.read(key, version.versionId, signal), segment.parts))
    )
      findings.push({ invariant: 6, what: `${id} in the vault is not the bytes that were sealed` });
    return findings;
  } catch (error) {
    if (error instanceof BewaardError && error.code === "VAULT_NOT_FOUND") return gone;
    throw error;
  }
}

async function stillHeld(database: Database, id: SegmentId): Promise<boolean> {
  const found = await database.transaction((sql) =>
    sql.all(
      `select 1 from hold where segment_id = $id and released_at_ms is null
         and in_force_at_ms is not null`,
      { $id: id },
    ),
  );
  return found.length > 0;
}

async function stillPresent(
  database: Database,
  id: SegmentId,
  place: "spool" | "vault",
): Promise<boolean> {
  const found = await database.transaction((sql) =>
    sql.all(
      `select 1 from copy join segment on segment.id = copy.segment_id
       where copy.segment_id = $id and copy.place = $place and copy.state = 'present'
         and segment.state in ('sealed', 'stored')`,
      { $id: id, $place: place },
    ),
  );
  return found.length > 0;
}
