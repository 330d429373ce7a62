import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { breachesLast } from "../daemon/alarms/breaches-last.ts";
import { find } from "../daemon/answer-find.ts";
import { localTime } from "../daemon/cli/shown.ts";
import { shownFound } from "../daemon/cli/shown-found.ts";
import { parseWindow } from "../daemon/cli/window.ts";
import { store } from "../daemon/store.ts";
import { confirmTime } from "../daemon/trust.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { recordHold, recordRelease } from "../storage/catalog/holds.ts";
import { type LockedVault, lockedVault } from "./fakes/locked-vault.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, named, OWNER, openRig, type Rig, START, UPLOAD } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const HOLD = parseHoldId("01J00000000000000000000001");
/** Of the term, the bucket's rule needs two days, and an upload leaves it three more. */
const LOCKED_MS = 26 * DAY_MS;
const SPOOL_ONLY_MS = 23 * DAY_MS;

interface Box {
  readonly rig: Rig;
  readonly locked: LockedVault;
}

async function openBox(termMs = 28 * DAY_MS): Promise<Box & AsyncDisposable> {
  const rig = await openRig({ termMs });
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  return {
    rig,
    locked: lockedVault(rig.vault, NEVER),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

async function storeOnce({ rig, locked }: Box): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, spool, box } = rig;
  await store(clock, events, database, spool, locked.vault, box.node, UPLOAD, signal);
}

/** The bucket's rule, then a sweep of this box. */
async function sweep({ rig, locked }: Box): Promise<void> {
  await locked.rule(rig.clock.now());
  await retainOnce({ ...rig, vault: locked.vault });
  // The alarm as core looks for it, at this moment.
  const standing = { ...rig, clock: { ...rig.clock, move: () => undefined } };
  await lookForAlarms(standing, [breachesLast(rig.clock, rig.events, rig.database)]);
}

/** Moves the clock to so long after the recording, a sweep every six hours on the way. */
async function liveUntil(box: Box, ageMs: number): Promise<void> {
  const { clock } = box.rig;
  const until = START + ageMs;
  while (clock.now() + 6 * HOUR_MS < until) {
    clock.move(6 * HOUR_MS);
    await sweep(box);
  }
  clock.move(Math.max(0, until - clock.now()));
  await sweep(box);
}

async function keep(box: Box): Promise<SegmentId> {
  const id = await box.rig.record("beeld");
  await box.rig.adoptOnce();
  await storeOnce(box);
  return id;
}

async function stateOf({ rig }: Box, id: SegmentId): Promise<string> {
  const window = { device: undefined, from: instant(0), to: instant(9e12) };
  const all = await findSegments(rig.database, window);
  return all.find((one) => one.id === id)?.state ?? "none";
}

async function hold({ rig }: Box, id: SegmentId): Promise<void> {
  const asked = {
    id: HOLD,
    incident: "zaak-1",
    deskNumber: 1,
    owner: OWNER,
    reviewAt: instant(9e12),
  };
  await rig.database.transaction((sql) =>
    recordHold(sql, rig.clock.now(), { ...asked, segments: [id] }),
  );
  for await (const { key, versionId } of rig.vault.list("footage/", NEVER))
    await rig.vault.setHold(key, versionId, true);
}

/** As the desk does: the custodian lifts the hold in the vault. */
async function release({ rig }: Box): Promise<void> {
  await rig.database.transaction((sql) => recordRelease(sql, rig.clock.now(), HOLD, 2));
  for await (const { key, versionId } of rig.vault.list("footage/", NEVER))
    await rig.vault.setHold(key, versionId, false);
}

async function inSpool({ rig }: Box): Promise<number> {
  const names = await readdir(join(rig.spool.path, "segments"), { recursive: true });
  return names.filter((name) => name.endsWith(".age")).length;
}

