import assert from "node:assert/strict";
import { appendFile, cp, mkdir, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { makeRecoveryKey } from "../daemon/backup/recovery-key.ts";
import { shownRestore } from "../daemon/cli/shown-rebuild.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { checkBox } from "../daemon/fitness/check-box.ts";
import { catalogPath, vaultFolder } from "../daemon/places.ts";
import { type RestoreReport, restoreBox } from "../daemon/restore/restore.ts";
import { setupBox } from "../daemon/setup.ts";
import { verifyBox } from "../daemon/verify.ts";
import { waitsForConsistency } from "../storage/catalog/rebuilt.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { type BackedUpSite, openBackedUpSites } from "./fakes/backed-up-site.ts";
import { unseen } from "./fakes/backing-up.ts";
import { lose } from "./fakes/lost-box.ts";
import { NEVER } from "./fakes/rig.ts";
import { whileRunning } from "./fakes/site.ts";

const NOTHING_KNOWN = { verifier: undefined, atLeast: 0 };

function restore(box: BackedUpSite, identity = box.identity): Promise<RestoreReport> {
  return restoreBox(box.site.clock, box.site.demo.config, NOTHING_KNOWN, identity, NEVER);
}

/** Where the bytes of each backup lie, the oldest first; what was signed of it is at `.note`. */
async function backupsIn(box: BackedUpSite): Promise<readonly string[]> {
  const folder = join(vaultFolder(box.site.demo.config.vault), "backup/dock-1");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".age~")).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const [version = ""] = await readdir(join(folder, name));
      return join(folder, name, version, "body");
    }),
  );
}

async function change(path: string, how: (bytes: Buffer) => Uint8Array): Promise<void> {
  const bytes = await readFile(path);
  await rm(path);
  await writeFile(path, how(bytes));
}

function objectOf(path: string): string {
  return join(path, "../..");
}

