import { DUE_MARGIN_MS, TERM_LIMIT_MS } from "#base/term";
import { type Instant, instant, isoOf } from "#base/time";
import { IS_SOMEWHERE } from "./catalog/nowhere.ts";
import { number, text } from "./catalog/row.ts";
import type { Database, Sql, SqlParams } from "./catalog/sqlite.ts";
import { type Finding, type Findings, openFindings } from "./findings.ts";

/** A query that finds nothing on a box that is well; each row names the thing it found. */
interface Rule {
  readonly invariant: number;
  readonly what: string;
  readonly sql: string;
}

const RULES: readonly Rule[] = [
  {
    // A separate copy that was let go of since was there at the time. What is being destroyed was past its term.
    invariant: 1,
    what: "was wiped from its card and never was in a second place",
    sql: `select id from segment where wiped_at_ms is not null and state = 'sealed'
          and not exists (select 1 from copy where segment_id = segment.id
            and (place = 'secured' or (place = 'vault' and state = 'present')))`,
  },
  {
    invariant: 3,
    what: "is past its term and not held",
    sql: `select id from segment where state <> 'destroyed' and due_provisional = 0 and due_at_ms + ${DUE_MARGIN_MS} < $now
          and coalesce(gone_by_ms, 0) < $now
          and not exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)
          and not (state = 'destroying' and exists (
            select 1 from copy where segment_id = segment.id and place = 'secured' and state <> 'gone'))`,
  },
  {
    // Until then it waits for its medium, or for who destroys it, with an alarm each day.
    invariant: 3,
    what: "was released a term ago and has a separate copy",
    sql: `select segment_id as id from copy where place = 'secured' and state <> 'gone' and (
            select max(coalesce(released_at_ms, 9e15)) from hold where segment_id = copy.segment_id
          ) + ${TERM_LIMIT_MS} < $now`,
  },
  {
    invariant: 4,
    what: "is said to have its separate copy and has none",
    sql: `select segment_id as id from hold where released_at_ms is null and secured_at_ms is not null
          and not exists (select 1 from copy
            where segment_id = hold.segment_id and place = 'secured' and state = 'present')`,
  },
  {
    invariant: 3,
    what: "lies in quarantine past its term",
    sql: `select id from quarantine where destroyed_at_ms is null and due_provisional = 0 and due_at_ms + ${DUE_MARGIN_MS} < $now`,
  },
  {
    invariant: 4,
    what: "is held and yet being destroyed",
    sql: `select id from segment where state in ('destroying', 'destroyed')
          and exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)`,
  },
  {
    // Its box was lost with it, and a catalog put back: the alarm `held-nowhere`, until the desk releases it.
    invariant: 4,
    what: "is held and nowhere any more",
    sql: `select id from segment where state = 'sealed' and not ${IS_SOMEWHERE}
          and exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)`,
  },
  {
    invariant: 5,
    what: "has no ledger entry of its sealing",
    sql: `select segment.id from segment left join entry on entry.seq = segment.entry_seq
          where entry.kind is null or entry.kind <> 'segment.sealed'
            or entry.body ->> 'id' <> segment.id`,
  },
  {
    invariant: 5,
    what: "is an open duty without its ledger entry",
    sql: `select duty.id from duty left join entry on entry.seq = duty.entry_seq
          where opened_at_ms is not null and (entry.kind is null or entry.kind <> 'duty.opened'
            or entry.body ->> 'id' <> duty.id)`,
  },
  {
    invariant: 5,
    what: "is a bodycam whose pairing has no ledger entry",
    sql: `select device_id as id from bodycam left join entry on entry.seq = bodycam.entry_seq
          where entry.kind is null or entry.body ->> 'device' <> device_id
            or (retired_at_ms is not null) <> (entry.kind = 'bodycam.retired')
            or entry.kind not in ('bodycam.paired', 'bodycam.retired', 'bodycam.volume-changed', 'bodycam.identified')`,
  },
  ...(["stored", "destroying", "destroyed"] as const).map((kind) => ({
    invariant: 5,
    what: `is ${kind} and no batch says so`,
    sql: `select id from segment where state = '${kind}' and not exists (
            select 1 from batch_row join batch on batch.id = batch_row.batch_id
            where batch_row.segment_id = segment.id and batch.kind = '${kind}')`,
  })),
  {
    invariant: 6,
    what: "is sealed and has no spool copy",
    sql: `select id from segment where state = 'sealed' and not exists (
            select 1 from copy where segment_id = segment.id and place = 'spool' and state = 'present')
          and (${IS_SOMEWHERE} or not exists (
            select 1 from hold where segment_id = segment.id and released_at_ms is null))`,
  },
  {
    invariant: 6,
    what: "is stored and has no vault copy",
    sql: `select id from segment where state = 'stored' and not exists (
            select 1 from copy where segment_id = segment.id and place = 'vault' and state = 'present')`,
  },
  {
    invariant: 6,
    what: "is destroyed and a copy is not gone",
    sql: `select id from segment where state = 'destroyed' and exists (
            select 1 from copy where segment_id = segment.id and state <> 'gone')`,
  },
];

/** The invariants that catalog rows alone can show, on a snapshot of the catalog. */
export function checkRows(
  database: Database,
  now: Instant,
  onRule: () => void,
): Promise<{ findings: readonly Finding[]; count: number; segments: number }> {
  return database.aside(async (sql) => {
    const findings = openFindings();
    for (const { invariant, what, sql: query } of RULES) {
      const params: SqlParams = query.includes("$now") ? { $now: now } : {};
      // The first to be shown and one more: a catalog that is all wrong must fit in memory.
      for (const row of await sql.all(`${query} limit 1001`, params)) {
        findings.add(invariant, `${text(row, "id")} ${what}`);
      }
      onRule();
    }
    for (const row of await sql.all("select * from pragma_foreign_key_check limit 1001")) {
      findings.add(6, `a row of ${text(row, "table")} refers to nothing`);
    }
    onRule();
    await checkCounts(sql, findings);
    const [ahead] = await sql.all("select at_ms as at from entry order by seq desc limit 1");
    if (ahead && number(ahead, "at") > now + DUE_MARGIN_MS) {
      const at = isoOf(instant(number(ahead, "at")));
      const why = "the clock was ahead then, or is behind now";
      findings.add(10, `the ledger has an entry of ${at}: ${why}`);
    }
    onRule();
    const [count] = await sql.all(
      "select sum(count) as count from segment_count where state <> 'archived'",
    );
    return { findings: findings.first, count: findings.count, segments: number(count, "count") };
  });
}

/** What triggers keep is what counting gives. */
async function checkCounts(sql: Sql, findings: Findings): Promise<void> {
  const [sum] = await sql.all(
    `select (select bytes from spool_use) as kept, (
       select coalesce(sum(bytes), 0) from copy
       where place = 'spool' and state in ('writing', 'present', 'leaving')
     ) as counted`,
  );
  if (number(sum, "kept") !== number(sum, "counted"))
    findings.add(6, "the count of spool bytes is not their sum");
  const wrong = await sql.all(
    `select state from segment_count where state <> 'archived'
       and count <> (select count(*) from segment where state = segment_count.state)`,
  );
  for (const row of wrong) findings.add(6, `the count of ${text(row, "state")} segments is wrong`);
}

/** How many times `checkRows` says that it is further. */
export const ROW_STEPS = RULES.length + 2;
