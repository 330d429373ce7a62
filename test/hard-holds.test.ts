import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import { enforcer } from "../daemon/enforce-holds.ts";
import { findBreaches } from "../daemon/find-breaches.ts";
import type { Medium } from "../daemon/secure.ts";
import { store } from "../daemon/store.ts";
import { confirmTime } from "../daemon/trust.ts";
import { rememberedMedium } from "../storage/catalog/medium.ts";
import { recordMediumDestroyed } from "../storage/catalog/medium-destroyed.ts";
import { openDirectoryVault } from "../storage/vault/directory.ts";
import { rememberedVault } from "../storage/vault/remember.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { lockedVault } from "./fakes/locked-vault.ts";
import {
  enforceOnce,
  HOLD,
  hold,
  OTHER_HOLD,
  openDisk,
  present,
  release,
  rowsOf,
  secureOnce,
  unplug,
} from "./fakes/medium.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, named, openRig, type Rig, START, UPLOAD } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

async function sweep(rig: Rig, vault: Vault = rig.vault, heeded = true): Promise<void> {
  await retainOnce({ ...rig, vault }, 1, async () => heeded);
}

async function stateOf(rig: Rig, id: SegmentId): Promise<unknown> {
  const [row] = await rowsOf(rig, `select state from segment where id = '${id}'`);
  return row?.["state"];
}

async function trusted(rig: Rig): Promise<void> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
}

const away = async (): Promise<never> => {
  throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
};

async function onDisk({ vault }: Medium): Promise<number> {
  return (await Array.fromAsync(vault.list("footage/dock-1/", NEVER))).length;
}

async function breaches(rig: Rig): Promise<readonly unknown[]> {
  const { clock, signal } = turns(rig.clock, 1);
  await findBreaches(clock, rig.events, rig.database, rig.spool, rig.box.term, signal);
  return (await rowsOf(rig, "select what from breach")).map((row) => row["what"]);
}

describe("a release that the vault hears late (invariants 3, 8)", () => {
  it("is lifted also where its footage was marked to be destroyed while the vault was away", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await enforceOnce(rig, false);
    rig.clock.move(40 * DAY_MS);
    await release(rig);
    const gone: Vault = { ...rig.vault, versions: away, isHeld: away, abandon: away };
    await enforceOnce(rig, false, gone);
    assert.ok(rig.said.includes("lift-delayed"));
    await sweep(rig, gone, false);
    assert.equal(await stateOf(rig, id), "destroying");
    await enforceOnce(rig, false);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
  });

  it("is lifted also from what a write left that nobody saw the end of", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    await hold(rig, id);
    const { events, database, spool, vault, box } = rig;
    const { clock, signal } = turns(rig.clock, 1);
    const silent: Vault = { ...vault, read: cutOff };
    await store(clock, events, database, spool, silent, box.node, UPLOAD, signal);
    assert.equal(await stateOf(rig, id), "sealed");
    assert.equal((await Array.fromAsync(vault.list("footage/", NEVER))).length, 1);
    await release(rig);
    rig.clock.move(40 * DAY_MS);
    await enforceOnce(rig, false);
    await sweep(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
  });

  it("of one that cannot be lifted keeps no other from being lifted", async () => {
    await using rig = await openRig();
    const [first, second] = [await rig.keep("een", named(0)), await rig.keep("twee", named(5))];
    await hold(rig, first);
    await hold(rig, second, OTHER_HOLD);
    await enforceOnce(rig, false);
    await release(rig);
    await release(rig, OTHER_HOLD);
    const stuck: Vault = {
      ...rig.vault,
      setHold: (key, version, held) =>
        key.includes(first) ? away() : rig.vault.setHold(key, version, held),
    };
    const { clock, events, database, box } = rig;
    const enforce = enforcer(clock, events, database, stuck, box.node, false);
    await enforce(clock.now());
    const lifted = await rowsOf(rig, "select segment_id from hold where lifted_at_ms is not null");
    assert.deepEqual(
      lifted.map((row) => row["segment_id"]),
      [second],
    );
  });
});

