import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { access, readdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { type Step, watchSteps } from "#base/step";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { backupOld } from "../daemon/alarms/backup-old.ts";
import { confirmTime } from "../daemon/trust.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { textBody } from "../storage/vault/body.ts";
import { backupKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import { backupsOf, lookForBackup, nameOf, openBackedUpRig } from "./fakes/backing-up.ts";
import { lockedVault } from "./fakes/locked-vault.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { NEVER, START } from "./fakes/rig.ts";

type BackedUpRig = Awaited<ReturnType<typeof openBackedUpRig>>;

async function left(rig: BackedUpRig): Promise<readonly string[]> {
  return (await readdir(rig.folder)).filter((name) => name.startsWith("backup"));
}

function away(vault: Vault): Vault {
  const none = async () => {
    throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
  };
  return { ...vault, put: none };
}

function said(rig: BackedUpRig, event: string): number {
  return rig.said.filter((one) => one === event).length;
}

describe("the daily backup", function () {
  this.timeout(120_000);

  it("is made ten minutes after the start and then once a day, and the ledger tells of each", async () => {
    await using rig = await openBackedUpRig();
    await lookForBackup(rig, 1);
    assert.deepEqual(await backupsOf(rig), []);
    await lookForBackup(rig, 3 * 24 * 6);
    const names = (await backupsOf(rig)).filter((name) => name.endsWith(".age"));
    assert.equal(names.length, 3);
    assert.equal(names[0], `${nameOf(plus(START, 20 * MINUTE_MS))}.age`);
    assert.deepEqual(
      (await backupsOf(rig)).filter((name) => name.endsWith(".note")),
      names.map((name) => name.replace("age", "note")),
    );
    const told = await rig.database.transaction((sql) =>
      sql.all("select body ->> 'key' as key from entry where kind = 'backup.made' order by seq"),
    );
    assert.deepEqual(
      told.map(({ key }) => key),
      names.map((name) => `backup/dock-1/${name}`),
    );
    assert.equal(said(rig, "backup-made"), 3);
    assert.deepEqual(await left(rig), []);
    assert.deepEqual(await rig.check("hashes"), []);
  });

  it("is not made once more after a restart on the same day", async () => {
    await using rig = await openBackedUpRig();
    for (let starts = 0; starts < 3; starts += 1) await lookForBackup(rig, 4);
    assert.equal((await backupsOf(rig)).length, 2);
  });

  it("opens with age and the key from the envelope, without bewaard: one sound SQLite file of that moment", async () => {
    await using rig = await openBackedUpRig();
    await rig.keep("beeld");
    await lookForBackup(rig, 2);
    const [key] = (await backupsOf(rig)).filter((name) => name.endsWith(".age"));
    const [version] = await rig.vault.versions(`backup/dock-1/${key}`);
    const folder = join(rig.folder, "vault/backup/dock-1", `${key}~`, version?.versionId ?? "");
    await writeFile(join(rig.folder, "envelope"), `# on paper\n${rig.envelope}\n`, { mode: 0o600 });
    const opened = join(rig.folder, "opened.db");
    execFileSync("age", [
      "-d",
      "-i",
      join(rig.folder, "envelope"),
      "-o",
      opened,
      join(folder, "body"),
    ]);
    await using catalog = await openDatabase(opened);
    const rows = await catalog.transaction((sql) => sql.all("select state from segment"));
    assert.deepEqual(rows, [{ state: "stored" }]);
    const sound = await catalog.transaction((sql) => sql.all("pragma integrity_check"));
    assert.deepEqual(sound, [{ integrity_check: "ok" }]);
  });

  it("is not made while time is not trusted, nor is any destroyed (invariant 10)", async () => {
    await using rig = await openBackedUpRig();
    await putOld(rig, 30);
    rig.clock.restart();
    await lookForBackup(rig, 4);
    assert.equal((await backupsOf(rig)).length, 1);
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await lookForBackup(rig, 2);
    assert.equal((await backupsOf(rig)).length, 2);
    assert.ok(!(await backupsOf(rig)).includes(`${nameOf(plus(START, -30 * DAY_MS))}.age`));
  });

  it("that fails is said, leaves nothing behind, and is tried again after an hour; an alarm sounds once after two days, and is over with the next", async () => {
    await using rig = await openBackedUpRig();
    const without = { ...rig, vault: away(rig.vault) };
    await lookForBackup(without, 7);
    assert.equal(said(rig, "backup-failed"), 1);
    assert.deepEqual(await left(rig), []);
    const alarm = backupOld(rig.clock, rig.events, rig.database, true);
    await lookForBackup(without, 46 * 6);
    await lookForAlarms(rig, [alarm], 3);
    assert.equal(said(rig, "backup-old"), 0);
    for (let days = 0; days < 2; days += 1) {
      await lookForBackup(without, 24 * 6);
      await lookForAlarms(rig, [alarm], 3);
    }
    assert.ok(said(rig, "backup-failed") > 80 && said(rig, "backup-failed") < 100);
    assert.equal(said(rig, "backup-old"), 1);
    await lookForBackup(rig, 3);
    await lookForAlarms(rig, [alarm], 3);
    assert.deepEqual([said(rig, "backup-made"), said(rig, "backup-old-over")], [1, 1]);
  });

  it("is called old by no clock that is wrong, nor where none are wanted any more (invariant 10)", async () => {
    await using rig = await openBackedUpRig();
    const { clock, events, database } = rig;
    await lookForBackup(rig, 3);
    const alarm = backupOld(clock, events, database, true);
    clock.jump(40 * DAY_MS);
    await lookForAlarms(rig, [alarm], 3);
    assert.equal(said(rig, "backup-old"), 0);
    await confirmTime(clock, database, clock.now(), "test");
    await lookForAlarms(rig, [alarm], 3);
    assert.equal(said(rig, "backup-old"), 1);
    await lookForAlarms(rig, [backupOld(clock, events, database, false)], 1);
    assert.equal(said(rig, "backup-old-over"), 1);
  });

  it("waits while the disk has no room for it, and for a recovery key that is none", async () => {
    await using rig = await openBackedUpRig();
    const catalog = join(rig.folder, "large.db");
    await writeFile(catalog, "");
    await truncate(catalog, 2 ** 42);
    await lookForBackup(rig, 2, { catalog });
    assert.match(
      rig.lines.findLast((line) => line.includes("backup-failed")) ?? "",
      /CATALOG_FULL/,
    );
    await lookForBackup(rig, 2, { recipients: join(rig.folder, "absent.txt") });
    await writeFile(join(rig.folder, "recovery.txt"), "no key\n");
    await lookForBackup(rig, 2);
    assert.equal(said(rig, "backup-failed"), 3);
    const codes = rig.lines.filter((line) => line.includes("backup-failed"));
    assert.match(codes[1] ?? "", /CONFIG_MISSING/);
    assert.match(codes[2] ?? "", /RECIPIENT_INVALID/);
    assert.ok(!codes[2]?.includes("no key\n"));
    assert.deepEqual(await backupsOf(rig), []);
  });

  it("leaves free what the spool needs of its disk, so that no footage makes room for it (invariant 1)", async () => {
    await using rig = await openBackedUpRig();
    await lookForBackup(rig, 2, { keepFreeBytes: 2 ** 50 });
    assert.match(
      rig.lines.findLast((line) => line.includes("backup-failed")) ?? "",
      /CATALOG_FULL/,
    );
    // The spool has a disk of its own.
    await lookForBackup(rig, 2, { spool: "/proc", keepFreeBytes: 2 ** 50 });
    assert.equal(said(rig, "backup-made"), 1);
  });

  it("does not copy the catalog while the vault is away", async () => {
    await using rig = await openBackedUpRig();
    const versions = async () => {
      throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
    };
    const steps: Step[] = [];
    watchSteps((step) => steps.push(step));
    try {
      await lookForBackup({ ...rig, vault: { ...rig.vault, versions } }, 2);
    } finally {
      watchSteps(() => undefined);
    }
    assert.equal(said(rig, "backup-failed"), 1);
    assert.ok(!steps.includes("backup.copied"));
  });

  it("goes from a directory 24 days later, also where no new ones are made (invariant 3)", async () => {
    await using rig = await openBackedUpRig();
    for (const days of [23, 25, 40]) await putOld(rig, days);
    await putOld(rig, 25, "note");
    await lookForBackup(rig, 2, { recipients: undefined });
    assert.deepEqual(await backupsOf(rig), [`${nameOf(plus(START, -23 * DAY_MS))}.age`]);
    assert.equal(said(rig, "backup-made") + said(rig, "backup-old"), 0);
    // A shorter term is shorter here as well; a day is kept in any case.
    await lookForBackup(rig, 2, { recipients: undefined, termMs: 2 * DAY_MS });
    assert.deepEqual(await backupsOf(rig), []);
  });

  it("that could not be removed is tried again after an hour, and nothing waits for it (invariant 3)", async () => {
    await using rig = await openBackedUpRig();
    await putOld(rig, 25);
    const destroy = async () => {
      throw new BewaardError("VAULT_DENIED", "not now");
    };
    await lookForBackup({ ...rig, vault: { ...rig.vault, destroy } }, 2);
    assert.equal(said(rig, "turn-failed"), 1);
    assert.equal(said(rig, "backup-made"), 1);
    let refusals = 1;
    const once = async (...asked: Parameters<Vault["destroy"]>) => {
      refusals -= 1;
      return refusals < 0 ? rig.vault.destroy(...asked) : destroy();
    };
    await lookForBackup({ ...rig, vault: { ...rig.vault, destroy: once } }, 9);
    assert.equal(said(rig, "turn-failed"), 2);
    assert.equal((await backupsOf(rig)).filter((name) => name.endsWith(".age")).length, 1);
  });

  it("is left to a bucket's own rule, and an alarm says when that does not come", async () => {
    await using rig = await openBackedUpRig();
    for (const days of [25, 29]) await putOld(rig, days);
    const { vault } = lockedVault(rig.vault, NEVER);
    await lookForBackup({ ...rig, vault }, 2);
    assert.equal((await backupsOf(rig)).length, 4);
    assert.equal(said(rig, "backups-kept"), 1);
    const [{ invariant, what } = { invariant: 0, what: "" }] = await rig.check("sizes");
    assert.equal(invariant, 3);
    assert.match(what, /^backup\/dock-1\/20260503T100000Z\.age is older than a term$/);
    assert.equal(said(rig, "backup-made"), 1);
  });

  it("that was broken off leaves nothing in the vault, and its copy is nobody else's to read", async () => {
    await using rig = await openBackedUpRig();
    const key = backupKey(rig.box.node, START);
    const torn = {
      ...textBody("half"),
      async *open() {
        yield Buffer.from("ha");
      },
    };
    await assert.rejects(rig.vault.put(key, torn, FREELY, NEVER));
    await lookForBackup(rig, 2);
    assert.deepEqual(await rig.vault.unfinished("backup/dock-1/"), []);
    let mode = 0;
    const watching: Vault = {
      ...rig.vault,
      async put(...asked) {
        mode =
          (await stat(join(rig.folder, "backup.db"))).mode |
          (await stat(join(rig.folder, "backup.age"))).mode;
        return rig.vault.put(...asked);
      },
    };
    rig.clock.move(DAY_MS + HOUR_MS);
    await lookForBackup({ ...rig, vault: watching }, 2);
    assert.equal(mode & 0o777, 0o600);
    await assert.rejects(access(join(rig.folder, "backup.db")));
  });
});

async function putOld(rig: BackedUpRig, days: number, kind = "age"): Promise<void> {
  const key = backupKey(rig.box.node, plus(START, -days * DAY_MS)).replace(/age$/, kind);
  await rig.vault.put(key, textBody(`of ${days} days ago`), FREELY, NEVER);
}
