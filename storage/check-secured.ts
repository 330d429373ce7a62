import { BewaardError } from "#base/errors";
import { type MediumName, shownMedium } from "./catalog/medium.ts";
import { number, optional, text } from "./catalog/row.ts";
import { type Segment, segmentOfRow } from "./catalog/segment-row.ts";
import type { Database } from "./catalog/sqlite.ts";
import type { Depth, Kept } from "./check.ts";
import { keyKnown } from "./check-rowless.ts";
import { type Finding, type Findings, openFindings } from "./findings.ts";
import { sameParts } from "./seal/part-digests.ts";
import { footageKey, footagePrefix } from "./vault/keys.ts";
import type { Vault } from "./vault/vault.ts";

/** The separate medium that is configured; it may be away. */
export interface Separate extends MediumName {
  readonly vault: Vault;
}

const PAGE = 1000;

interface Row {
  readonly segment: Segment;
  /** Unknown to a catalog that was made again: the ledger has the hash of what lies there, not its name. */
  readonly versionId: string | undefined;
}

/**
 * The separate copies of held footage (invariants 4 and 6): each is where its row says, and nothing is there
 * without a row. A medium that is not here is no finding: `notes` say what could not be looked at.
 */
export async function checkSecured(
  { database, secured, node }: Kept,
  depth: Depth,
  signal: AbortSignal,
): Promise<{ findings: readonly Finding[]; count: number; notes: readonly string[] }> {
  const findings = openFindings();
  const notes: string[] = [];
  for (const { medium, copies } of await copiesByMedium(database)) {
    if (secured && shownMedium(medium) === shownMedium(secured)) continue;
    notes.push(`${copies} separate copies on ${shownMedium(medium)} not looked at: not here`);
  }
  if (secured) {
    try {
      await lookOn(database, secured, node, depth, findings, signal);
    } catch (error) {
      if (!(error instanceof BewaardError && error.transient)) throw error;
      notes.push(`${shownMedium(secured)} not looked at: ${error.code}, ${error.message}`);
    }
  }
  return { findings: findings.first, count: findings.count, notes };
}

async function lookOn(
  database: Database,
  { vault, ...medium }: Separate,
  node: Kept["node"],
  depth: Depth,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const on = `on ${shownMedium(medium)}`;
  for await (const { segment, versionId } of copiesOn(database, medium)) {
    signal.throwIfAborted();
    const { id, device, startedAt, ciphertextBytes } = segment;
    const key = footageKey(node, device, startedAt, id);
    const versions = await vault.versions(key);
    const version =
      versionId === undefined ? versions[0] : versions.find((one) => one.versionId === versionId);
    const wrong =
      version === undefined
        ? `${id} is not ${on}`
        : version.bytes !== ciphertextBytes
          ? `${id} has ${version.bytes} bytes ${on}`
          : depth === "hashes" &&
              !(await sameParts(vault.read(key, version.versionId, signal), segment.parts))
            ? `${id} ${on} is not the bytes that were sealed`
            : undefined;
    // What was released since its row was read may have left.
    if (wrong !== undefined && (await stillPresent(database, segment))) findings.add(4, wrong);
  }
  const prefix = footagePrefix(node);
  const rowless = async (key: string): Promise<boolean> =>
    !(await keyKnown(database, node, key, "secured"));
  for (const key of await vault.unfinished(prefix))
    if (await rowless(key)) findings.add(6, `${key} ${on} has no row, unfinished`);
  for await (const { key, versionId } of vault.list(prefix, signal)) {
    if (!(await rowless(key))) continue;
    const still = (await vault.versions(key)).some((one) => one.versionId === versionId);
    if (still && (await rowless(key))) findings.add(6, `${key} ${on} has no row`);
  }
}

/** What is on this medium by its rows, a page at a time. */
export async function* copiesOn(database: Database, medium: MediumName): AsyncGenerator<Row> {
  let after = "";
  for (;;) {
    const found = await database.transaction((sql) =>
      sql.all(
        `select segment.*, copy.version_id from copy
         join medium on medium.id = copy.medium_id and kind = $kind and serial = $serial
         join segment on segment.id = copy.segment_id
         where copy.place = 'secured' and copy.state = 'present' and segment.id > $after
         order by segment.id limit ${PAGE}`,
        { $after: after, $kind: medium.kind, $serial: medium.serial },
      ),
    );
    for (const row of found) {
      after = text(row, "id");
      yield { segment: segmentOfRow(row), versionId: optional(row, "version_id", text) };
    }
    if (found.length < PAGE) return;
  }
}

async function stillPresent(database: Database, { id }: Segment): Promise<boolean> {
  const found = await database.transaction((sql) =>
    sql.all(
      "select 1 from copy where segment_id = $id and place = 'secured' and state = 'present'",
      { $id: id },
    ),
  );
  return found.length > 0;
}

function copiesByMedium(database: Database) {
  return database.transaction(async (sql) => {
    const found = await sql.all(
      `select medium.kind, medium.serial, count(*) as copies
       from copy join medium on medium.id = copy.medium_id
       where copy.place = 'secured' and copy.state <> 'gone'
       group by medium.id order by medium.id`,
    );
    return found.map((row) => ({
      medium: { kind: text(row, "kind"), serial: text(row, "serial") },
      copies: number(row, "copies"),
    }));
  });
}