async function destroyedFacts({ rig }: Box): Promise<readonly string[]> {
  const rows = await rig.database.transaction((sql) =>
    sql.all(
      `select batch_row.body ->> 'by' as by from batch_row join batch on batch.id = batch_id
       where kind = 'destroyed'`,
    ),
  );
  return rows.map((row) => String(row["by"]));
}

for (const days of [28, 10]) {
  const ends = days * DAY_MS;
  describe(`a locked vault, a term of ${days} days`, () => {
    it("locks footage until two days before its term ends, and says so in the ledger", async () => {
      await using box = await openBox(ends);
      await keep(box);
      const until = plus(START, ends - 2 * DAY_MS);
      assert.deepEqual([...box.locked.locks.values()], [until]);
      const [row] = await box.rig.database.transaction((sql) =>
        sql.all("select body ->> 'lockedUntil' as until from batch_row"),
      );
      assert.equal(row?.["until"], isoOf(until));
    });

    it("tells until when footage can be held (DH-08)", async () => {
      await using box = await openBox(ends);
      await keep(box);
      const found = await find(box.rig.database, { device: null, fromMs: 0, toMs: 4e12 });
      const until = found.segments[0]?.holdableUntil ?? "";
      assert.equal(until, isoOf(plus(START, ends - 2 * DAY_MS)));
      const searched = parseWindow({ date: "2026-06-01" });
      const shown = shownFound(found, searched, { camera: undefined, place: undefined });
      assert.ok(shown.includes(`veilig te stellen tot / holdable until: ${localTime(until)}`));
    });

    it("is emptied by its own rule within the term; the box deletes nothing there, watches, and says by whom (R-01)", async () => {
      await using box = await openBox(ends);
      const id = await keep(box);
      await liveUntil(box, ends - 2 * DAY_MS - MINUTE_MS);
      assert.equal(await stateOf(box, id), "stored");
      await liveUntil(box, ends - 2 * DAY_MS + MINUTE_MS);
      assert.equal(await stateOf(box, id), "destroying");
      assert.equal(await inSpool(box), 0);
      assert.deepEqual(await box.rig.check(), []);
      await liveUntil(box, ends - HOUR_MS);
      assert.equal(await stateOf(box, id), "destroyed");
      assert.deepEqual(await destroyedFacts(box), ["bucket"]);
      assert.ok(!box.rig.said.includes("breaches-last"));
      assert.deepEqual(await box.rig.check(), []);
    });

    it("is given no footage its rule could not destroy in time: that stays in the spool, and goes with its term", async () => {
      await using box = await openBox(ends);
      const id = await box.rig.record("beeld");
      await box.rig.adoptOnce();
      await liveUntil(box, ends - 5 * DAY_MS + MINUTE_MS);
      await storeOnce(box);
      assert.equal(await stateOf(box, id), "sealed");
      assert.equal(box.locked.locks.size, 0);
      await liveUntil(box, ends - HOUR_MS - MINUTE_MS);
      assert.equal(await stateOf(box, id), "sealed");
      await liveUntil(box, ends - HOUR_MS + MINUTE_MS);
      assert.equal(await stateOf(box, id), "destroyed");
      assert.deepEqual(await destroyedFacts(box), ["box"]);
    });
  });
}

