import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId } from "#base/ids";
import { instant } from "#base/time";
import { confirmTime } from "../daemon/trust.ts";
import { recordHold } from "../storage/catalog/holds.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { type Database, lockFile, openDatabase } from "../storage/catalog/sqlite.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { OWNER, openRig, START } from "./fakes/rig.ts";

const HOLD = parseHoldId("01J00000000000000000000001");

async function openCatalog(): Promise<Database> {
  const database = await openDatabase(":memory:");
  await migrate(database);
  return database;
}

function run(database: Database, sql: string): Promise<number> {
  return database.transaction((handle) => handle.run(sql));
}

async function holdOf(database: Database, id: string): Promise<void> {
  await run(
    database,
    `insert into hold (hold_id, segment_id, incident, desk_number, review_at_ms, requested_at_ms, entry_seq)
     values ('${HOLD}', '${id}', 'zaak-12', 1, 9e12, 1, 0)`,
  );
}

describe("transactions", () => {
  it("queue instead of interleaving", async () => {
    await using database = await openDatabase(":memory:");
    const order: string[] = [];
    await Promise.all(
      ["a", "b", "c"].map((name) =>
        database.transaction(async (sql) => {
          order.push(`${name}+`);
          await sql.all("select 1");
          order.push(`${name}-`);
        }),
      ),
    );
    assert.deepEqual(order, ["a+", "a-", "b+", "b-", "c+", "c-"]);
  });

  it("reject a nested one instead of deadlocking", async () => {
    await using database = await openDatabase(":memory:");
    await assert.rejects(
      database.transaction(() => database.transaction(async () => {})),
      { code: "CATALOG_NESTED_TRANSACTION" },
    );
  });

  it("roll back when the body throws, and go on with the next", async () => {
    await using database = await openCatalog();
    const failing = database.transaction(async (sql) => {
      await sql.run("insert into fact values ('node', 'x')");
      throw new Error("boom");
    });
    await assert.rejects(failing, /boom/);
    assert.deepEqual(await database.transaction((sql) => sql.all("select * from fact")), []);
  });

  it("refuse a statement that was not awaited and comes after the end", async () => {
    await using database = await openCatalog();
    const leaked = await database.transaction(async (sql) => ({ sql }));
    await assert.rejects(leaked.sql.run("delete from fact"), /has ended/);
  });
});

describe("a catalog file", () => {
  it("counts its migrations: they are numbered without a gap, for one put in later would never run", async () => {
    const names = await readdir(new URL("../storage/catalog/migrations/", import.meta.url));
    const numbers = names.toSorted().map((name) => Number(name.slice(0, 4)));
    assert.deepEqual(
      numbers,
      Array.from(numbers, (_, index) => index + 1),
    );
  });

  it("tells its version by itself from its first start on, for a package that would be older (packaging/debian/preinst)", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "catalog.db");
    await using database = await openDatabase(path);
    await migrate(database);
    const names = await readdir(new URL("../storage/catalog/migrations/", import.meta.url));
    assert.equal((await readFile(path)).readUInt32BE(60), names.length);
  });

  it("from a newer bewaard is refused and not touched", async () => {
    await using database = await openCatalog();
    await database.transaction((sql) => sql.script("pragma user_version = 99"));
    await assert.rejects(migrate(database), { code: "CATALOG_VERSION" });
  });

  it("can be locked by one process at a time", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lease");
    const first = await lockFile(path);
    assert.notEqual(first, undefined);
    assert.equal(await lockFile(path), undefined);
    await first?.[Symbol.asyncDispose]();
    const again = await lockFile(path);
    assert.notEqual(again, undefined);
    await again?.[Symbol.asyncDispose]();
  });
});

