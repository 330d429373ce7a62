import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS } from "#base/time";
import { shownHolds } from "../daemon/cli/hold-commands.ts";
import { findLostHolds, isStrayHold } from "../daemon/compare-holds.ts";
import { enforcer } from "../daemon/enforce-holds.ts";
import { holdAnswers } from "../daemon/hold-answers.ts";
import { roomMaker } from "../daemon/ring.ts";
import type { Medium } from "../daemon/secure.ts";
import { confirmTime } from "../daemon/trust.ts";
import { spoolBytes } from "../storage/catalog/evict.ts";
import { check } from "../storage/check.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import {
  enforceOnce,
  HOLD,
  hold,
  namedDisk,
  OTHER_HOLD,
  openDisk,
  present,
  release,
  rowsOf,
  secureOnce,
  unplug,
} from "./fakes/medium.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, named, openRig, type Rig } from "./fakes/rig.ts";

async function onDisk({ vault }: Medium): Promise<readonly string[]> {
  return (await Array.fromAsync(vault.list("footage/dock-1/", NEVER))).map(({ key }) => key);
}

async function inForce(rig: Rig): Promise<boolean> {
  const [row] = await rowsOf(rig, "select in_force_at_ms from hold where released_at_ms is null");
  return row?.["in_force_at_ms"] !== null;
}

async function stateOf(rig: Rig, id: SegmentId): Promise<unknown> {
  const [row] = await rowsOf(rig, `select state from segment where id = '${id}'`);
  return row?.["state"];
}

describe("held footage on a separate medium (AR-20)", () => {
  it("is copied from the spool, read back, and in the ledger with who, what, serial and hash", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await rig.keep("ander beeld", named(5));
    await hold(rig, id);
    await secureOnce(rig, medium);
    const [key, ...others] = await onDisk(medium);
    assert.deepEqual([key?.endsWith(`${id}.age`), others], [true, []]);
    const sealed = await readFile(join(rig.spool.path, "segments", "2026-06-01", `${id}.age`));
    const [told] = await rowsOf(rig, "select body from entry where kind = 'hold.secured'");
    const entry: unknown = JSON.parse(String(told?.["body"]));
    const sha256 = createHash("sha256").update(sealed).digest("hex");
    const where = { medium: "usb-schijf", serial: "WD-123" };
    const facts = { hold: HOLD, segment: id, ...where, sha256, by: "p-01" };
    assert.partialDeepStrictEqual(entry, { kind: "hold.secured", ...facts });
    assert.deepEqual(await rig.check(), []);
  });

  it("is copied from the vault where the spool has it no more, or in another state", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    const path = join(rig.spool.path, "segments", "2026-06-01", `${id}.age`);
    const sealed = await readFile(path);
    await rename(path, `${path}.away`);
    await writeFile(path, Buffer.alloc(sealed.length));
    await hold(rig, id);
    await secureOnce(rig, medium);
    assert.equal((await onDisk(medium)).length, 1);
    assert.ok(rig.said.includes("hold-secured"));
  });

  it("is not told to be safe when no copy is what was sealed", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    const path = join(rig.spool.path, "segments", "2026-06-01", `${id}.age`);
    await rename(path, `${path}.away`);
    await rename(join(rig.folder, "vault", "footage"), join(rig.folder, "vault", "gone"));
    await hold(rig, id);
    await secureOnce(rig, medium);
    assert.deepEqual(await onDisk(medium), []);
    assert.ok(rig.said.includes("securing-delayed"));
    assert.equal(
      (await rowsOf(rig, "select 1 from hold where secured_at_ms is not null")).length,
      0,
    );
  });

  it("is not told to be safe when the medium reads back other bytes than it was given", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    const read = async function* () {
      yield Buffer.from("something else");
    };
    await secureOnce(rig, { ...medium, vault: { ...medium.vault, read } });
    assert.ok(rig.said.includes("securing-delayed"));
    assert.equal(rig.said.includes("hold-secured"), false);
  });

  it("serves a hold that comes later, with an entry of its own", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    // The disk lies in a safe by now: what it has was seen when it was made.
    await unplug(rig);
    await hold(rig, id, OTHER_HOLD);
    await secureOnce(rig, medium);
    await present(rig);
    const told = await rowsOf(rig, "select body from entry where kind = 'hold.secured'");
    assert.equal(told.length, 2);
    assert.equal((await onDisk(medium)).length, 1);
  });

  it("of a medium that is away waits, is told of after an hour and each day, and goes on by itself", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await unplug(rig);
    await hold(rig, id);
    await secureOnce(rig, medium);
    assert.equal(rig.said.includes("medium-awaited"), false);
    rig.clock.move(HOUR_MS);
    await secureOnce(rig, medium, { count: 5 });
    assert.equal(rig.said.filter((event) => event === "medium-awaited").length, 1);
    await present(rig);
    await secureOnce(rig, medium);
    assert.equal((await onDisk(medium)).length, 1);
  });

  it("never goes to another disk under the same name, nor to this one under another", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    assert.deepEqual(await onDisk(medium), []);
    await hold(rig, id);
    await assert.rejects(onDisk(await namedDisk(rig, "WD-999")), { code: "VAULT_IDENTITY" });
    await unplug(rig);
    const stranger = await openDisk(rig);
    await assert.rejects(onDisk(stranger), { code: "VAULT_IDENTITY" });
    await secureOnce(rig, stranger);
    const folders = await readdir(join(rig.folder, "medium"));
    assert.equal(folders.includes("footage"), false);
  });

  it("on a disk that is full waits, and says that it is full", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    const put = async () => {
      throw new BewaardError("VAULT_FULL", "full", { transient: true });
    };
    await secureOnce(rig, { ...medium, vault: { ...medium.vault, put } }, { count: 3 });
    assert.equal(rig.said.filter((event) => event === "medium-full").length, 1);
    await secureOnce(rig, medium);
    assert.equal((await onDisk(medium)).length, 1);
  });

  it("is missing where policy asks for it and there is no medium: an alarm each day", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, undefined, { count: 3 });
    assert.equal(rig.said.filter((event) => event === "separate-copy-missing").length, 1);
    const lax = { wanted: false, destroyWithinMs: DAY_MS };
    await secureOnce(rig, undefined, { policy: lax });
    assert.equal(rig.said.filter((event) => event === "separate-copy-missing").length, 1);
  });

  it("lets the ring have its spool copy, though the vault was not yet seen to hold it", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    const limits = { limitBytes: 1, keepFreeBytes: 0 };
    const { clock, events, database, spool } = rig;
    const makeRoom = roomMaker(clock, events, database, spool, limits, async () => true);
    assert.equal(await makeRoom(1, false), false);
    await secureOnce(rig, medium);
    assert.equal(await makeRoom(1, false), true);
    assert.equal(await spoolBytes(database), 0);
  });
});

