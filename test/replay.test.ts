import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseHoldId } from "#base/ids";
import { DAY_MS, plus } from "#base/time";
import { recordBreaches } from "../storage/catalog/breaches.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { replay } from "../storage/restore/replay.ts";
import { NEVER, openRig, type Rig, START } from "./fakes/rig.ts";

/** A catalog that has the entries of `rig` and nothing else, with the rows that they tell of. */
async function replayed(
  rig: Rig,
  isUnsigned: (seq: number) => boolean = () => false,
): Promise<Database> {
  const database = await openDatabase(":memory:");
  await migrate(database);
  const entries = await rig.database.transaction((sql) => sql.all("select * from entry"));
  await database.transaction(async (sql) => {
    await sql.script("create temp table found (segment_id text)");
    for (const { seq, at_ms, kind, body } of entries)
      await sql.run("insert into entry (seq, at_ms, kind, body) values ($seq, $at, $kind, $body)", {
        $seq: seq ?? null,
        $at: at_ms ?? null,
        $kind: kind ?? null,
        $body: body ?? null,
      });
  });
  await replay(database, isUnsigned, 0, NEVER);
  return database;
}

const SECURED = {
  hold: parseHoldId("01J00000000000000000000002"),
  medium: "usb-schijf",
  serial: "WD-1",
  identity: "{}",
  sha256: "a".repeat(64),
  by: "p-01",
};

async function same(rig: Rig, database: Database, query: string): Promise<void> {
  const was = await rig.database.transaction((sql) => sql.all(query));
  assert.deepEqual(await database.transaction((sql) => sql.all(query)), was);
  assert.ok(was.length > 0);
}

const BREACH = { what: "01J00000000000000000000001", place: "spool", since: START } as const;

describe("the rows that entries tell of", () => {
  it("are those that were written with them: breaches with their moment of discovery, copies on a medium", async () => {
    await using rig = await openRig();
    const segment = await rig.record("beeld");
    await rig.adoptOnce();
    await recordBreaches(rig.database, plus(START, DAY_MS), "box", [BREACH]);
    const facts = { ...SECURED, segment };
    await rig.database.transaction((sql) => append(sql, START, [{ kind: "hold.secured", facts }]));
    await using database = await replayed(rig);
    await same(rig, database, "select * from breach");
    await same(rig, database, "select id, due_at_ms, due_provisional, producer from segment");
    const copies = await database.transaction((sql) =>
      sql.all("select segment_id, place, state, sha256 from copy"),
    );
    assert.deepEqual(copies, [
      { segment_id: segment, place: "secured", state: "present", sha256: "a".repeat(64) },
    ]);
  });

  for (const state of ["writing", "leaving", "gone"])
    it(`are there again for a separate copy that was ${state} in a backup and was read back since (AR-20)`, async () => {
      await using rig = await openRig();
      const segment = await rig.record("beeld");
      await rig.adoptOnce();
      const facts = { ...SECURED, segment };
      await rig.database.transaction((sql) =>
        append(sql, START, [{ kind: "hold.secured", facts }]),
      );
      await using database = await replayed(rig);
      const [last] = await database.transaction(async (sql) => {
        await sql.run("update copy set state = $state, sha256 = null", { $state: state });
        return sql.all("select max(seq) as seq from entry");
      });
      await replay(database, () => false, Number(last?.["seq"]), NEVER);
      const copies = await database.transaction((sql) => sql.all("select state, sha256 from copy"));
      assert.deepEqual(copies, [{ state: "present", sha256: SECURED.sha256 }]);
    });

  it("of an entry that says something else than its kind does are none, and all stops", async () => {
    await using rig = await openRig();
    await rig.database.transaction((sql) =>
      append(sql, START, [{ kind: "gap.recorded", facts: { id: "no id" } }]),
    );
    await assert.rejects(replayed(rig), { code: "LEDGER_BROKEN" });
    await using _ = await replayed(rig, (seq) => seq > 0);
  });

  it("do not end anything on the word of an entry that nobody signed", async () => {
    await using rig = await openRig();
    await recordBreaches(rig.database, START, "box", [BREACH]);
    await using database = await replayed(rig, (seq) => seq > 0);
    const breaches = await database.transaction((sql) => sql.all("select * from breach"));
    assert.deepEqual(breaches, []);
  });
});
