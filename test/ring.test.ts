import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId } from "#base/ids";
import { instant } from "#base/time";
import { ring, roomMaker } from "../daemon/ring.ts";
import { spoolBytes } from "../storage/catalog/copies.ts";
import { recordHold } from "../storage/catalog/holds.ts";
import { freeBytes } from "../storage/spool/spool.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

async function inRing(rig: Rig): Promise<readonly string[]> {
  const names = await readdir(join(rig.spool.path, "segments"), { recursive: true });
  return names.filter((name) => name.endsWith(".age")).map((name) => name.slice(-30, -4));
}

function maker(rig: Rig, limitBytes: number, keepFreeBytes = 0) {
  return roomMaker(rig.clock, rig.events, rig.database, rig.spool, { limitBytes, keepFreeBytes });
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
    assert.equal(await maker(rig, 4 * one)(one + 1), true);
    assert.deepEqual((await inRing(rig)).toSorted(), ids.slice(2).toSorted());
    assert.equal(await spoolBytes(rig.database), 2 * one);
    assert.deepEqual(await rig.check(), []);
  });

  it("never overwrites what the vault does not have", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    assert.equal(await maker(rig, 10)(1), false);
    assert.deepEqual(await inRing(rig), [id]);
  });

  it("is not emptied by a file that it could never hold", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    assert.equal(await maker(rig, 1e6)(5e12), false);
    assert.equal(await maker(rig, 1e15)(9e14), false);
    assert.deepEqual(await inRing(rig), [id]);
  });

  it("never overwrites what is held (invariant 4)", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const hold = {
      id: parseHoldId("01J00000000000000000000001"),
      incident: "zaak-1",
      deskNumber: 1,
      reviewAt: instant(9e12),
      segments: [id],
    };
    await rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), hold));
    assert.equal(await maker(rig, 10)(1), false);
    assert.deepEqual(await inRing(rig), [id]);
  });

  it("keeps the floor of free space on its disk", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    const free = await freeBytes(rig.spool);
    assert.equal(await maker(rig, 1e15, free + 1e9)(1), false);
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
    await maker(rig, 1)(0);
    const rows = await rig.database.transaction((sql) =>
      sql.all("select body ->> 'rows' as rows from entry where kind = 'copies.evicted'"),
    );
    assert.deepEqual(
      rows.map((row) => row["rows"]),
      [2],
    );
  });
});