describe("a hold in force", () => {
  it("needs the separate copy where there is a medium, whichever comes first", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await enforceOnce(rig, true);
    assert.equal(await inForce(rig), false);
    await secureOnce(rig, medium);
    await enforceOnce(rig, true);
    assert.equal(await inForce(rig), true);
    assert.ok(rig.said.includes("hold-in-force"));
    assert.deepEqual(await rig.check(), []);
  });

  it("in a vault without holds needs a published checkpoint over the entry that asked for it", async () => {
    await using rig = await openRig();
    const plain = { ...rig.vault, level: "plain", isHeld: async () => false } as const;
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await enforceOnce(rig, false, plain);
    assert.equal(await inForce(rig), false);
    const [entry] = await rowsOf(rig, "select seq from entry where kind = 'hold.requested'");
    const publish = (size: number) =>
      rowsOf(rig, `insert into checkpoint values (${size}, 1, 'note', 1) returning size`);
    await publish(Number(entry?.["seq"]));
    await enforceOnce(rig, false, plain);
    assert.equal(await inForce(rig), false);
    await publish(Number(entry?.["seq"]) + 1);
    await enforceOnce(rig, false, plain);
    assert.equal(await inForce(rig), true);
  });

  it("is read back on every version, also one that nobody put there", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const [version] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    const folder = join(rig.folder, "vault", `${version?.key}~`);
    const other = "01J0000000000000000000000A";
    await cp(join(folder, version?.versionId ?? ""), join(folder, other), { recursive: true });
    await hold(rig, id);
    await enforceOnce(rig, false);
    assert.ok(await rig.vault.isHeld(version?.key ?? "", other));
    assert.ok(await rig.vault.isHeld(version?.key ?? "", version?.versionId ?? ""));
  });

  it("is left to the desk by a box that may not set it, and seen when the desk has", async () => {
    await using rig = await openRig();
    const setHold = async () => {
      throw new BewaardError("VAULT_DENIED", "no");
    };
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await enforceOnce(rig, false, { ...rig.vault, setHold });
    assert.equal(await inForce(rig), false);
    assert.ok(rig.said.includes("hold-left-to-desk"));
    const [version] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    await rig.vault.setHold(version?.key ?? "", version?.versionId ?? "", true);
    await enforceOnce(rig, false, { ...rig.vault, setHold });
    assert.equal(await inForce(rig), true);
  });
});

