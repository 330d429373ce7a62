import { parseSha256 } from "#base/ids";
import { DUE_MARGIN_MS, TERM_LIMIT_MS } from "#base/term";
import { type Instant, instant, plus } from "#base/time";
import { archivedTo } from "../catalog/archive.ts";
import { insertSegment } from "../catalog/record-sealed.ts";
import type { Sql } from "../catalog/sqlite.ts";
import type { Line } from "./replay-kinds.ts";
import type { Told } from "./told.ts";

/**
 * Makes the row of a segment as it was when it was sealed. What became of it is for `settleStates`. Not of one
 * that left for the archive: its rows lie there, sealed, and this box could not read them.
 */
export async function restoreSegment(
  sql: Sql,
  { seq, unsigned }: Line,
  told: Told<"segment.sealed">,
): Promise<void> {
  if (await hasLeft(sql, seq, told.id)) {
    await sql.run("update segment_count set count = count + 1 where state = 'archived'");
    return;
  }
  const [known] = await sql.all("select 1 from segment where id = $id", { $id: told.id });
  if (known) return;
  const { device, plaintextSha256, plaintextBytes } = told;
  const segment = {
    ...told,
    producer: told.producer ?? (await producerOf(sql, device)),
    alternativeStartedAt: told.alternativeStartedAt ?? undefined,
    endedAt: told.endedAt ?? undefined,
    // Nobody can say what this machine's uptime was then; it counts for a term that is provisional.
    arrivedUptime: { bootId: "", ms: 0 },
    cameraClock: told.clock ?? { declared: "unknown" as const, offsetMs: null },
    dueAt: unsigned ? earlier(told.dueAt, latestDue(told.arrivedAt)) : told.dueAt,
    // A name on a card is nobody's business but this box's; the same bytes are known by their hash.
    sourcePath: undefined,
    sourceModifiedAt: undefined,
    plaintextSha256: plaintextSha256 === null ? undefined : parseSha256(plaintextSha256),
    plaintextBytes: plaintextBytes ?? undefined,
    rewritten: told.rewritten == null ? undefined : JSON.stringify(told.rewritten),
  };
  await insertSegment(sql, segment, seq);
}

async function hasLeft(sql: Sql, seq: number, id: string): Promise<boolean> {
  if (seq >= (await archivedTo(sql))) return false;
  const [stays] = await sql.all(
    `select 1 where exists (select 1 from found where segment_id = $id)
       or exists (select 1 from hold where segment_id = $id and released_at_ms is null)
       or exists (select 1 from batch_row where segment_id = $id)`,
    { $id: id },
  );
  return stays === undefined;
}

/** 0.3 did not say who handed it over: each kind of camera has one. */
async function producerOf(sql: Sql, device: string): Promise<string> {
  const [row] = await sql.all("select kind from device where id = $device", { $device: device });
  return row?.["kind"] === "camera" ? "record" : "dock";
}

/** Nobody signed what it says: it is never kept longer than the law would keep what came that day. */
function latestDue(arrivedAt: Instant): Instant {
  return plus(arrivedAt, TERM_LIMIT_MS - DUE_MARGIN_MS);
}

function earlier(one: Instant, two: Instant): Instant {
  return instant(Math.min(one, two));
}
