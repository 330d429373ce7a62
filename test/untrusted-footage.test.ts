import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, plus } from "#base/time";
import { handOver } from "../daemon/hand-over-fact.ts";
import { seenNow } from "../daemon/seen-clock.ts";
import { confirmTime } from "../daemon/trust.ts";
import { tellEmptied } from "../storage/catalog/devices.ts";
import { readSegment } from "../storage/catalog/find.ts";
import { recordHold } from "../storage/catalog/holds.ts";
import { makeCard } from "./fakes/card-made.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { CAMERA, dockOf, NEVER, OWNER, openRig, type Rig, START } from "./fakes/rig.ts";

// What becomes of footage by what is known of its camera's clock, from the card to the end (docs/time.md).

/** `at` as a camera in the Netherlands writes it into a name in summer. */
function nameAt(at: number): string {
  const local = new Date(at + 2 * HOUR_MS).toISOString().slice(0, 19);
  return `DCIM/100MEDIA/${local.replaceAll(/[-:]/g, "").replace("T", "_")}.MP4`;
}

/** Takes one recording that claims to have begun at `startedAt`, of a camera whose clock is off by `offsetMs`. */
async function dockedAt(
  rig: Rig,
  startedAt: Instant,
  offsetMs: number | undefined,
  declared: "synchronised" | "unknown" = "unknown",
): Promise<SegmentId> {
  const name = nameAt(startedAt);
  const { profile, folder, device } = dockOf(CAMERA, join(rig.folder, "card"));
  await makeCard(folder, [{ path: name, changed: "2026-06-01 10:00:00" }]);
  const seenClock = offsetMs === undefined ? undefined : seenNow(rig.clock, offsetMs);
  const dock = { device, folder, seenClock, profile: { ...profile, clock: declared } };
  const file = { path: Buffer.from(name), bytes: 16, modifiedAt: rig.clock.now() };
  const source = Buffer.from(join(folder, name));
  const { id } = await handOver(
    rig.clock,
    rig.sealing,
    dock,
    file,
    source,
    async () => true,
    NEVER,
  );
  await rig.adoptOnce();
  await rig.storeOnce();
  return id;
}

async function segment(rig: Rig, id: SegmentId) {
  const found = await readSegment(rig.database, id);
  assert.ok(found);
  return found;
}

async function openTrustedRig(): Promise<Rig> {
  const rig = await openRig();
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  return rig;
}

async function inVault(rig: Rig): Promise<number> {
  return (await Array.fromAsync(rig.vault.list("footage/dock-1/", NEVER))).length;
}

async function inSpool(rig: Rig): Promise<number> {
  const names = await readdir(join(rig.spool.path, "segments"), { recursive: true });
  return names.filter((name) => name.endsWith(".age")).length;
}

describe("footage of a clock that was seen to be right", () => {
  it("is due from its recording (DH-07)", async () => {
    await using rig = await openTrustedRig();
    const startedAt = plus(START, -5 * HOUR_MS);
    const { timeTrust, dueAt } = await segment(rig, await dockedAt(rig, startedAt, MINUTE_MS));
    assert.equal(timeTrust, "trusted");
    assert.equal(dueAt, startedAt + 28 * DAY_MS - HOUR_MS);
  });

  it("that is over its term is destroyed and in the ledger, and was never stored (DH-06)", async () => {
    await using rig = await openTrustedRig();
    const id = await dockedAt(rig, plus(START, -28 * DAY_MS + 30 * MINUTE_MS), 0);
    assert.equal((await segment(rig, id)).timeTrust, "trusted");
    assert.deepEqual([await inVault(rig), await inSpool(rig)], [0, 1]);
    await retainOnce(rig);
    assert.equal((await segment(rig, id)).state, "destroyed");
    assert.deepEqual([await inVault(rig), await inSpool(rig)], [0, 0]);
    const told = await rig.database.transaction((sql) =>
      sql.all("select 1 from entry where kind = 'segments.destroyed'"),
    );
    assert.equal(told.length, 1);
    assert.deepEqual(await rig.check(), []);
  });
});

describe("footage of a clock that was never seen, or seen to be wrong", () => {
  it("is due from its arrival, less the longest time undocked, and stored", async () => {
    for (const [offsetMs, declared] of [
      [undefined, "unknown"],
      [HOUR_MS, "unknown"],
      [-HOUR_MS, "synchronised"],
    ] as const) {
      await using rig = await openTrustedRig();
      const id = await dockedAt(rig, plus(START, -5 * HOUR_MS), offsetMs, declared);
      const { timeTrust, dueAt, state } = await segment(rig, id);
      assert.deepEqual([timeTrust, state], ["untrusted", "stored"]);
      assert.equal(dueAt, START + 25 * DAY_MS - HOUR_MS);
      assert.ok(rig.said.includes("time-uncertain"));
    }
  });

  it("that claims to be over its term stays in the spool alone for 72 hours, with an alarm", async () => {
    await using rig = await openTrustedRig();
    const id = await dockedAt(
      rig,
      instant(Date.parse("2000-01-01T00:03:00.000Z")),
      -26 * 365 * DAY_MS,
    );
    assert.equal((await segment(rig, id)).timeTrust, "overdue");
    assert.match(rig.lines.join(""), /"event":"time-uncertain"/);
    rig.clock.move(72 * HOUR_MS - MINUTE_MS);
    await rig.storeOnce();
    await retainOnce(rig);
    assert.deepEqual([await inVault(rig), await inSpool(rig)], [0, 1]);
    rig.clock.move(MINUTE_MS);
    await retainOnce(rig);
    assert.equal((await segment(rig, id)).state, "destroyed");
    assert.deepEqual([await inVault(rig), await inSpool(rig)], [0, 0]);
  });

  it("that claims to be over its term is kept where it is held (DH-08, invariant 4)", async () => {
    await using rig = await openTrustedRig();
    const id = await dockedAt(rig, instant(Date.parse("2000-01-01T00:03:00.000Z")), undefined);
    const hold = {
      id: parseHoldId("01J00000000000000000000001"),
      incident: "zaak-1",
      deskNumber: 1,
      owner: OWNER,
      reviewAt: instant(9e12),
      segments: [id],
    };
    await rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), hold));
    rig.clock.move(30 * DAY_MS);
    await retainOnce(rig);
    assert.notEqual((await segment(rig, id)).state, "destroyed");
    assert.equal(await inSpool(rig), 1);
  });
});

describe("footage that claims to be of before its camera was last seen empty", () => {
  it("is not believed, however right the clock is now", async () => {
    await using rig = await openTrustedRig();
    await rig.database.transaction((sql) =>
      tellEmptied(sql, rig.clock.now(), CAMERA, plus(START, -HOUR_MS), 3),
    );
    const before = await segment(rig, await dockedAt(rig, plus(START, -HOUR_MS - 1000), 0));
    assert.equal(before.timeTrust, "untrusted");
    assert.equal(before.dueAt, START + 25 * DAY_MS - HOUR_MS);
    const after = await segment(rig, await dockedAt(rig, plus(START, -HOUR_MS), 0));
    assert.equal(after.timeTrust, "trusted");
  });
});
