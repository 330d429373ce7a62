import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { HOUR_MS, MINUTE_MS } from "#base/time";
import { openSlotBoard } from "../daemon/docks/slot-board.ts";
import { coreLine } from "../daemon/notify/core-line.ts";
import { dockLine } from "../daemon/notify/dock-line.ts";
import { ledgerStands } from "../daemon/notify/ledger-stands.ts";
import { recordLine } from "../daemon/notify/record-line.ts";
import { spoolTakes } from "../daemon/notify/spool-takes.ts";
import { openBoard } from "../daemon/record/board.ts";
import { signCheckpoint } from "../storage/ledger/checkpoint.ts";
import { handClock, openRig, type Rig, START } from "./fakes/rig.ts";
import { fill, withSmallDisk } from "./fakes/small-disk.ts";

/** As if a head of `size` entries had been signed here. */
async function signed(rig: Rig, size: number, root: string): Promise<void> {
  await rig.database.transaction((sql) =>
    sql.run("insert into checkpoint (size, at_ms, note) values ($size, $at, $note)", {
      $size: size,
      $at: rig.clock.now(),
      $note: `${rig.key.name}\n${size}\n${root}\n`,
    }),
  );
}

describe("the line of systemctl status", () => {
  it("says of cameras how many record, and of those that do not for how long", () => {
    const clock = handClock(START);
    const devices = Array.from({ length: 14 }, (_, i) => parseDeviceId(`cam-${i + 1}`));
    const board = openBoard(clock, devices);
    for (const device of devices.slice(0, 12)) board.put(device, "recording");
    const [one, other] = devices.slice(12);
    assert.ok(one && other);
    board.put(one, "stalled", "CAMERA_STALLED");
    clock.move(3 * MINUTE_MS + 20_000);
    assert.equal(
      recordLine(clock, board),
      "12 cameras recording, 1 stalled 3 min, 1 not in service",
    );
    board.put(other, "stalled", "CAMERA_STALLED");
    clock.move(5 * HOUR_MS);
    assert.equal(recordLine(clock, board), "12 cameras recording, 2 stalled 5 h");
    clock.jump(-24 * HOUR_MS);
    assert.equal(recordLine(clock, board), "12 cameras recording, 2 stalled < 1 min");
    assert.equal(recordLine(clock, openBoard(clock, [])), "no cameras");
  });

  it("says of docks how many slots are busy, and which may go or want somebody", () => {
    const board = openSlotBoard(handClock(START), () => undefined);
    assert.equal(dockLine(board), "docks empty");
    board.tell("a", { kind: "seen", docking: "1" });
    assert.equal(dockLine(board), "1 dock busy");
    board.tell("b", { kind: "seen", docking: "2" });
    board.tell("c", { kind: "seen", docking: "3" });
    board.tell("c", { kind: "failed", docking: "3", why: "profile-unread" });
    assert.equal(dockLine(board), "2 docks busy, 1 failed");
    for (const docking of ["1", "2", "3"])
      board.tell({ 1: "a", 2: "b", 3: "c" }[docking] ?? "", { kind: "gone", docking });
    assert.equal(dockLine(board), "docks empty");
  });

  it("says of core what waits for the vault, how full the ring is, and that time is not trusted", async () => {
    await using rig = await openRig();
    assert.match(await coreLine(rig.clock, rig.database, 1e6), /^backlog 0; ring 0 %/);
  });
});

describe("what a part is not ready without", () => {
  it("is a spool that takes files", async () => {
    await using rig = await openRig();
    const condition = spoolTakes(rig.spool, "core");
    assert.equal(await condition.holds(), true);
    const left = await readdir(join(rig.spool.path, "lease"));
    assert.deepEqual(left.toSorted(), ["core", "dock", "record"], "nothing is left behind");
    await rm(join(rig.spool.path, "lease"), { recursive: true });
    await assert.rejects(condition.holds(), { code: "SPOOL_IO" });
  });

  // Only root may mount the small disk: test/disk-full.test.ts says what is left out elsewhere.
  const whereMounts = process.getuid?.() === 0 ? it : () => undefined;
  whereMounts("is no room in the spool: to make some is the work of who starts", async () => {
    await withSmallDisk(async (rig, disk) => {
      await fill(disk);
      assert.equal(await spoolTakes(rig.spool, "core").holds(), true);
    });
  });

  it("is a ledger that goes on from what was signed last", async () => {
    await using rig = await openRig();
    const condition = ledgerStands(rig.clock, rig.events, rig.database);
    assert.equal(await condition.holds(), true, "before the first checkpoint");
    await signCheckpoint(rig.database, rig.clock.now(), rig.key);
    assert.equal(await condition.holds(), true);
    await signed(rig, 99, "");
    assert.equal(await condition.holds(), false, "of more entries than there are");
    assert.equal(await condition.holds(), false);
    assert.deepEqual(rig.said, ["ledger-diverged"], "once a day");
  });

  it("is no ledger of another root than the one that was signed", async () => {
    await using rig = await openRig();
    await signed(rig, 1, "AAAA");
    assert.equal(await ledgerStands(rig.clock, rig.events, rig.database).holds(), false);
    assert.match(rig.lines.join(), /another root/);
  });
});
