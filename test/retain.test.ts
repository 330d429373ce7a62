import assert from "node:assert/strict";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { clockUntrusted } from "../daemon/alarms/clock-untrusted.ts";
import { handOver } from "../daemon/hand-over-fact.ts";
import type { HeedDesk } from "../daemon/retain.ts";
import { seenNow } from "../daemon/seen-clock.ts";
import { confirmTime, timeTrust } from "../daemon/trust.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { recordHold, recordRelease } from "../storage/catalog/holds.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { createDirectoryVault, openDirectoryVault } from "../storage/vault/directory.ts";
import { rememberedVault } from "../storage/vault/remember.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { makeCard } from "./fakes/card-made.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { CAMERA, dockOf, NEVER, named, OWNER, openRig, type Rig, START } from "./fakes/rig.ts";

const HOLD = parseHoldId("01J00000000000000000000001");

async function confirm(rig: Rig): Promise<void> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
}

async function sweep(
  rig: Rig,
  options: { vault?: Vault; heed?: HeedDesk; count?: number } = {},
): Promise<void> {
  const vault = options.vault ?? rig.vault;
  await retainOnce({ ...rig, vault }, options.count, options.heed);
}

async function stateOf(rig: Rig, id: SegmentId): Promise<string> {
  const all = await findSegments(rig.database, {
    device: undefined,
    from: instant(0),
    to: instant(9e12),
  });
  return all.find((one) => one.id === id)?.state ?? "none";
}

async function hold(rig: Rig, id: SegmentId): Promise<void> {
  const asked = {
    id: HOLD,
    incident: "zaak-1",
    deskNumber: 1,
    owner: OWNER,
    reviewAt: instant(9e12),
    segments: [id],
  };
  await rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), asked));
}

async function footageIn(rig: Rig): Promise<{ vault: number; spool: number }> {
  const vault = await Array.fromAsync(rig.vault.list("footage/dock-1/", NEVER));
  const spool = await readdir(join(rig.spool.path, "segments"), { recursive: true });
  return { vault: vault.length, spool: spool.filter((name) => name.endsWith(".age")).length };
}

describe("retention (DH-06, AR-26)", () => {
  it("destroys footage in the last hour of its 28th day, not before, and looks again (R-01)", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    rig.clock.move(START + 28 * DAY_MS - HOUR_MS - MINUTE_MS - rig.clock.now());
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "stored");
    rig.clock.move(MINUTE_MS);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await footageIn(rig), { vault: 0, spool: 0 });
    assert.deepEqual(await rig.check(), []);
  });

  it("destroys what was never stored too: due is by age, whatever the state", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    rig.clock.move(28 * DAY_MS);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await rig.check(), []);
  });

  it("destroys every version in the vault, also one nobody put there", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    const [version] = await Array.fromAsync(rig.vault.list("footage/dock-1/", NEVER));
    const folder = join(rig.folder, "vault", `${version?.key}~`);
    await rename(
      join(folder, version?.versionId ?? ""),
      join(folder, "01000000000000000000000000"),
    );
    rig.clock.move(28 * DAY_MS);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await footageIn(rig), { vault: 0, spool: 0 });
  });

  it("never destroys held footage, and destroys it after the release (DH-08, invariant 4)", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    rig.clock.move(60 * DAY_MS);
    await sweep(rig, { count: 3 });
    assert.equal(await stateOf(rig, id), "stored");
    assert.deepEqual(await footageIn(rig), { vault: 1, spool: 1 });
    await rig.database.transaction((sql) => recordRelease(sql, rig.clock.now(), HOLD, 2));
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
  });

  it("keeps what the vault holds though no desk entry says so, and alarms", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    const [version] = await Array.fromAsync(rig.vault.list("footage/dock-1/", NEVER));
    await rig.vault.setHold(version?.key ?? "", version?.versionId ?? "", true);
    rig.clock.move(30 * DAY_MS);
    await sweep(rig, { count: 3 });
    assert.equal(await stateOf(rig, id), "stored");
    assert.equal(rig.said.filter((event) => event === "held-by-vault-only").length, 1);
  });

  it("does not let a vault that is away keep the spool copy past its term, and finishes later", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    await rename(join(rig.folder, "vault"), join(rig.folder, "away"));
    rig.clock.move(28 * DAY_MS);
    await sweep(rig, { count: 3 });
    assert.equal(await stateOf(rig, id), "destroying");
    assert.deepEqual(await readdir(join(rig.spool.path, "segments"), { recursive: true }), [
      "2026-06-01",
    ]);
    assert.equal(rig.said.filter((event) => event === "destroy-delayed").length, 1);
    await rename(join(rig.folder, "away"), join(rig.folder, "vault"));
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await rig.check(), []);
  });

  it("waits for a desk that cannot be read while the law allows, and no longer", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    const unread: HeedDesk = async () => false;
    rig.clock.move(START + 28 * DAY_MS - HOUR_MS + MINUTE_MS - rig.clock.now());
    await sweep(rig, { heed: unread });
    assert.equal(await stateOf(rig, id), "stored");
    rig.clock.move(50 * MINUTE_MS);
    await sweep(rig, { heed: unread });
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.ok(rig.clock.now() < START + 28 * DAY_MS);
  });

  it("destroys much at once, each with its row in one ledger entry", async () => {
    await using rig = await openRig();
    await confirm(rig);
    for (let minute = 0; minute < 12; minute += 1)
      await rig.record(`beeld ${minute}`, named(minute));
    await rig.adoptOnce();
    await rig.storeOnce();
    rig.clock.move(29 * DAY_MS);
    await sweep(rig);
    const entries = await rig.database.transaction((sql) =>
      sql.all("select body ->> 'rows' as rows from entry where kind = 'segments.destroyed'"),
    );
    assert.deepEqual(
      entries.map((row) => row["rows"]),
      [12],
    );
    assert.deepEqual(await rig.check(), []);
  });
});

