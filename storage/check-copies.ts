import { createReadStream } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { parseSegmentId, type SegmentId } from "#base/ids";
import { optional, text } from "./catalog/row.ts";
import { type Segment, segmentOfRow } from "./catalog/segments.ts";
import type { Database } from "./catalog/sqlite.ts";
import type { Depth, Kept } from "./check.ts";
import { type Finding, openFindings } from "./findings.ts";
import { beginsAsAge, beginsAsAgeIn } from "./seal/begins.ts";
import { openPartDigests } from "./seal/part-digests.ts";
import { segmentPath } from "./spool/spool.ts";
import { footageKey, footagePrefix, segmentOf } from "./vault/keys.ts";

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
  for await (const found of strangersInSpool(kept)) addAll([found]);
  for await (const found of strangersInVault(kept, signal)) addAll([found]);
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

async function checkSpoolCopy(kept: Kept, segment: Segment, depth: Depth): Promise<Finding[]> {
  const path = segmentPath(kept.spool, segment.id, segment.arrivedAt);
  const bytes = await sizeOf(path);
  if (bytes === undefined) {
    // Evicted or destroyed since its row was read.
    return (await stillPresent(kept.database, segment.id, "spool"))
      ? [{ invariant: 6, what: `${segment.id} is not in the spool` }]
      : [];
  }
  if (bytes !== segment.ciphertextBytes) {
    return [
      {
        invariant: 6,
        what: `${segment.id} has ${bytes} bytes in the spool, not ${segment.ciphertextBytes}`,
      },
    ];
  }
  if (!(await beginsAsAge(path))) {
    return [{ invariant: 2, what: `${segment.id} in the spool does not begin as an age file` }];
  }
  if (depth !== "hashes") return [];
  return (await sameParts(createReadStream(path, { highWaterMark: 1 << 20 }), segment))
    ? []
    : [{ invariant: 6, what: `${segment.id} in the spool is not the bytes that were sealed` }];
}

async function checkVaultCopy(
  { vault, node, database }: Kept,
  { segment, versionId, held }: Row,
  depth: Depth,
  signal: AbortSignal,
): Promise<Finding[]> {
  const key = footageKey(node, segment.device, segment.startedAt, segment.id);
  const version = (await vault.versions(key)).find((one) => one.versionId === versionId);
  if (!version) {
    return (await stillPresent(database, segment.id, "vault"))
      ? [{ invariant: 6, what: `${segment.id} is not in the vault` }]
      : [];
  }
  const findings: Finding[] = [];
  if (!(await beginsAsAgeIn(vault, version, signal))) {
    findings.push({
      invariant: 2,
      what: `${segment.id} in the vault does not begin as an age file`,
    });
  }
  if (version.bytes !== segment.ciphertextBytes) {
    findings.push({ invariant: 6, what: `${segment.id} has ${version.bytes} bytes in the vault` });
  }
  if (held && !(await vault.isHeld(key, version.versionId))) {
    findings.push({ invariant: 4, what: `${segment.id} is held and the vault does not hold it` });
  }
  if (
    depth === "hashes" &&
    !(await sameParts(vault.read(key, version.versionId, signal), segment))
  ) {
    findings.push({
      invariant: 6,
      what: `${segment.id} in the vault is not the bytes that were sealed`,
    });
  }
  return findings;
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

async function sameParts(bytes: AsyncIterable<Uint8Array>, segment: Segment): Promise<boolean> {
  const digests = openPartDigests();
  for await (const chunk of bytes) digests.update(chunk);
  return digests.finish().parts.join() === segment.parts.join();
}

/** Files in the ring that no row speaks of. */
async function* strangersInSpool({ spool, database }: Kept): AsyncGenerator<Finding> {
  const root = join(spool.path, "segments");
  for await (const day of await opendir(root)) {
    for await (const file of await opendir(join(root, day.name))) {
      const [, id] = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.age$/.exec(file.name) ?? [];
      const known = id !== undefined && (await copyKnown(database, parseSegmentId(id), "spool"));
      if (!known) yield { invariant: 6, what: `segments/${day.name}/${file.name} has no row` };
    }
  }
}

function stranger(key: string): Finding {
  return { invariant: 6, what: `${key} in the vault has no row` };
}

/** Versions and unfinished writes in the vault that no row speaks of. */
async function* strangersInVault(
  { vault, node, database }: Kept,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const prefix = footagePrefix(node);
  const unknown = async (key: string): Promise<boolean> => {
    const id = segmentOf(key);
    return id === undefined || !(await copyKnown(database, id, "vault"));
  };
  for (const key of await vault.unfinished(prefix)) if (await unknown(key)) yield stranger(key);
  let last = "";
  for await (const { key } of vault.list(prefix, signal)) {
    if (key !== last && (await unknown(key))) yield stranger(key);
    last = key;
  }
}

async function copyKnown(
  database: Database,
  id: SegmentId,
  place: "spool" | "vault",
): Promise<boolean> {
  const found = await database.transaction((sql) =>
    sql.all("select 1 from copy where segment_id = $id and place = $place and state <> 'gone'", {
      $id: id,
      $place: place,
    }),
  );
  return found.length > 0;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