describe("a locked vault", () => {
  it("is given what has just time enough, and held footage however old it is", async () => {
    await using box = await openBox();
    const id = await box.rig.record("beeld");
    await box.rig.adoptOnce();
    await liveUntil(box, SPOOL_ONLY_MS - 5 * MINUTE_MS);
    await storeOnce(box);
    assert.equal(await stateOf(box, id), "stored");
    const old = await box.rig.record("ouder beeld", named(-1));
    await box.rig.adoptOnce();
    await liveUntil(box, 27 * DAY_MS);
    await hold(box, old);
    await storeOnce(box);
    assert.equal(await stateOf(box, old), "stored");
    assert.equal([...box.locked.locks.values()][1], undefined);
  });

  it("is given nothing under a term that nobody has vouched for: a lock cannot be taken back", async () => {
    await using box = await openBox();
    box.rig.clock.jump(-20 * DAY_MS);
    const id = await keep(box);
    assert.equal(await stateOf(box, id), "sealed");
    await hold(box, id);
    await storeOnce(box);
    assert.deepEqual([...box.locked.locks.values()], [undefined], "held, so it goes, and unlocked");
    const other = await box.rig.record("ander beeld", named(1));
    await box.rig.adoptOnce();
    await storeOnce(box);
    assert.equal(await stateOf(box, other), "sealed");
    box.rig.clock.jump(20 * DAY_MS);
    await confirmTime(box.rig.clock, box.rig.database, box.rig.clock.now(), "test");
    await sweep(box);
    await storeOnce(box);
    assert.equal(await stateOf(box, other), "stored");
  });

  it("is looked at by the folder: only what is no longer listed is looked at by itself", async () => {
    await using box = await openBox();
    await keep(box);
    let looks = 0;
    box.locked.vault.traces = (key) => ((looks += 1), box.rig.vault.traces(key));
    await liveUntil(box, LOCKED_MS + DAY_MS);
    // Once when it was left to the bucket, and then not before it was gone.
    assert.equal(looks, 1);
    await liveUntil(box, 28 * DAY_MS);
    assert.equal(looks, 2);
  });

  it("that is slow to tidy a marker away has destroyed the footage all the same, and the ledger tells of the marker", async () => {
    await using box = await openBox();
    const id = await keep(box);
    box.locked.vault.traces = async (key) => ({ ...(await box.rig.vault.traces(key)), markers: 1 });
    await liveUntil(box, 28 * DAY_MS - 3 * HOUR_MS);
    assert.equal(await stateOf(box, id), "destroying");
    await liveUntil(box, 28 * DAY_MS);
    assert.equal(await stateOf(box, id), "destroyed");
    assert.ok(!box.rig.said.includes("breaches-last"));
    const [row] = await box.rig.database.transaction((sql) =>
      sql.all("select body ->> 'left' as left from batch_row where body ->> 'by' = 'bucket'"),
    );
    assert.equal(row?.["left"], 1);
  });

  it("keeps held footage past its lock, and past its term (DH-08, invariant 4)", async () => {
    await using box = await openBox();
    const id = await keep(box);
    await hold(box, id);
    await liveUntil(box, 40 * DAY_MS);
    assert.equal(await stateOf(box, id), "stored");
    assert.ok(!box.rig.said.includes("breaches-last"));
    assert.deepEqual(await box.rig.check(), []);
  });

  it("has the time of policy after a late release before footage counts as overdue, and no more (AR-29)", async () => {
    await using box = await openBox();
    const id = await keep(box);
    await hold(box, id);
    await liveUntil(box, 40 * DAY_MS);
    await release(box);
    await sweep(box);
    assert.equal(await stateOf(box, id), "destroying");
    await liveUntil(box, 40 * DAY_MS + 12 * HOUR_MS);
    assert.ok(!box.rig.said.includes("breaches-last"));
    assert.deepEqual(await box.rig.check(), []);
    box.locked.rule = async () => undefined;
    await liveUntil(box, 47 * DAY_MS + HOUR_MS);
    assert.ok(box.rig.said.includes("breaches-last"));
    assert.equal((await box.rig.check()).filter(({ invariant }) => invariant === 3).length, 1);
  });

  it("that has not destroyed footage by the end of its term is a breach, counted from the term (DH-06)", async () => {
    await using box = await openBox();
    await keep(box);
    box.locked.rule = async () => undefined;
    await liveUntil(box, LOCKED_MS + DAY_MS);
    assert.ok(!box.rig.said.includes("breaches-last"));
    await liveUntil(box, 28 * DAY_MS + MINUTE_MS);
    assert.ok(box.rig.said.includes("breaches-last"));
  });
});
