import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, type SegmentId } from "#base/ids";
import { instant } from "#base/time";
import { ring, roomMaker } from "../daemon/ring.ts";
import { confirmTime } from "../daemon/trust.ts";
import { markStored, spoolBytes } from "../storage/catalog/evict.ts";
import { findGaps, findSegments, readSegment } from "../storage/catalog/find.ts";
import { recordGap } from "../storage/catalog/gaps.ts";
import { recordHold, recordInForce, type TooLate } from "../storage/catalog/holds.ts";
import { diskBytes, segmentPath } from "../storage/spool/spool.ts";
import { footageKey } from "../storage/vault/keys.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { CAMERA, named, OWNER, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const HOLD = parseHoldId("01J00000000000000000000001");
const EVER = { device: undefined, from: instant(0), to: instant(9e12) };

async function inRing(rig: Rig): Promise<readonly string[]> {
  const names = await readdir(join(rig.spool.path, "segments"), { recursive: true });
  return names.filter((name) => name.endsWith(".age")).map((name) => name.slice(-30, -4));
}

function maker(rig: Rig, limitBytes: number, keepFreeBytes = 0, mayDestroy = true) {
  const { clock, events, database, spool } = rig;
  const limits = { limitBytes, keepFreeBytes };
  return roomMaker(clock, events, database, spool, limits, async () => mayDestroy);
}

function hold(rig: Rig, id: SegmentId): Promise<TooLate> {
  const asked = {
    id: HOLD,
    incident: "zaak-1",
    deskNumber: 1,
    owner: OWNER,
    reviewAt: instant(9e12),
    segments: [id],
  };
  return rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), asked));
}

async function states(rig: Rig): Promise<Record<string, string>> {
  const all = await findSegments(rig.database, EVER);
  return Object.fromEntries(all.map(({ id, state }) => [id, state]));
}

async function keyOf(rig: Rig, id: SegmentId): Promise<string> {
  const segment = await readSegment(rig.database, id);
  if (!segment) throw new Error(`no ${id}`);
  return footageKey(rig.box.node, segment.device, segment.startedAt, id);
}

async function versionOf(rig: Rig, id: SegmentId): Promise<string> {
  const [version] = await rig.vault.versions(await keyOf(rig, id));
  return version?.versionId ?? "";
}