describe("the catalog's own rules, whatever the code asks", () => {
  it("never make held footage destroying (invariant 4)", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await holdOf(rig.database, id);
    const change = run(rig.database, "update segment set state = 'destroying'");
    await assert.rejects(change, { code: "CATALOG_RULE", message: /segment is held/ });
    await assert.rejects(run(rig.database, "update segment set state = 'destroyed'"));
  });

  it("take no hold on footage that is being destroyed, and say so", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await run(rig.database, "update segment set state = 'destroying'");
    await assert.rejects(holdOf(rig.database, id), { message: /already being destroyed/ });
  });

  it("hold a segment from the moment it arrives when the hold came first", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await holdOf(rig.database, id);
    await rig.adoptOnce();
    await assert.rejects(run(rig.database, "update segment set state = 'destroying'"), /is held/);
  });

  it("let states only move forward", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    await assert.rejects(
      run(rig.database, "update segment set state = 'sealed'"),
      /no such change/,
    );
    await run(rig.database, "update segment set state = 'destroying'");
    await assert.rejects(
      run(rig.database, "update segment set state = 'stored'"),
      /no such change/,
    );
  });

  it("call nothing destroyed while a copy is not gone", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    await run(rig.database, "update segment set state = 'destroying'");
    await assert.rejects(
      run(rig.database, "update segment set state = 'destroyed'"),
      /not gone yet/,
    );
  });

  it("never move a due date later once time was trusted, nor change a hash", async () => {
    await using rig = await openRig();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await rig.keep("beeld");
    await assert.rejects(
      run(rig.database, "update segment set due_at_ms = due_at_ms + 1"),
      /does not change/,
    );
    await assert.rejects(
      run(rig.database, `update segment set plaintext_sha256 = '${"0".repeat(64)}'`),
      /does not change/,
    );
  });

  it("keep every segment, hold and ledger entry", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await holdOf(rig.database, id);
    await run(rig.database, "pragma foreign_keys = off");
    for (const table of ["segment", "hold", "entry"]) {
      await assert.rejects(run(rig.database, `delete from ${table}`), /is not archived/);
    }
    await assert.rejects(run(rig.database, "update entry set body = '{}'"), /does not change/);
  });

  it("take no ledger entry out of order", async () => {
    await using rig = await openRig();
    const gap = "insert into entry (seq, at_ms, kind, body) values (99, 1, 'x', '{}')";
    await assert.rejects(run(rig.database, gap), /without gaps/);
  });

  it("count the bytes in the spool as copies come and go", async () => {
    await using rig = await openRig();
    const used = async () => {
      const [row] = await rig.database.transaction((sql) => sql.all("select bytes from spool_use"));
      return row?.["bytes"];
    };
    await rig.keep("beeld");
    const [copy] = await rig.database.transaction((sql) =>
      sql.all("select bytes from copy where place = 'spool'"),
    );
    assert.equal(await used(), copy?.["bytes"]);
    await run(rig.database, "update copy set state = 'gone' where place = 'spool'");
    assert.equal(await used(), 0);
  });
});

describe("a hold", () => {
  it("told twice by the desk is one hold", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const hold = {
      id: HOLD,
      incident: "zaak-12",
      deskNumber: 2,
      owner: OWNER,
      reviewAt: instant(9e12),
      segments: [id],
    };
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await rig.database.transaction((sql) => recordHold(sql, START, hold)), []);
    }
    const rows = await rig.database.transaction((sql) => sql.all("select * from hold"));
    assert.equal(rows.length, 1);
  });

  it("names what came too late, and the ledger says so too", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await run(rig.database, "update segment set state = 'destroying'");
    const hold = {
      id: HOLD,
      incident: "zaak-12",
      deskNumber: 2,
      owner: OWNER,
      reviewAt: instant(9e12),
      segments: [id],
    };
    const late = await rig.database.transaction((sql) => recordHold(sql, START, hold));
    assert.deepEqual(late, [id]);
    const said = await rig.database.transaction((sql) =>
      sql.all("select body from entry where kind = 'hold.too-late'"),
    );
    assert.match(String(said[0]?.["body"]), new RegExp(id));
  });
});
