import assert from "node:assert/strict";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { type Step, watchSteps } from "#base/step";
import { DAY_MS } from "#base/time";
import { confirmTime } from "../daemon/trust.ts";
import { intendStore, recordStoreFailed } from "../storage/catalog/copies.ts";
import { filesOfWipe } from "../storage/catalog/open-wipes.ts";
import { writeSnapshot } from "../storage/catalog/snapshot.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { publish, rebuilt } from "./fakes/rebuilt-rig.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";

/** What each row must be again, whenever the copy was taken. Of the ring's copies only what is there counts. */
const ROWS = [
  "select id, device_id, started_at_ms, due_at_ms, plaintext_sha256, state, entry_seq from segment order by id",
  "select segment_id, place, state, version_id from copy order by segment_id, place",
  "select id, kind, root, entry_seq from batch order by id",
  "select * from batch_row order by batch_id, position",
  "select size, note, published_at_ms is null as waits from checkpoint order by size",
  "select seq, body from entry order by seq",
  "select * from tree_node order by level, position",
];

/** Footage is taken, stored and destroyed at the end of its term, and heads are published in between. */
async function live(rig: Rig): Promise<void> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  for (const minute of [1, 2, 3]) await rig.record(`beeld ${minute}`, named(minute));
  await rig.adoptOnce();
  await rig.storeOnce();
  await publish(rig);
  await rig.keep("later beeld", named(4));
  rig.clock.move(27 * DAY_MS + DAY_MS);
  await retainOnce(rig);
  await rig.record("nog later", named(5));
  await rig.adoptOnce();
  await publish(rig);
}

async function rowsOf(database: Database): Promise<readonly unknown[]> {
  return await database.transaction(async (sql) => {
    const all: unknown[] = [];
    for (const query of ROWS) all.push(await sql.all(query));
    return all;
  });
}

describe("a catalog put back from a copy that was taken at any step (invariants 5, 6, 8)", function () {
  this.timeout(240_000);
  const copies: { readonly step: Step; readonly path: string }[] = [];
  let opened: AsyncDisposableStack;
  let rig: Rig;
  before(async () => {
    await using stack = new AsyncDisposableStack();
    rig = stack.use(await openRig());
    const folder = stack.use(await temporaryFolder());
    // As a machine that loses its power has it: the file and its log.
    watchSteps((step) => {
      const path = join(folder.path, `${copies.length}.db`);
      const catalog = join(rig.folder, "catalog.db");
      copyFileSync(catalog, path);
      if (existsSync(`${catalog}-wal`)) copyFileSync(`${catalog}-wal`, `${path}-wal`);
      copies.push({ step, path });
    });
    try {
      await live(rig);
    } finally {
      watchSteps(() => undefined);
    }
    opened = stack.move();
  });
  after(() => opened[Symbol.asyncDispose]());

  it("is the one that was lost", async () => {
    const was = await rowsOf(rig.database);
    const steps = new Set(copies.map(({ step }) => step));
    for (const step of [
      "adopt.recorded",
      "store.intended",
      "store.recorded",
      "checkpoint.signed",
      "destroy.marked",
      "destroy.recorded",
    ] as const)
      assert.ok(steps.has(step), step);
    const firstAndLast = copies.filter(
      ({ step }, nth) =>
        copies.findIndex((one) => one.step === step) === nth ||
        copies.findLastIndex((one) => one.step === step) === nth,
    );
    for (const [nth, { step, path }] of firstAndLast.entries()) {
      const into = join(rig.folder, `again-${nth}.db`);
      const lost = { ...rig, verifier: parseVerifier(verifierText(rig.key)) };
      const { database } = await rebuilt(lost, { from: path, into });
      await using again = database;
      assert.deepEqual(await rowsOf(again), was, `${nth}: ${step}`);
    }
  });
});

describe("a catalog put back from a copy in which an upload had failed", () => {
  it("knows what was uploaded since, also where no head tells of it (invariant 6)", async () => {
    await using rig = await openRig();
    await using folder = await temporaryFolder();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    await intendStore(rig.database, id, rig.clock.now());
    assert.equal(await recordStoreFailed(rig.database, id, rig.clock.now()), 1);
    await publish(rig);
    const from = join(folder.path, "copy.db");
    await writeSnapshot(rig.database, from);
    await rig.storeOnce();
    const spool = { ...rig.spool, path: folder.path };
    const lost = { ...rig, spool, verifier: parseVerifier(verifierText(rig.key)) };
    const { database } = await rebuilt(lost, { from, into: join(rig.folder, "again.db") });
    await using again = database;
    const rows = await again.transaction((sql) =>
      sql.all(
        "select segment.state, copy.state as copy from segment join copy on segment_id = id where place = 'vault'",
      ),
    );
    assert.deepEqual(rows, [{ state: "stored", copy: "present" }]);
  });
});

describe("a catalog put back from a copy in which an order to wipe was open", () => {
  it("can still tell what came of it, also of footage that is nowhere any more (invariant 1)", async () => {
    await using rig = await openRig();
    await using folder = await temporaryFolder();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    const [ordered, other] = [await rig.record("beeld"), await rig.record("meer", named(2))];
    await rig.adoptOnce();
    const nonce = "0".repeat(32);
    await rig.database.transaction(async (sql) => {
      await sql.run(
        "insert into medium (kind, serial, identity, known_at_ms) values ('usb-schijf', 'WD-1', '{}', 1)",
      );
      await sql.run(
        `insert into copy (segment_id, place, state, bytes, changed_at_ms, medium_id)
         select id, 'secured', 'present', ciphertext_bytes, 1, 1 from segment`,
      );
      await sql.run(
        `insert into wipe (nonce, device_id, docking, how, issued_at_ms, expires_at_ms, boot_id,
           expires_uptime_ms, whole, others)
         select $nonce, device_id, id, 'unlink', 1, 2, 'boot', 1, 0, 0 from segment where id = $id`,
        { $nonce: nonce, $id: ordered },
      );
      await sql.run("insert into wipe_file values ($nonce, 0, $id)", {
        $nonce: nonce,
        $id: ordered,
      });
      // Two people signed that it was destroyed.
      await sql.run("update copy set state = 'gone' where place = 'secured'");
    });
    await publish(rig);
    const from = join(folder.path, "copy.db");
    await writeSnapshot(rig.database, from);
    const spool = { ...rig.spool, path: folder.path };
    const lost = { ...rig, spool, verifier: parseVerifier(verifierText(rig.key)) };
    const { database } = await rebuilt(lost, { from, into: join(rig.folder, "again.db") });
    await using again = database;
    const files = await again.transaction((sql) => filesOfWipe(sql, nonce));
    assert.deepEqual(
      files.map(({ segment }) => segment),
      [ordered],
    );
    const nameless = await again.transaction((sql) =>
      sql.all("select id from segment where source_path is null and state = 'destroying'"),
    );
    assert.deepEqual(nameless, [{ id: other }]);
  });
});