describe("time (invariant 10)", () => {
  it("is not trusted before somebody confirmed it: nothing is destroyed, the alarm comes at once and daily", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    rig.clock.move(40 * DAY_MS);
    await sweep(rig, { count: 10 });
    const alarm = clockUntrusted(rig.clock, rig.events, rig.database);
    const told = async (minutes: number) => {
      rig.said.splice(0);
      await lookForAlarms(rig, [alarm], minutes);
      return rig.said;
    };
    assert.deepEqual(await told(10), ["clock-untrusted"]);
    assert.deepEqual(await told(10), [], "also over a restart of core");
    rig.clock.move(DAY_MS);
    assert.deepEqual(await told(10), ["clock-untrusted"]);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "stored");
    await confirm(rig);
    assert.deepEqual(await told(2), ["clock-trusted"]);
  });

  it("is not trusted after a jump of more than five minutes, in either direction", async () => {
    for (const jump of [29 * DAY_MS, -2 * DAY_MS, 6 * MINUTE_MS]) {
      await using rig = await openRig();
      await confirm(rig);
      const id = await rig.keep("beeld");
      rig.clock.jump(jump);
      await sweep(rig);
      assert.equal(await stateOf(rig, id), "stored", `jump of ${jump}`);
      await lookForAlarms(rig, [clockUntrusted(rig.clock, rig.events, rig.database)]);
      assert.ok(rig.said.includes("clock-untrusted"));
      const told = await rig.database.transaction((sql) =>
        sql.all("select 1 from entry where kind = 'clock.untrusted'"),
      );
      assert.equal(told.length, 1);
    }
  });

  it("stays untrusted when the clock jumps back by itself, until somebody confirms it", async () => {
    await using rig = await openRig();
    await confirm(rig);
    rig.clock.jump(DAY_MS);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, false);
    rig.clock.jump(-DAY_MS);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, false);
    await confirm(rig);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, true);
  });

  it("is not fooled by many small jumps", async () => {
    await using rig = await openRig();
    await confirm(rig);
    for (let step = 0; step < 10; step += 1) {
      rig.clock.jump(MINUTE_MS);
      await timeTrust(rig.clock, rig.database);
    }
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, false);
  });

  it("is not trusted after the machine was started, and is after a restart of the program alone", async () => {
    await using rig = await openRig();
    await confirm(rig);
    rig.clock.move(HOUR_MS);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, true);
    rig.clock.restart();
    assert.match((await timeTrust(rig.clock, rig.database)).why, /was started/);
  });

  it("is not confirmed by somebody who reads another time", async () => {
    await using rig = await openRig();
    const other = plus(rig.clock.now(), 6 * MINUTE_MS);
    await assert.rejects(confirmTime(rig.clock, rig.database, other, "test"), {
      code: "CLOCK_DISAGREES",
    });
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, false);
  });
});