describe("a hold with the id of one that was released (invariant 4)", () => {
  it("is told that it holds nothing", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await release(rig);
    await hold(rig, id);
    const told = await rowsOf(rig, "select kind from entry where kind like 'hold.%' order by seq");
    assert.deepEqual(
      told.map((row) => row["kind"]),
      ["hold.requested", "hold.released", "hold.too-late"],
    );
  });
});

describe("a separate medium", () => {
  it("that was signed to be destroyed gets nothing more, though it never went away", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    await rig.database.transaction((sql) =>
      recordMediumDestroyed(sql, rig.clock.now(), medium, "all", { desk: [1], by: ["p-01"] }),
    );
    await secureOnce(rig, medium);
    const copies = await rowsOf(rig, "select state from copy where place = 'secured'");
    assert.deepEqual(
      copies.map((row) => row["state"]),
      ["gone"],
    );
  });

  it("that was signed to be destroyed and is here is an alarm each day (invariant 3)", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    await release(rig);
    await rig.database.transaction((sql) =>
      recordMediumDestroyed(sql, rig.clock.now(), medium, "all", { desk: [1], by: ["p-01"] }),
    );
    assert.equal(await onDisk(medium), 1);
    await secureOnce(rig, medium, { count: 3 });
    assert.equal(rig.said.filter((event) => event === "medium-returned").length, 1);
  });

  it("that was being written to when another took its place is waited for: nothing is forgotten on it", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const first = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    // Whole there, and the box went down before it could say so.
    const cut = { ...first, vault: { ...first.vault, read: cutOff } };
    await secureOnce(rig, cut);
    assert.equal(await onDisk(first), 1);
    const second = await openDisk(rig, "WD-124", "medium-2");
    await secureOnce(rig, second);
    await release(rig);
    await secureOnce(rig, second);
    await secureOnce(rig, first);
    assert.deepEqual([await onDisk(first), await onDisk(second)], [0, 0]);
  });

  it("is not the vault itself, whichever of both is met first", async () => {
    await using rig = await openRig();
    const name = { kind: "usb-schijf", serial: "WD-123" };
    const recognise = rememberedMedium(rig.database, () => rig.clock.now(), name);
    const root = join(rig.folder, "vault");
    const medium = await openDirectoryVault(root, recognise);
    await medium.unfinished("footage/");
    const vault = await openDirectoryVault(root, rememberedVault(rig.database));
    await assert.rejects(vault.unfinished("footage/"), { code: "VAULT_IDENTITY" });
  });

  it("that has lost a copy is an alarm, its hold not in force, and it is copied anew (AR-20)", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    await hold(rig, await rig.keep("beeld"));
    await secureOnce(rig, medium);
    await enforceOnce(rig, true);
    for await (const { key, versionId } of medium.vault.list("footage/", NEVER))
      await medium.vault.destroy(key, versionId);
    await secureOnce(rig, medium);
    assert.ok(rig.said.includes("secured-lost"));
    const [row] = await rowsOf(rig, "select in_force_at_ms, secured_at_ms from hold");
    assert.equal(row?.["in_force_at_ms"], null);
    assert.notEqual(row["secured_at_ms"], null);
    assert.equal(await onDisk(medium), 1);
    await enforceOnce(rig, true);
    assert.deepEqual(await rig.check("hashes", medium), []);
  });

  it("that goes away is not taken for one that was emptied", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    await unplug(rig);
    await assert.rejects(medium.vault.traces("footage/dock-1/x"), { code: "VAULT_IDENTITY" });
    await present(rig);
  });
});

async function* cutOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(0);
  await away();
}