describe("a dead box that made backups", function () {
  this.timeout(240_000);
  let sites: Awaited<ReturnType<typeof openBackedUpSites>>;
  before(async () => {
    sites = await openBackedUpSites();
  });
  after(() => sites[Symbol.asyncDispose]());

  it("is restored from its newest one and goes on; what it stored since comes from the vault (invariants 5, 6)", async () => {
    const box = await sites.again();
    const { clock, demo } = box.site;
    const { stored, lost, missing, refused, newer } = await restore(box);
    assert.deepEqual({ stored, lost, missing, refused, newer }, { ...NONE, stored: 3 });
    const { findings } = await verifyBox(clock, demo.config, "hashes", () => undefined, NEVER);
    assert.deepEqual(findings, []);
    assert.ok(await waits(box), "nothing is destroyed before vault and desk were read");
    await whileRunning(box.site, async (ask, signal, said) => {
      const made = async () => said.includes("backup-made");
      assert.ok(await passUntil(clock, MINUTE_MS, DAY_MS, made, signal), said.join(" "));
      assert.equal((await ask("status", {})).states["stored"], 3);
      assert.ok(!(await waits(box)));
      const { backupAt } = await ask("status", {});
      assert.ok(backupAt !== null && Date.parse(backupAt) > clock.now() - DAY_MS);
      const pathOfBox = join(box.site.folder, "bewaard.yaml");
      for (const [days, verdict] of [
        [0, "fit"],
        [3, "warning"],
      ] as const) {
        const later = { ...systemClock, now: () => plus(clock.now(), days * DAY_MS) };
        const rows = (await checkBox(later, pathOfBox, signal)).filter(isOfBackup);
        assert.deepEqual(
          rows.map((row) => row.verdict),
          ["fit", verdict],
        );
        assert.match(rows[1]?.says.nl ?? "", /de nieuwste is van/);
      }
    });
  });

  it("is told by check where it would have none: no recovery key, or one that is none", async () => {
    const box = await sites.again();
    const yaml = join(box.site.folder, "bewaard.yaml");
    const told = async () =>
      (await checkBox(systemClock, yaml, NEVER))
        .filter(isOfBackup)
        .map(({ verdict, says }) => `${verdict}: ${says.nl}`)
        .join();
    assert.equal(await told(), "fit: 1 herstelsleutel(s) (pq)");
    const text = await readFile(yaml, "utf8");
    await writeFile(yaml, text.replace("demo: true", "demo: false"));
    assert.match(await told(), /^fit/);
    const without = text.replace(/backup:\n {2}recipients: .*\n/, "");
    await writeFile(yaml, without.replace("demo: true", "demo: false"));
    assert.match(await told(), /^warning: er is geen herstelsleutel/);
    await writeFile(yaml, without);
    assert.equal(await told(), "");
    await writeFile(yaml, text.replace(/recovery\.txt/, "other.txt"));
    assert.match(await told(), /^not fit: .*CONFIG_MISSING/);
  });

  it("is told by check where the spool will fill the disk that they need, before it does", async () => {
    const box = await sites.again();
    const yaml = join(box.site.folder, "bewaard.yaml");
    const rows = async () => (await checkBox(systemClock, yaml, NEVER)).filter(isOfBackup);
    const text = (await readFile(yaml, "utf8")).replace("demo: true", "demo: false");
    const { bsize, bavail, blocks } = await statfs(box.site.folder);
    const limited = (bytes: number) =>
      writeFile(yaml, text.replace(/limit: .*/, `limit: ${Math.floor(bytes / 1e6)} MB`));
    const { state, spool } = box.site.demo.config;
    for (const path of [state, spool.path]) await mkdir(path, { recursive: true });
    await writeFile(join(state, "catalog.db"), "as large as this");
    // Of one that kept footage and does not answer; and of a new one, whose spool is to fill what is free.
    for (const wholeBytes of [blocks * bsize, bavail * bsize]) {
      await limited(wholeBytes - 100_000_000);
      const [, warned] = await rows();
      assert.equal(warned?.verdict, "warning");
      assert.match(warned.says.nl, /naast een volle ring geen ruimte voor een back-up/);
      await limited(wholeBytes / 2);
      assert.deepEqual(
        (await rows()).map(({ verdict }) => verdict),
        ["fit"],
      );
      await rm(join(state, "catalog.db"), { force: true });
    }
    // Before anybody has a key: a disk is divided once.
    const without = text.replace(/backup:\n {2}recipients: .*\n/, "");
    const full = without.replace(/limit: .*/, "limit: 9000 TB");
    await writeFile(yaml, full);
    assert.deepEqual(
      (await rows()).map(({ verdict }) => verdict),
      ["warning", "warning"],
    );
  });

  it("goes on under a new key, where the old one is gone: the desk's public key of it is enough", async () => {
    const box = await sites.again();
    const { config } = box.site.demo;
    const verifier = await setupBox(config);
    await rm(join(config.state, "node.key"));
    await setupBox(config);
    await assert.rejects(restore(box), { code: "BACKUP_BROKEN" });
    const { clock } = box.site;
    await restoreBox(clock, config, { verifier, atLeast: 0 }, box.identity, NEVER);
    await whileRunning(box.site, async (ask, signal) => {
      const one = async () => (await ask("status", {})).history === "one";
      assert.ok(await passUntil(clock, MINUTE_MS, HOUR_MS, one, signal));
      assert.deepEqual((await ask("verify", { depth: "sizes" })).findings, []);
    });
  });

  it("has what is still on a spool that survived it", async () => {
    const box = await sites.again("survives");
    const { clock, demo } = box.site;
    assert.equal((await restore(box)).setApart, 0);
    await using database = await openDatabase(catalogPath(demo.config));
    const copies = await database.transaction((sql) =>
      sql.all("select place, state, count(*) as n from copy group by 1, 2 order by 1"),
    );
    assert.deepEqual(copies, [
      { place: "spool", state: "present", n: 3 },
      { place: "vault", state: "present", n: 3 },
    ]);
    const { findings } = await verifyBox(clock, demo.config, "hashes", () => undefined, NEVER);
    assert.deepEqual(findings, []);
  });

  it("has nothing in its backup that opens footage, signs, or is known to the vault (invariant 7)", async () => {
    const box = await sites.again();
    const { config } = box.site.demo;
    await restore(box);
    const catalog = await readFile(catalogPath(config), "latin1");
    const pem = await readFile(join(config.state, "node.key"), "utf8");
    const key = pem.split("\n")[1] ?? "";
    assert.ok(key.length > 40);
    for (const secret of [key, "AGE-SECRET-KEY-", "PRIVATE KEY", box.identity])
      assert.ok(!catalog.includes(secret));
    assert.ok(catalog.includes("SQLite format 3"));
    const sealed = await Promise.all(
      (await backupsIn(box)).map((path) => readFile(path, "latin1")),
    );
    for (const one of sealed) assert.match(one, /^age-encryption\.org\/v1\n/);
    assert.ok(!sealed.some((one) => one.includes("SQLite format 3")));
  });

  it("opens with no other envelope, and says so; nothing is left behind", async () => {
    const box = await sites.again();
    const { identity } = await makeRecoveryKey(join(box.site.folder, "another.txt"), "pq", unseen);
    await assert.rejects(restore(box, identity), { code: "SEAL_NOT_FOR_US" });
    await assert.rejects(restore(box, "no key at all"), (error: Error) => {
      assert.match(String(error), /not an age identity/);
      return !String(error).includes("no key at all");
    });
    const left = await readdir(box.site.demo.config.state);
    assert.deepEqual(
      left.filter((name) => name.startsWith("catalog")),
      [],
    );
  });

  const spoiled: readonly (readonly [
    string,
    string,
    (box: BackedUpSite, paths: readonly string[]) => Promise<void>,
  ])[] = [
    [
      "cut off",
      "SEAL_BROKEN",
      (_, [, newest = ""]) => change(newest, (all) => all.subarray(0, -100)),
    ],
    ["longer", "SEAL_BROKEN", (_, [, newest = ""]) => appendFile(newest, "more")],
    ["changed in one bit", "SEAL_BROKEN", (_, [, newest = ""]) => change(newest, flipped)],
    [
      "another one, sealed by somebody else",
      "BACKUP_BROKEN",
      (box, [, newest = ""]) => replace(box, newest),
    ],
    [
      "an older one under its name",
      "BACKUP_BROKEN",
      async (_, [oldest = "", newest = ""]) => {
        await change(newest, () => Buffer.alloc(0));
        await writeFile(newest, await readFile(oldest));
      },
    ],
    [
      "without its note",
      "BACKUP_BROKEN",
      (_, [, newest = ""]) => rm(noteOf(newest), { recursive: true }),
    ],
  ];
  for (const [what, code, spoil] of spoiled) {
    it(`tells that the newest is ${what}, and takes the one before`, async () => {
      const box = await sites.again();
      const paths = await backupsIn(box);
      assert.equal(paths.length, 2);
      await spoil(box, paths);
      const report = await restore(box);
      assert.deepEqual(
        report.refused.map((one) => one.code),
        [code],
      );
      assert.deepEqual({ stored: report.stored, lost: report.lost }, { stored: 3, lost: 0 });
      assert.match(shownRestore(report), /NIET TE GEBRUIKEN, en nieuwer/);
    });
  }

  it("does not take an older backup for the newest, put there with its note under a newer name", async () => {
    const box = await sites.again();
    const [oldest = "", newest = ""] = await backupsIn(box);
    const later = objectOf(newest).replace(/\d{8}T/, "20990101T");
    await cp(objectOf(oldest), later, { recursive: true });
    await cp(noteOf(oldest), later.replace(/age~$/, "note~"), { recursive: true });
    const { backup, refused } = await restore(box);
    assert.ok(objectOf(newest).includes(backup ?? "-"));
    assert.deepEqual(
      refused.map(({ code }) => code),
      ["BACKUP_BROKEN"],
    );
  });

  it("tells that the ledger knows of a newer backup than the vault has", async () => {
    const box = await sites.again();
    const [oldest = "", newest = ""] = await backupsIn(box);
    await rm(objectOf(newest), { recursive: true });
    await rm(noteOf(newest), { recursive: true });
    const report = await restore(box);
    assert.equal(report.newer.length, 1);
    assert.ok(objectOf(newest).includes(report.newer[0] ?? "-"));
    assert.match(shownRestore(report), /NIET MEER in de kluis/);
    assert.ok(objectOf(oldest).includes(report.backup ?? "-"));
  });

  it("is not restored where there is a catalog, nor from a vault without backups or with hidden heads", async () => {
    const box = await sites.again();
    await restore(box);
    await assert.rejects(restore(box), { code: "CATALOG_EXISTS" });
    await lose(box.site.demo.config);
    const vault = vaultFolder(box.site.demo.config.vault);
    const heads = join(vault, "ledger/dock-1/checkpoint");
    const all = (await readdir(heads)).toSorted();
    for (const name of all.slice(1)) await rm(join(heads, name), { recursive: true });
    await assert.rejects(restore(box), { code: "LEDGER_BROKEN" });
    await rm(join(vault, "backup"), { recursive: true });
    await assert.rejects(restore(box), { code: "BACKUP_NOT_FOUND" });
  });
});

function isOfBackup({ what }: { readonly what: string }): boolean {
  return what === "backup";
}

const NONE = { stored: 0, lost: 0, missing: 0, refused: [], newer: [] };

async function waits(box: BackedUpSite): Promise<boolean> {
  await using database = await openDatabase(catalogPath(box.site.demo.config));
  return await waitsForConsistency(database);
}

function noteOf(path: string): string {
  return objectOf(path).replace(/age~$/, "note~");
}

function flipped(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** Recovery keys are public: whoever writes in the vault can seal a catalog of his own to them. */
async function replace(box: BackedUpSite, path: string): Promise<void> {
  const { sealBytes } = await import("../storage/seal/small.ts");
  const forged = await sealBytes([box.recipient], Buffer.from("SQLite format 3, of somebody else"));
  assert.ok(decrypterOf(box.identity));
  await change(path, () => forged);
}
