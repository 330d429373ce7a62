import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DAY_MS } from "#base/time";
import { newSegmentId } from "../daemon/new-id.ts";
import { publishRows } from "../daemon/publish-rows.ts";
import { confirmTime } from "../daemon/trust.ts";
import { addToBatch, closeBatch } from "../storage/catalog/batches.ts";
import { countStates } from "../storage/catalog/due.ts";
import type { Database, Sql } from "../storage/catalog/sqlite.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, openRig, type Rig } from "./fakes/rig.ts";

/** A rig whose catalog notes how many rows the longest of its answers had. */
async function openCounted(): Promise<{ rig: Rig; longest: () => number }> {
  let longest = 0;
  const counted = (sql: Sql): Sql => ({
    ...sql,
    async all(text, params = {}) {
      const rows = await sql.all(text, params);
      longest = Math.max(longest, rows.length);
      return rows;
    },
  });
  const wrap = (database: Database): Database => ({
    ...database,
    transaction: (body) => database.transaction((sql) => body(counted(sql))),
    aside: (body) => database.aside((sql) => body(counted(sql))),
  });
  return { rig: await openRig({ database: ":memory:", wrap }), longest: () => longest };
}

/** Closed batches, as a box of an earlier release has them and its vault has not. */
async function makeBatches({ database, clock }: Rig, count: number, rows: number): Promise<void> {
  const at = clock.now();
  const row = () => ({ id: newSegmentId(at), facts: { version: "x" } });
  for (let batch = 0; batch < count; batch += 1)
    await database.transaction(async (sql) => {
      await addToBatch(sql, "stored", at, Array.from({ length: rows }, row));
      await closeBatch(sql, "stored", at);
    });
}

/** Copies of one that was adopted, whose sealed files nobody has any more. */
async function makeSegments(rig: Rig, count: number): Promise<void> {
  await rig.record("beeld");
  await rig.adoptOnce();
  const { database, clock } = rig;
  await database.transaction(async (sql) => {
    await sql.script(`create temp table another as select * from segment;
      update another set source_path = null, arrived_at_ms = arrived_at_ms + ${DAY_MS}`);
    for (let index = 0; index < count; index += 1) {
      await sql.run("update another set id = $id", { $id: newSegmentId(clock.now()) });
      await sql.run("insert into segment select * from another");
    }
  });
}

async function largestBatch({ database }: Rig): Promise<unknown> {
  const [row] = await database.transaction((sql) =>
    sql.all("select max(position) + 1 as largest from batch_row"),
  );
  return row?.["largest"];
}

describe("what core has in memory at once", () => {
  it("is a page of rows, however many the vault lacks", async () => {
    const { rig, longest } = await openCounted();
    await using _closing = rig;
    await makeBatches(rig, 12, 1000);
    const lines: number[] = [];
    const vault: Vault = {
      ...rig.vault,
      async put(_, body) {
        for await (const chunk of body.open())
          lines.push(Buffer.from(chunk).toString().trimEnd().split("\n").length);
        return "version";
      },
    };
    await publishRows(rig.database, vault, rig.box.node, 1000, NEVER);
    assert.deepEqual(lines, [5, 5, 2]);
    assert.equal(longest(), 5000);
  });

  it("is a page of segments, however many are due, and one that the vault holds stops no other", async () => {
    const { rig, longest } = await openCounted();
    await using _closing = rig;
    await makeSegments(rig, 1100);
    rig.clock.move(29 * DAY_MS);
    const { database } = rig;
    await confirmTime(rig.clock, database, rig.clock.now(), "test");
    const asked = new Set<string>();
    const vault: Vault = {
      ...rig.vault,
      async versions(key) {
        asked.add(key);
        // The first that is asked for.
        return asked.size === 1 ? [{ key, versionId: "version", bytes: 1 }] : [];
      },
      isHeld: async () => true,
    };
    await retainOnce({ ...rig, vault });
    const { sealed, destroyed } = await countStates(database);
    assert.deepEqual([sealed, destroyed], [1, 1100]);
    assert.equal(longest(), 1000);
    assert.equal(await largestBatch(rig), 999);
  });
});
