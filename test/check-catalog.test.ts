import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { DAY_MS, MINUTE_MS } from "#base/time";
import { checkCatalog } from "../daemon/check-catalog.ts";
import { number } from "../storage/catalog/row.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

/** Lets the loop wait `waits` times; returns how long that took on its clock. */
async function look(rig: Rig, waits: number, database = rig.database): Promise<number> {
  const { clock, signal } = turns(rig.clock, waits);
  const before = rig.clock.uptimeMs();
  await checkCatalog(clock, rig.events, database, signal);
  return rig.clock.uptimeMs() - before;
}

async function fill(rig: Rig): Promise<void> {
  await rig.keep("beeld");
  await rig.database.transaction(async (sql) => {
    const one = { kind: "bewaard.started" as const, facts: { bootId: "x".repeat(500) } };
    const more = Array.from({ length: 500 }, () => one);
    await append(sql, rig.clock.now(), [one, ...more]);
  });
  // Into the file, and out of the log beside it.
  await rig.database.transaction((sql) =>
    sql.script("commit; pragma wal_checkpoint(truncate); begin"),
  );
}

/** Overwrites the middle page of a table, as a failing disk does. */
async function damage(rig: Rig, table: string): Promise<void> {
  const [page] = await rig.database.transaction((sql) =>
    sql.all(
      `select pageno, pgsize from dbstat where name = $table and pagetype = 'leaf'
       order by path limit 1 offset 10`,
      { $table: table },
    ),
  );
  const size = number(page, "pgsize");
  await using file = await open(join(rig.folder, "catalog.db"), "r+");
  await file.write(Buffer.alloc(size, 0x5a), 0, size, (number(page, "pageno") - 1) * size);
}

describe("the catalog's file", () => {
  it("is read whole ten minutes after the start and daily, and said to be sound", async () => {
    await using rig = await openRig();
    await fill(rig);
    assert.equal(await look(rig, 1), 10 * MINUTE_MS);
    assert.ok(!rig.said.includes("catalog-checked"));
    await look(rig, 3);
    assert.equal(rig.said.filter((event) => event === "catalog-checked").length, 2);
    assert.ok(!rig.said.includes("catalog-damaged"));
  });

  it("that lost a page is an alarm with its code, and core goes on", async () => {
    await using rig = await openRig();
    await fill(rig);
    await damage(rig, "entry");
    await using again = await openDatabase(join(rig.folder, "catalog.db"));
    assert.equal(await look(rig, 2, again), 10 * MINUTE_MS + DAY_MS);
    assert.ok(rig.said.includes("catalog-damaged"));
    assert.ok(!rig.said.includes("catalog-checked"));
    assert.match(rig.lines.join(""), /CATALOG_DAMAGED/);
  });
});
