import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, parseSegmentId } from "#base/ids";
import { DAY_MS, instant, plus } from "#base/time";
import { archiveDue } from "../storage/catalog/archive.ts";
import { countBreaches, endBreaches } from "../storage/catalog/breaches.ts";
import { closedBatches } from "../storage/catalog/closed-batches.ts";
import { recordNothingWriting, segmentsToStore } from "../storage/catalog/copies.ts";
import {
  countOverdue,
  countStates,
  destroyingSegments,
  dueSegments,
  markDestroying,
  recordDestroyed,
} from "../storage/catalog/due.ts";
import { leavingCopies, markSecured, markStored, spoolBytes } from "../storage/catalog/evict.ts";
import { findGaps, findSegments } from "../storage/catalog/find.ts";
import {
  countHolds,
  holdsComplete,
  holdsToConfirm,
  holdsToLift,
} from "../storage/catalog/holds.ts";
import { segmentsOfHold } from "../storage/catalog/list-holds.ts";
import { heldInVault } from "../storage/catalog/lost-holds.ts";
import { provisionalSegments, recordQuarantineTerm } from "../storage/catalog/provisional.ts";
import { dueQuarantine } from "../storage/catalog/quarantined.ts";
import { recordedBytes, unstoredBytes } from "../storage/catalog/room-left.ts";
import { freeSecured, leavingSecured, segmentsToSecure } from "../storage/catalog/secured.ts";
import { countWaiting } from "../storage/catalog/secured-counts.ts";
import type { Database, Sql } from "../storage/catalog/sqlite.ts";
import { oldestWaiting } from "../storage/catalog/waiting.ts";
import { recordWatched, watchedSegments } from "../storage/catalog/watched.ts";
import { check } from "../storage/check.ts";
import { openTree } from "../storage/ledger/append.ts";
import { oldestUnpublished, unpublishedCheckpoints } from "../storage/ledger/checkpoint.ts";
import { eraseDetails } from "../storage/ledger/details.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { overdueHere } from "../storage/overdue-here.ts";
import { rowsInKeyOrder } from "../storage/sweep/rows-in-key-order.ts";
import { CAMERA, NEVER, openRig, type Rig, START } from "./fakes/rig.ts";

/** A catalog that notes how SQLite means to do each statement. */
function explaining(database: Database, plans: Map<string, string[]>): Database {
  const explain = async (sql: Sql, text: string, params: object): Promise<void> => {
    if (!/^\s*(select|insert|update|delete)/i.test(text)) return;
    const rows = await sql.all(`explain query plan ${text}`, { ...params });
    plans.set(
      text,
      rows.map((row) => String(row["detail"])),
    );
  };
  const explained = (sql: Sql): Sql => ({
    ...sql,
    all: async (text, params = {}) => {
      await explain(sql, text, params);
      return sql.all(text, params);
    },
    run: async (text, params = {}) => {
      await explain(sql, text, params);
      return sql.run(text, params);
    },
  });
  return {
    ...database,
    transaction: (body) => database.transaction((sql) => body(explained(sql))),
    aside: (body) => database.aside((sql) => body(explained(sql))),
  };
}

/** Tables of a few rows, and what a statement made itself. */
const SMALL =
  /^SCAN (device|segment_count|spool_use|wanted|value|json_each|CONSTANT ROW|\(|before|\d)/;
/** A walk along an index made for exactly this: its length is what there is to do. */
const WHAT_THERE_IS_TO_DO =
  /^SCAN \w+ USING (COVERING )?INDEX (segment_to_store|segment_destroying|segment_watched|segment_provisional|hold_requested|hold_to_lift|hold_to_secure|hold_segment|breach_open|checkpoint_unpublished|quarantine_provisional|copy_evictable|copy_evicting)/;
/** What lies, or ever lay, in one place. */
const PART_OF_A_TABLE = /INDEX copy_place \(place=\?\)/;

describe("at three million segments", () => {
  it("no loop and no question passes a whole table: each is as long as what it has to do", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    const plans = new Map<string, string[]>();
    const db = explaining(rig.database, plans);
    const window = { device: CAMERA, from: START, to: plus(START, DAY_MS) };
    await findSegments(db, window);
    await findSegments(db, { ...window, device: undefined });
    await findGaps(db, window);
    await segmentsToStore(db, { dueAfter: START, provisional: true, except: [] }, 100);
    await dueSegments(db, START, 100);
    await destroyingSegments(db, "", 100);
    await watchedSegments(db, undefined, 100);
    await countOverdue(db, START);
    await countStates(db);
    await countHolds(db);
    await spoolBytes(db);
    await holdsToConfirm(db, "", 500);
    await holdsToLift(db);
    await provisionalSegments(db, 100);
    await recordQuarantineTerm(db, START);
    await dueQuarantine(db, START);
    await recordNothingWriting(db, START);
    await leavingCopies(db, "");
    await markStored(db, START, 1);
    await markSecured(db, START, 1);
    await eraseDetails(db, START);
    await heldInVault(db, "", 500);
    await holdsComplete(db, true);
    await freeSecured(db, START, START);
    await segmentsToSecure(db, "", 100);
    await leavingSecured(db, "", 100);
    await countWaiting(db, undefined);
    await overdueHere(db, rig.spool, DAY_MS, START);
    await endBreaches(db, START, "box", ["x"], []);
    await countBreaches(db);
    await closedBatches(db, 0, 1000);
    await segmentsOfHold(db, parseHoldId("01J00000000000000000000009"));
    await markDestroying(db, START, [parseSegmentId("01J00000000000000000000009")], 1);
    await recordDestroyed(db, START, []);
    await recordWatched(db, START, []);
    await Array.fromAsync(rowsInKeyOrder(db, rig.box.node));
    await unpublishedCheckpoints(db);
    await oldestUnpublished(db);
    await oldestWaiting(db, { dueAfter: START, provisional: false }, "boot 1");
    await unstoredBytes(db);
    await recordedBytes(db, START, plus(START, DAY_MS));
    await archiveDue(db, instant(1));
    await db.transaction(openTree);
    assert.ok(plans.size > 20);
    for (const [sql, plan] of plans) {
      const scans = plan.filter(
        (line) =>
          PART_OF_A_TABLE.test(line) ||
          (line.startsWith("SCAN") && !SMALL.test(line) && !WHAT_THERE_IS_TO_DO.test(line)),
      );
      assert.deepEqual(scans, [], sql);
    }
  });
});