describe("what was held past its term and is released", () => {
  it("is no breach while policy gives it time, and one after that (DH-09, AR-29)", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    await unplug(rig);
    rig.clock.move(40 * DAY_MS);
    await trusted(rig);
    await release(rig);
    await sweep(rig);
    await secureOnce(rig, medium);
    assert.deepEqual(await breaches(rig), []);
    rig.clock.move(7 * DAY_MS - 3 * HOUR_MS);
    assert.deepEqual(await breaches(rig), []);
    rig.clock.move(4 * HOUR_MS);
    assert.deepEqual(await breaches(rig), [id]);
  });

  it("before its lock ends has no more than its term: the bucket's rule is in time (invariant 3)", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    const { vault } = lockedVault(rig.vault, NEVER);
    const { events, database, spool, box } = rig;
    const { clock, signal } = turns(rig.clock, 1);
    await store(clock, events, database, spool, vault, box.node, UPLOAD, signal);
    await hold(rig, id, HOLD);
    rig.clock.move(START + 25 * DAY_MS - rig.clock.now());
    await release(rig);
    rig.clock.move(DAY_MS + MINUTE_MS);
    await trusted(rig);
    await sweep(rig, vault);
    assert.equal(await stateOf(rig, id), "destroying");
    rig.clock.move(2 * DAY_MS + HOUR_MS);
    await trusted(rig);
    assert.deepEqual(await breaches(rig), [id]);
  });
});

describe("a box that cannot read the desk", () => {
  it("lets footage in a locked bucket be until its term ends: a hold may be on its way (invariant 4)", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    const { vault } = lockedVault(rig.vault, NEVER);
    const { events, database, spool, box } = rig;
    const { clock, signal } = turns(rig.clock, 1);
    await store(clock, events, database, spool, vault, box.node, UPLOAD, signal);
    rig.clock.move(26 * DAY_MS + 3 * HOUR_MS);
    await trusted(rig);
    await sweep(rig, vault, false);
    assert.equal(await stateOf(rig, id), "stored");
    rig.clock.move(START + 28 * DAY_MS - 11 * MINUTE_MS - rig.clock.now());
    await sweep(rig, vault, false);
    assert.equal(await stateOf(rig, id), "stored");
    rig.clock.move(2 * MINUTE_MS);
    await sweep(rig, vault, false);
    assert.equal(await stateOf(rig, id), "destroying");
  });
});

describe("a hold on footage whose rows have left for the archive", () => {
  it("is told that it comes too late: it is not waited for", async () => {
    await using rig = await openRig();
    const gone = parseSegmentId("01J00000000000000000000009");
    await rowsOf(
      rig,
      "insert into batch (id, kind, opened_at_ms) values (7, 'archived', 1) returning id",
    );
    await rowsOf(rig, `insert into batch_row values (7, 0, '${gone}', '{}') returning position`);
    await hold(rig, gone);
    const told = await rowsOf(rig, "select kind from entry where kind like 'hold.%'");
    assert.deepEqual(
      told.map((row) => row["kind"]),
      ["hold.too-late"],
    );
  });
});

describe("footage that only the vault holds", () => {
  it("keeps no other from being destroyed, however much it is (invariant 3)", async () => {
    await using rig = await openRig();
    await trusted(rig);
    const id = await rig.keep("beeld");
    const many = 10_000;
    const columns = (
      await rowsOf(
        rig,
        "select name from pragma_table_info('segment') where name not in ('id', 'due_at_ms', 'source_path')",
      )
    ).map((row) => String(row["name"]));
    await rowsOf(
      rig,
      `insert into segment (id, due_at_ms, source_path, ${columns.join()})
       with recursive n (n) as (select 1 union all select n + 1 from n where n < ${many})
       select printf('01J%023d', n), due_at_ms - 1, null, ${columns.join()} from n, segment
       where id = '${id}' returning 1`,
    );
    rig.clock.move(40 * DAY_MS);
    await trusted(rig);
    const vault: Vault = {
      ...rig.vault,
      versions: async (key) =>
        key.includes(id) ? rig.vault.versions(key) : [{ key, versionId: "x", bytes: 1 }],
      isHeld: async (key) => !key.includes(id),
    };
    await sweep(rig, vault);
    assert.equal(await stateOf(rig, id), "destroyed");
  });
});