describe("the ring (AR-27)", () => {
  it("overwrites the oldest stored footage, and only as much as is needed", async () => {
    await using rig = await openRig();
    const ids = [];
    for (let minute = 0; minute < 4; minute += 1) {
      ids.push(await rig.keep("x".repeat(1000), named(minute)));
      rig.clock.move(60_000);
    }
    const one = (await spoolBytes(rig.database)) / 4;
    assert.equal(await maker(rig, 4 * one)(one + 1, false), true);
    assert.deepEqual((await inRing(rig)).toSorted(), ids.slice(2).toSorted());
    assert.equal(await spoolBytes(rig.database), 2 * one);
    assert.deepEqual(await rig.check(), []);
  });

  it("never overwrites what the vault does not have", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    assert.equal(await maker(rig, 10)(1, false), false);
    assert.deepEqual(await inRing(rig), [id]);
  });

  it("is not emptied by a file that it could never hold", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    assert.equal(await maker(rig, 1e6)(5e12, false), false);
    assert.equal(await maker(rig, 1e15)(9e14, false), false);
    assert.deepEqual(await inRing(rig), [id]);
  });

  it("never overwrites what is held and has no other copy (invariant 4)", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await hold(rig, id);
    assert.equal(await maker(rig, 10)(1, true), false);
    assert.deepEqual(await inRing(rig), [id]);
  });

  it("overwrites held footage whose hold is in force in the vault, after all that nothing holds", async () => {
    await using rig = await openRig();
    const held = await rig.keep("beeld", named(0));
    const free = await rig.keep("beeld", named(1));
    await hold(rig, held);
    await recordInForce(rig.database, rig.clock.now(), HOLD, held);
    await rig.vault.setHold(await keyOf(rig, held), await versionOf(rig, held), true);
    const one = (await spoolBytes(rig.database)) / 2;
    assert.equal(await maker(rig, 2 * one)(one, false), true);
    assert.deepEqual(await inRing(rig), [held]);
    assert.equal(await maker(rig, 2 * one)(2 * one, false), true);
    assert.deepEqual(await inRing(rig), []);
    assert.deepEqual(await states(rig), { [held]: "stored", [free]: "stored" });
    assert.deepEqual(await rig.check(), []);
  });

  it("keeps a marked copy that a hold reaches before it is unlinked", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await markStored(rig.database, rig.clock.now(), 1);
    await hold(rig, id);
    assert.equal(await maker(rig, 10)(1, true), false);
    assert.deepEqual(await inRing(rig), [id]);
    assert.deepEqual(await rig.check(), []);
  });

  it("says that a copy is gone when a hold comes after a crash that had unlinked it", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await markStored(rig.database, rig.clock.now(), 1);
    await rm(segmentPath(rig.spool, id, rig.clock.now()));
    await hold(rig, id);
    assert.equal(await maker(rig, 1000)(1, true), true);
    assert.deepEqual(await rig.check(), []);
  });

  it("overwrites what the vault does not have only when asked urgently, the oldest recording first, with a gap and an alarm", async () => {
    await using rig = await openRig();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    const younger = await rig.record("beeld", named(1));
    const older = await rig.record("beeld", named(0));
    await rig.adoptOnce();
    const one = (await spoolBytes(rig.database)) / 2;
    assert.equal(await maker(rig, 2 * one)(one, false), false);
    assert.equal(await maker(rig, 2 * one)(one, true), true);
    assert.deepEqual(await inRing(rig), [younger]);
    assert.deepEqual(await states(rig), { [older]: "destroying", [younger]: "sealed" });
    assert.ok(rig.said.includes("overwritten"));
    const gaps = await findGaps(rig.database, EVER);
    assert.deepEqual(
      gaps.map(({ startedAt, cause }) => [startedAt, cause]),
      [[START, "ring-overwritten"]],
    );
    await retainOnce(rig);
    assert.deepEqual(await states(rig), { [older]: "destroyed", [younger]: "sealed" });
    assert.deepEqual(await rig.check(), []);
  });

  it("is not stopped by a producer that told a gap under the id of footage", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    const lie = { id, device: CAMERA, startedAt: START, endedAt: START, cause: "made-up" };
    await recordGap(rig.database, rig.clock.now(), lie);
    assert.equal(await maker(rig, 1000)(1000, true), true);
    assert.deepEqual(await inRing(rig), []);
    assert.deepEqual(await rig.check(), []);
  });

  it("overwrites nothing un-stored when even all of it would not make the room", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    const held = await rig.record("x".repeat(5000), named(1));
    await rig.adoptOnce();
    await hold(rig, held);
    const all = await spoolBytes(rig.database);
    assert.equal(await maker(rig, all)(all, true), false);
    assert.deepEqual((await inRing(rig)).toSorted(), [id, held].toSorted());
  });

  it("tells a hold that comes after the overwriting that it is too late", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    await maker(rig, 1000)(1000, true);
    assert.deepEqual(await hold(rig, id), [id]);
  });

  it("keeps the floor of free space on its disk", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    // All of the disk: what other tests give back meanwhile is never enough.
    const floor = (await diskBytes(rig.spool)) - 1;
    assert.equal(await maker(rig, 1e15, floor)(1, false), false);
    assert.deepEqual(await inRing(rig), []);
  });

  it("says once that it is full, not every ten seconds", async () => {
    await using rig = await openRig();
    await rig.record("beeld");
    await rig.adoptOnce();
    const { clock, signal } = turns(rig.clock, 5);
    const limits = { limitBytes: 1, keepFreeBytes: 0 };
    await ring(clock, rig.events, maker(rig, 1), limits, signal);
    assert.equal(rig.said.filter((event) => event === "spool-full").length, 1);
  });

  it("records what it overwrote in one ledger entry", async () => {
    await using rig = await openRig();
    await rig.keep("beeld", named(0));
    await rig.keep("beeld 2", named(1));
    await maker(rig, 1)(0, false);
    const rows = await rig.database.transaction((sql) =>
      sql.all("select body ->> 'rows' as rows from entry where kind = 'copies.evicted'"),
    );
    assert.deepEqual(
      rows.map((row) => row["rows"]),
      [2],
    );
  });
});