describe("footage that arrives while the clock is wrong", () => {
  async function docked(jumpMs: number): Promise<{ rig: Rig; id: SegmentId }> {
    const rig = await openRig();
    rig.clock.jump(jumpMs);
    const id = await rig.keep("beeld", named(-10));
    rig.clock.move(HOUR_MS);
    rig.clock.jump(-jumpMs);
    await confirm(rig);
    return { rig, id };
  }

  it("by 60 days behind is not destroyed when the clock is put right, but in its own 28th day", async () => {
    const { rig, id } = await docked(-60 * DAY_MS);
    await using _ = rig;
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "stored");
    rig.clock.move(27 * DAY_MS);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "stored");
    rig.clock.move(DAY_MS - HOUR_MS);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await rig.check(), []);
  });

  it("by a year ahead is not kept a year longer", async () => {
    const { rig, id } = await docked(365 * DAY_MS);
    await using _ = rig;
    rig.clock.move(28 * DAY_MS);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
  });

  it("counts as arrived now when the machine was started in between", async () => {
    await using rig = await openRig();
    rig.clock.jump(-60 * DAY_MS);
    const id = await rig.keep("beeld", named(-10));
    rig.clock.restart();
    rig.clock.jump(60 * DAY_MS);
    await confirm(rig);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "stored");
    const terms = await rig.database.transaction((sql) =>
      sql.all("select body from entry where kind = 'segment.term'"),
    );
    assert.equal(terms.length, 1);
  });
});

describe("a camera's clock that was seen against a wrong clock of ours", () => {
  /** Docked while both clocks were so far off; then ours is put right, in the same start or after another. */
  async function docked(declared: "synchronised" | "unknown", restarts: boolean, offMs: number) {
    const rig = await openRig();
    rig.clock.jump(offMs);
    const folder = join(rig.folder, "card");
    // An hour ago, in summer time.
    const local = isoOf(plus(rig.clock.now(), HOUR_MS)).slice(0, 19);
    const name = `DCIM/100MEDIA/${local.replaceAll(/[-:]/g, "").replace("T", "_")}.MP4`;
    await makeCard(folder, [{ path: name, changed: "2026-06-01 12:00:00" }]);
    const { profile, ...dock } = dockOf(CAMERA, folder);
    const seen = {
      ...dock,
      profile: { ...profile, clock: declared },
      seenClock: seenNow(rig.clock, 0),
    };
    const file = { path: Buffer.from(name), bytes: 16, modifiedAt: rig.clock.now() };
    const source = Buffer.from(join(folder, name));
    const { id } = await handOver(
      rig.clock,
      rig.sealing,
      seen,
      file,
      source,
      async () => true,
      NEVER,
    );
    await rig.adoptOnce();
    if (restarts) rig.clock.restart();
    rig.clock.jump(-offMs);
    await confirm(rig);
    await sweep(rig);
    const query = "select time_trust from segment where id = $id";
    const [row] = await rig.database.transaction((sql) => sql.all(query, { $id: id }));
    return { rig, trust: row?.["time_trust"] };
  }

  it("does not make fresh footage look old when two wrong clocks agreed (DH-07)", async () => {
    for (const restarts of [false, true]) {
      const { rig, trust } = await docked("unknown", restarts, -20 * DAY_MS);
      await using _ = rig;
      assert.equal(trust, "untrusted");
    }
  });

  it("leaves what a profile promises as it is when nobody knows any more what ours was", async () => {
    const { rig, trust } = await docked("synchronised", true, -DAY_MS);
    await using _ = rig;
    assert.equal(trust, "trusted");
  });
});