describe("verify finds what is not so", () => {
  const change =
    (sql: string) =>
    (rig: Rig): Promise<void> =>
      rig.database.transaction((handle) => handle.script(sql));
  const ULID = "01J00000000000000000000009";
  const write =
    (...path: string[]) =>
    async (rig: Rig): Promise<void> => {
      const file = join(rig.folder, ...path);
      await mkdir(join(file, ".."), { recursive: true });
      await writeFile(file, "ftypisom: what a camera wrote");
    };
  const provoked: Readonly<Record<string, readonly [number, RegExp, (rig: Rig) => Promise<void>]>> =
    {
      "plaintext in incoming/": [2, /begin as an age/, write("spool", "incoming", "dock", "x.age")],
      "a fact that was never adopted": [
        3,
        /longer than a term/,
        write("spool", "incoming", "dock", "01J00000000000000000000009.json"),
      ],
      "something in quarantine/ without a row": [
        6,
        /quarantine\/.* has no row/,
        write("spool", "quarantine", ULID, "x"),
      ],
      "a file in the ring without a row": [
        6,
        /has no row/,
        write("spool", "segments", "2026-06-01", `${ULID}.age`),
      ],
      "a count that is wrong": [
        6,
        /count of stored/,
        change("update segment_count set count = 7 where state = 'stored'"),
      ],
      "spool bytes that are wrong": [
        6,
        /count of spool bytes/,
        change("update spool_use set bytes = 7"),
      ],
      "a stored segment without a batch": [
        5,
        /no batch says so/,
        change("drop trigger batch_row_archived; delete from batch_row"),
      ],
      "a ledger entry that is not the one hashed": [
        5,
        /stored tree/,
        change(
          "drop trigger entry_stays; update entry set at_ms = at_ms, body = body || ' ' where seq = 0",
        ),
      ],
      "a batch row that is another one": [
        5,
        /do not hash/,
        change("update batch_row set body = body || ' '"),
      ],
      "a ledger from tomorrow": [
        10,
        /clock was ahead/,
        change("drop trigger entry_stays; update entry set at_ms = at_ms + 864000000"),
      ],
      "a checkpoint that is not in the vault": [
        6,
        /published and not in the vault/,
        change("insert into checkpoint values (1, 1, 'x', 1)"),
      ],
    };
  for (const [what, [invariant, said, provoke]] of Object.entries(provoked)) {
    it(`${what} (invariant ${invariant})`, async () => {
      await using rig = await openRig();
      await rig.keep("beeld");
      assert.deepEqual(await rig.check(), []);
      await provoke(rig);
      const found = await rig.check();
      assert.ok(
        found.some((one) => one.invariant === invariant && said.test(one.what)),
        JSON.stringify(found),
      );
    });
  }

  it("tells the first thousand of many, and how many more there are", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    const folder = join(rig.spool.path, "segments", "2026-06-02");
    await mkdir(folder);
    for (let file = 0; file < 1100; file += 1) await writeFile(join(folder, `x${file}`), "");
    const { database, spool, vault, box } = rig;
    const kept = {
      database,
      spool,
      vault,
      node: box.node,
      verifier: parseVerifier(verifierText(rig.key)),
      secured: undefined,
    };
    const told: number[] = [];
    const report = await check(
      kept,
      "sizes",
      rig.clock.now(),
      NEVER,
      (done) => void told.push(done),
    );
    assert.equal(report.findings.length, 1000);
    assert.equal(report.more, 100);
    assert.ok(told.length > 5);
  });
});