describe("a release", () => {
  it("destroys the separate copy at once, and leaves the ordinary ones until they are due", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    await release(rig);
    await secureOnce(rig, medium);
    assert.deepEqual(await onDisk(medium), []);
    assert.equal(await stateOf(rig, id), "stored");
    const told = await rowsOf(rig, "select body from entry where kind = 'secured.destroyed'");
    assert.match(String(told[0]?.["body"]), /"left":0.*"serial":"WD-123","versions":1/);
    assert.deepEqual(await rig.check(), []);
  });

  it("destroys no separate copy that another hold needs, nor while time is not trusted", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await hold(rig, id, OTHER_HOLD);
    await secureOnce(rig, medium);
    await release(rig);
    await secureOnce(rig, medium);
    assert.equal((await onDisk(medium)).length, 1);
    await release(rig, OTHER_HOLD);
    await secureOnce(rig, medium, { mayDestroy: false });
    assert.equal((await onDisk(medium)).length, 1);
    await secureOnce(rig, medium);
    assert.deepEqual(await onDisk(medium), []);
  });

  it("of what is due waits for a disk that is away, daily told of, and ends when it is presented", async () => {
    await using rig = await openRig();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    rig.clock.move(40 * DAY_MS);
    await unplug(rig);
    await release(rig);
    await secureOnce(rig, medium);
    await retainOnce(rig, 2);
    assert.equal(await stateOf(rig, id), "destroying");
    assert.deepEqual(await Array.fromAsync(rig.vault.list("footage/", NEVER)), []);
    rig.clock.move(8 * DAY_MS);
    await secureOnce(rig, medium, { count: 3 });
    for (const event of ["medium-must-come", "secured-overdue"])
      assert.equal(rig.said.filter((said) => said === event).length, 1, event);
    await present(rig);
    await secureOnce(rig, medium);
    await retainOnce(rig);
    assert.equal(await stateOf(rig, id), "destroyed");
    assert.deepEqual(await onDisk(medium), []);
    assert.equal(rig.said.includes("vault-copy-missing"), false);
    const [row] = await rowsOf(rig, `select body from batch_row where body like '%"left":0%'`);
    assert.match(String(row?.["body"]), /"missing":false,"secured":1,"versions":1/);
    assert.deepEqual(await rig.check(), []);
  });

  it("is undone for a hold that comes before the disk does: nothing held is destroyed there", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    await unplug(rig);
    await release(rig);
    await secureOnce(rig, medium);
    await hold(rig, id, OTHER_HOLD);
    await present(rig);
    await secureOnce(rig, medium);
    assert.equal((await onDisk(medium)).length, 1);
    const [row] = await rowsOf(rig, "select state from copy where place = 'secured'");
    assert.equal(row?.["state"], "present");
  });

  it("is refused by the catalog itself while something holds, whatever the code asks", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    const letGo = rowsOf(rig, "update copy set state = 'leaving' where place = 'secured'");
    await assert.rejects(letGo, { code: "CATALOG_RULE" });
  });
});