describe("another vault in the place of the one that was there", () => {
  it("is not taken for proof that footage is gone (R-01)", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    const root = join(rig.folder, "vault");
    const vault = await openDirectoryVault(root, rememberedVault(rig.database));
    assert.equal((await vault.unfinished("footage/")).length, 0);
    await rename(root, `${root}-away`);
    await createDirectoryVault(root);
    rig.clock.move(29 * DAY_MS);
    await sweep(rig, { vault });
    assert.equal(await stateOf(rig, id), "destroying");
    await rm(root, { recursive: true });
    await rename(`${root}-away`, root);
    await sweep(rig, { vault });
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await footageIn(rig), { vault: 0, spool: 0 });
  });

  it("that lost a copy before its term is told of, not passed over", async () => {
    await using rig = await openRig();
    await confirm(rig);
    await rig.keep("beeld");
    await rm(join(rig.folder, "vault", "footage"), { recursive: true });
    rig.clock.move(29 * DAY_MS);
    await sweep(rig);
    assert.ok(rig.said.includes("vault-copy-missing"));
  });
});

describe("storing", () => {
  it("waits for a vault that is away and goes on when it is back, losing nothing", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    await rename(join(rig.folder, "vault"), join(rig.folder, "away"));
    await rig.storeOnce();
    assert.equal(await stateOf(rig, id), "sealed");
    assert.ok(rig.said.includes("store-delayed"));
    await rename(join(rig.folder, "away"), join(rig.folder, "vault"));
    await rig.storeOnce();
    assert.equal(await stateOf(rig, id), "stored");
    assert.deepEqual(await rig.check(), []);
  });

  it("alarms at a sealed file that is not what was sealed, and goes on with the others", async () => {
    await using rig = await openRig();
    const bad = await rig.record("beeld", named(0));
    const good = await rig.record("ander", named(5));
    await rig.adoptOnce();
    const path = join(rig.spool.path, "segments", "2026-06-01", `${bad}.age`);
    await rm(path);
    await rename(await spoiled(rig), path);
    await rig.storeOnce();
    assert.equal(await stateOf(rig, bad), "sealed");
    assert.equal(await stateOf(rig, good), "stored");
    assert.ok(rig.said.includes("unsafe"));
    assert.match(
      (await rig.check()).map(({ what }) => what).join(),
      /not the bytes that were sealed|bytes in the spool/,
    );
  });

  it("leaves in the spool what claims to be overdue by an untrusted clock", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld", "DCIM/100MEDIA/20000101_000001.MP4");
    await rig.adoptOnce();
    await rig.storeOnce();
    assert.equal(await stateOf(rig, id), "sealed");
    assert.ok(rig.said.includes("time-uncertain"));
  });
});

async function spoiled(rig: Rig): Promise<string> {
  const { writeFile } = await import("node:fs/promises");
  const path = join(rig.folder, "spoiled");
  await writeFile(path, "x".repeat(300));
  return path;
}

describe("a vault error that is not foreseen", () => {
  it("ends the sweep instead of being taken for destruction", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    rig.clock.move(29 * DAY_MS);
    const vault: Vault = {
      ...rig.vault,
      destroy: () =>
        Promise.reject(new BewaardError("VAULT_UNAVAILABLE", "no answer", { transient: true })),
    };
    await sweep(rig, { vault });
    assert.equal(await stateOf(rig, id), "destroying");
    assert.equal((await footageIn(rig)).vault, 1);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
  });
});

describe("a full disk under the catalog", () => {
  it("stops no loop: what could not be done now is done in a later turn", async () => {
    await using rig = await openRig();
    await confirm(rig);
    const id = await rig.keep("beeld");
    rig.clock.move(29 * DAY_MS);
    let failures = 5;
    const full: Database = {
      ...rig.database,
      transaction: (body) => {
        failures -= 1;
        if (failures < 0) return rig.database.transaction(body);
        return Promise.reject(new BewaardError("CATALOG_FULL", "no room", { transient: true }));
      },
    };
    await retainOnce({ ...rig, database: full }, 8);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.equal(rig.said.filter((event) => event === "turn-failed").length, 1);
    assert.deepEqual(await rig.check(), []);
  });
});
