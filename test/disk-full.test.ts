import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { instant } from "#base/time";
import { emptyQuarantine } from "../daemon/quarantine.ts";
import { replenish } from "../daemon/replenish.ts";
import { roomMaker } from "../daemon/ring.ts";
import { writeFact } from "../storage/catalog/facts.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { recordQuarantined } from "../storage/catalog/quarantined.ts";
import { openOnReserve, openReserve, withReserve } from "../storage/catalog/reserve.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { quarantineFolder } from "../storage/spool/spool.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { CAMERA, openRig, type Rig } from "./fakes/rig.ts";
import { fill, withSmallDisk } from "./fakes/small-disk.ts";
import { turns } from "./fakes/turns.ts";

// Only root may mount the small disk. Left out elsewhere, and said so: a test that waits is forgotten.
if (process.getuid?.() !== 0) {
  process.stderr.write("LEFT OUT: the tests with a full disk need root, to mount a small one\n");
}

(process.getuid?.() === 0 ? describe : leftOut)("a spool whose disk is full", () => {
  it("refuses to seal, leaves nothing half done, and takes the file once there is room", async function () {
    await withSmallDisk(async (rig, disk) => {
      const ballast = await fill(disk);
      const content = randomBytes(500_000).toString("hex");
      await assert.rejects(rig.record(content), { code: "SPOOL_FULL", transient: true });
      assert.deepEqual(await readdir(rig.sealing.incoming), []);
      await rm(ballast);
      const id = await rig.keep(content);
      const found = await findSegments(rig.database, {
        device: CAMERA,
        from: instant(0),
        to: instant(9e12),
      });
      assert.deepEqual(
        found.map((one) => [one.id, one.state]),
        [[id, "stored"]],
      );
      assert.deepEqual(await rig.check(), []);
    });
  });

  it("keeps what waits in incoming until it can be adopted", async function () {
    await withSmallDisk(async (rig, disk) => {
      await rig.record("beeld");
      const ballast = await fill(disk);
      await rig.adoptOnce();
      await rm(ballast);
      await rig.adoptOnce();
      await rig.storeOnce();
      const found = await findSegments(rig.database, {
        device: CAMERA,
        from: instant(0),
        to: instant(9e12),
      });
      assert.deepEqual(
        found.map(({ state }) => state),
        ["stored"],
      );
      assert.deepEqual(await rig.check(), []);
    });
  });
});

(process.getuid?.() === 0 ? describe : leftOut)("a catalog whose disk is full", () => {
  it("has a reserve from which what makes room is recorded, and gets it back when there is room", async function () {
    await using folder = await temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", folder.path]);
    await using mounted = new AsyncDisposableStack();
    mounted.defer(() => void execFileSync("umount", ["-l", folder.path]));
    await using rig = await openRig({ database: join(folder.path, "catalog.db") });
    const reserve = openReserve(join(folder.path, "reserve"));
    assert.equal(await reserve.replenish(), "made");
    await rig.keep("beeld");
    await rig.database.transaction((sql) => sql.script("create table ballast (filling blob)"));
    const ballast = await fill(folder.path);
    await fillCatalog(rig);
    const limits = { limitBytes: 1000, keepFreeBytes: 0 };
    const { clock, events, database, spool } = rig;
    const poor = roomMaker(clock, events, database, spool, limits, async () => true);
    await assert.rejects(poor(1000, false), { code: "CATALOG_FULL", transient: true });
    const sure = withReserve(database, reserve, events.catalogFull);
    assert.equal(
      await roomMaker(clock, events, sure, spool, limits, async () => true)(1000, false),
      true,
    );
    assert.deepEqual(rig.said.slice(-2), ["catalog-full", "evicted"]);
    assert.equal(await reserve.replenish(), "no room");
    await rm(ballast);
    const turn = turns(clock, 2);
    await replenish(turn.clock, events, reserve, turn.signal);
    assert.equal(rig.said.at(-1), "reserve-made");
    assert.equal(await reserve.replenish(), "kept");
    await database.transaction((sql) => sql.script("drop table ballast"));
    assert.deepEqual(await rig.check(), []);
  });
});

(process.getuid?.() === 0 ? describe : leftOut)("a box that was stopped with a full disk", () => {
  it("starts again on its reserve, without a hand (invariant 8)", async function () {
    await using folder = await temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", folder.path]);
    await using mounted = new AsyncDisposableStack();
    mounted.defer(() => void execFileSync("umount", ["-l", folder.path]));
    const path = join(folder.path, "catalog.db");
    const reserve = openReserve(join(folder.path, "reserve"));
    await writeFile(join(folder.path, "reserve.partial"), "of a crash");
    assert.equal(await reserve.replenish(), "made");
    assert.deepEqual(await readdir(folder.path), ["reserve"]);
    {
      await using database = await openDatabase(path);
      await migrate(database);
    }
    await fill(folder.path);
    await assert.rejects(openDatabase(path), { code: "CATALOG_IO" });
    let said = 0;
    await using database = await openOnReserve(path, reserve, () => {
      said += 1;
    });
    assert.equal(said, 1);
    await database.transaction((sql) => writeFact(sql, "desk", "{}"));
    assert.equal(await reserve.giveUp(), false);
  });
});

(process.getuid?.() === 0 ? describe : leftOut)("quarantine that the disk will not let go", () => {
  it("keeps no other from leaving at the end of its term (invariant 3)", async () => {
    await using rig = await openRig();
    const { clock, database, spool, events } = rig;
    const ids = ["01J00000000000000000000001", "01J00000000000000000000002"];
    for (const id of ids) {
      await mkdir(join(quarantineFolder(spool, id), "stuck"), { recursive: true });
      const name = Buffer.from("lie.json");
      const at = { arrivedAt: clock.now(), dueAt: clock.now(), dueProvisional: false };
      const found = { id, producer: "dock", name, code: "MANIFEST_LIES", ...at } as const;
      await recordQuarantined(database, clock.now(), found);
    }
    const stuck = join(quarantineFolder(spool, ids[0] ?? ""), "stuck");
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", stuck]);
    try {
      const left = emptyQuarantine(events, database, spool, clock.now());
      await assert.rejects(left, { code: "SPOOL_IO", transient: true });
      assert.deepEqual(await readdir(join(spool.path, "quarantine")), [ids[0]]);
    } finally {
      execFileSync("umount", [stuck]);
    }
    await emptyQuarantine(events, database, spool, clock.now());
    assert.deepEqual(await readdir(join(spool.path, "quarantine")), []);
    assert.deepEqual(await rig.check(), []);
  });
});

/** Writes until not one page more goes into the catalog. */
async function fillCatalog(rig: Rig): Promise<void> {
  const add = "insert into ballast values (zeroblob(2000))";
  const write = (text: string) => rig.database.transaction((sql) => sql.script(text));
  for (;;) {
    try {
      await write(add);
    } catch {
      return;
    }
  }
}

function leftOut(): void {}