describe("verify, of a separate medium", () => {
  async function secured(rig: Rig): Promise<{ medium: Medium; id: SegmentId; body: string }> {
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    const files = await readdir(join(rig.folder, "medium"), { recursive: true });
    const body = files.find((name) => name.endsWith("/body")) ?? "";
    return { medium, id, body: join(rig.folder, "medium", body) };
  }

  async function found(rig: Rig, medium: Medium): Promise<string> {
    return (await rig.check("hashes", medium)).map(({ what }) => what).join("\n");
  }

  it("finds a copy that is gone, cut short or spoiled", async () => {
    await using rig = await openRig();
    const { medium, id, body } = await secured(rig);
    assert.equal(await found(rig, medium), "");
    const whole = await readFile(body);
    await chmod(body, 0o600);
    await writeFile(body, Buffer.alloc(whole.length));
    assert.equal(
      await found(rig, medium),
      `${id} on usb-schijf WD-123 is not the bytes that were sealed`,
    );
    await writeFile(body, whole.subarray(1));
    assert.match(await found(rig, medium), /bytes on usb-schijf WD-123/);
    await rm(dirname(body), { recursive: true });
    assert.equal(await found(rig, medium), `${id} is not on usb-schijf WD-123`);
  });

  it("finds the same in a catalog that was made again, which knows no name of a version there", async () => {
    await using rig = await openRig();
    const { medium, id, body } = await secured(rig);
    await rowsOf(rig, "update copy set version_id = null where place = 'secured' returning place");
    assert.equal(await found(rig, medium), "");
    const { length } = await readFile(body);
    await chmod(body, 0o600);
    await writeFile(body, Buffer.alloc(length));
    assert.match(await found(rig, medium), /is not the bytes that were sealed/);
    await rm(dirname(body), { recursive: true });
    assert.equal(await found(rig, medium), `${id} is not on usb-schijf WD-123`);
  });

  it("finds footage there without a row, and a row that says more than there is", async () => {
    await using rig = await openRig();
    const { medium } = await secured(rig);
    await rowsOf(rig, "drop trigger secured_copy_held");
    await rowsOf(rig, "update copy set state = 'gone' where place = 'secured' returning place");
    assert.match(await found(rig, medium), /has no row/);
    assert.match(await found(rig, medium), /is said to have its separate copy and has none/);
  });

  it("says what it could not look at when the medium is away, and calls that no finding", async () => {
    await using rig = await openRig();
    const { medium } = await secured(rig);
    await unplug(rig);
    const { database, spool, vault, box, key } = rig;
    const verifier = parseVerifier(verifierText(key));
    const kept = { database, spool, vault, node: box.node, verifier };
    const away = await check({ ...kept, secured: medium }, "sizes", rig.clock.now(), NEVER);
    assert.deepEqual(away.findings, []);
    assert.match(away.notes.join(), /^usb-schijf WD-123 not looked at: VAULT_IDENTITY/);
    const none = await check({ ...kept, secured: undefined }, "sizes", rig.clock.now(), NEVER);
    assert.match(none.notes.join(), /^1 separate copies on usb-schijf WD-123 not looked at/);
  });
});

describe("a hold that the vault has lost, or has alone", () => {
  it("is not in force any more, an alarm, and set again", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await enforceOnce(rig, false);
    const [version] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    assert.ok(version);
    await rig.vault.setHold(version.key, version.versionId, false);
    await findLostHolds(rig.events, rig.database, rig.vault, rig.box.node, rig.clock.now());
    assert.equal(await inForce(rig), false);
    assert.ok(rig.said.includes("hold-lost"));
    await enforceOnce(rig, false);
    assert.equal(await inForce(rig), true);
    assert.ok(await rig.vault.isHeld(version.key, version.versionId));
    const told = await rowsOf(rig, "select body from entry where kind = 'hold.lost'");
    assert.match(
      String(told[0]?.["body"]),
      new RegExp(`"holds":\\["${HOLD}"\\].*"segment":"${id}"`),
    );
  });

  it("is set again by the loop that reads the desk, within a day", async () => {
    await using rig = await openRig();
    const { clock, events, database, vault, box } = rig;
    const enforce = enforcer(clock, events, database, vault, box.node, false);
    await hold(rig, await rig.keep("beeld"));
    await enforce(clock.now());
    const [version] = await Array.fromAsync(vault.list("footage/", NEVER));
    await vault.setHold(version?.key ?? "", version?.versionId ?? "", false);
    clock.move(DAY_MS);
    await enforce(clock.now());
    assert.ok(rig.said.includes("hold-lost"));
    assert.ok(await vault.isHeld(version?.key ?? "", version?.versionId ?? ""));
  });

  it("is a stray where no desk entry has it, and none where a release is on its way", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const [version] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    assert.ok(version);
    const stray = () => isStrayHold(rig.database, rig.vault, version);
    assert.equal(await stray(), false);
    await rig.vault.setHold(version.key, version.versionId, true);
    assert.equal(await stray(), true);
    await hold(rig, id);
    assert.equal(await stray(), false);
    await release(rig);
    assert.equal(await stray(), false);
  });
});

describe("the list of holds", () => {
  it("says of each whether it is asked, in force or released, and where its copies lie", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    const shown = async () => {
      const found = await holdAnswers(rig.database).holds({ hold: HOLD }, () => undefined);
      return shownHolds(found);
    };
    await hold(rig, id);
    assert.match(
      await shown(),
      /NOG NIET VEILIG[^]*separate medium: 0[^]*geen afzonderlijke kopie/,
    );
    await enforceOnce(rig, true);
    await secureOnce(rig, medium);
    await enforceOnce(rig, true);
    assert.match(await shown(), /van kracht[^]*door \/ by p-01[^]*usb-schijf WD-123/);
    await unplug(rig);
    await release(rig);
    await secureOnce(rig, medium);
    assert.match(await shown(), /vrijgegeven[^]*must leave usb-schijf WD-123/);
  });
});
