import { instant } from "#base/time";
import { number, text } from "../catalog/row.ts";
import type { Database } from "../catalog/sqlite.ts";
import { REPLAY, REPLAY_FIRST, type Tell } from "./replay-kinds.ts";
import { factsOf, isTold, type ToldKind } from "./told.ts";
import type { IsUnsigned } from "./unsigned.ts";

const PAGE = 2000;

/** What an entry without a head over it may do: make known what else would be forgotten, and end nothing. */
const BELIEVED_UNSIGNED: ReadonlySet<string> = new Set([
  "device.paired",
  "device.placed",
  "duty.opened",
  "gap.recorded",
  "segment.sealed",
] satisfies ToldKind[]);

/** Kinds that tell of copies as well as of holds: of these once more when there are segments. */
const TWICE: ReadonlySet<string> = new Set(["hold.secured", "secured.lost"] satisfies ToldKind[]);

const then = (kind: ToldKind): Tell | undefined =>
  REPLAY_FIRST[kind] === undefined || TWICE.has(kind) ? REPLAY[kind] : undefined;

/**
 * Makes the rows that the entries from `from` on tell of, in their order, holds first.
 * @throws BewaardError LEDGER_BROKEN for a signed entry that says something else than its kind does.
 */
export async function replay(
  database: Database,
  isUnsigned: IsUnsigned,
  from: number,
  signal: AbortSignal,
): Promise<void> {
  await pass(database, isUnsigned, (kind) => REPLAY_FIRST[kind], from, signal);
  await pass(database, isUnsigned, then, from, signal);
}

async function pass(
  database: Database,
  isUnsigned: IsUnsigned,
  how: (kind: ToldKind) => Tell | undefined,
  first: number,
  signal: AbortSignal,
): Promise<void> {
  for (let from = first; ; from += PAGE) {
    signal.throwIfAborted();
    const more = await database.transaction(async (sql) => {
      const rows = await sql.all(
        "select seq, at_ms, kind, body from entry where seq >= $from and seq < $to order by seq",
        { $from: from, $to: from + PAGE },
      );
      for (const row of rows) {
        const kind = text(row, "kind");
        const tell = isTold(kind) ? how(kind) : undefined;
        if (tell === undefined) continue;
        const seq = number(row, "seq");
        const unsigned = isUnsigned(seq);
        if (unsigned && !BELIEVED_UNSIGNED.has(kind)) continue;
        const line = { seq, at: instant(number(row, "at_ms")), unsigned };
        await tell(sql, line, factsOf(text(row, "body")));
      }
      return rows.length === PAGE;
    });
    if (!more) return;
  }
}
