import type { NodeId } from "#base/ids";
import { SECOND_MS } from "#base/time";
import { number, optional, text } from "../catalog/row.ts";
import { type Segment, segmentOfRow } from "../catalog/segment-row.ts";
import type { Database } from "../catalog/sqlite.ts";
import { footageKey } from "../vault/keys.ts";

/** What the catalog says that the vault has, or may have, under one key. */
export interface Expected {
  readonly key: string;
  readonly segment: Segment;
  /** State of its copy in the vault; undefined where there is none. */
  readonly copy: string | undefined;
  readonly versionId: string | undefined;
  readonly held: boolean;
}

const PAGE = 1000;

/** Every segment that is not destroyed, in the order of the keys in the vault: a page of rows at a time. */
export async function* rowsInKeyOrder(
  database: Database,
  node: NodeId,
): AsyncGenerator<Expected, void, undefined> {
  const devices = await database.transaction((sql) => sql.all("select id from device"));
  const names = devices.map((row) => text(row, "id"));
  for (const device of names.toSorted((a, b) => (`${a}/` < `${b}/` ? -1 : 1)))
    yield* rowsOfDevice(database, node, device);
}

async function* rowsOfDevice(database: Database, node: NodeId, device: string) {
  let from = 0;
  let limit = PAGE;
  for (;;) {
    const rows = await page(database, node, device, from, limit);
    const last = rows.at(-1);
    // A key has seconds and then the id: the last second of a page may go on in the next one.
    const cut = last && rows.length === limit ? secondOf(last.segment.startedAt) : undefined;
    const whole = rows.filter(
      ({ segment }) => cut === undefined || secondOf(segment.startedAt) < cut,
    );
    yield* whole.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    if (cut === undefined) return;
    // Cameras whose clock was lost give many recordings of one second.
    limit = whole.length === 0 ? limit * 2 : PAGE;
    from = cut * SECOND_MS;
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / SECOND_MS);
}

async function page(
  database: Database,
  node: NodeId,
  device: string,
  from: number,
  limit: number,
): Promise<readonly Expected[]> {
  // Aside: before the first that is left lie all that were destroyed, which stay longer than a year.
  const rows = await database.aside((sql) =>
    sql.all(
      `select segment.*, copy.state as copy, copy.version_id, exists (
         select 1 from hold where segment_id = segment.id and released_at_ms is null) as held
       from segment left join copy on copy.segment_id = segment.id and copy.place = 'vault'
       where device_id = $device and started_at_ms >= $from and segment.state <> 'destroyed'
       order by started_at_ms limit $limit`,
      { $device: device, $from: from, $limit: limit },
    ),
  );
  return rows.map((row) => {
    const segment = segmentOfRow(row);
    return {
      key: footageKey(node, segment.device, segment.startedAt, segment.id),
      segment,
      copy: optional(row, "copy", text),
      versionId: optional(row, "version_id", text),
      held: number(row, "held") === 1,
    };
  });
}
