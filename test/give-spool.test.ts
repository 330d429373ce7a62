import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { adopt } from "../daemon/adopt.ts";
import { readProducers } from "../daemon/producers.ts";
import { giveSpool } from "../daemon/setup/give-spool.ts";
import { openLease } from "../storage/spool/lease.ts";
import { probeSpool } from "../storage/spool/probe.ts";
import { createIncoming, createSpool, openSpool } from "../storage/spool/spool.ts";
import { asUser } from "./fakes/as-user.ts";
import { openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const DOCK = { uid: 61_001, gid: 61_001 };
const RECORD = { uid: 61_002, gid: 61_002 };
const CORE = { uid: 61_000, gid: 61_000, groups: [DOCK.gid, RECORD.gid] };
const PARTS = { dock: DOCK, record: RECORD };

/** A box of one user, with a file that is not adopted yet. */
async function oldBox() {
  const rig = await openRig();
  const at = (...names: string[]): string => join(rig.spool.path, ...names);
  await createIncoming(rig.spool, "record");
  const id = await rig.record("van voorheen");
  for (const end of ["age", "json"]) await chmod(at("incoming/dock", `${id}.${end}`), 0o400);
  execFileSync("chown", ["-R", `${CORE.uid}:${CORE.gid}`, rig.folder]);
  await chmod(rig.folder, 0o711);
  return { rig, at, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

const asCore = <T>(body: () => Promise<T>): Promise<T> => asUser(CORE, 0o077, body);
const asDock = <T>(body: () => Promise<T>): Promise<T> => asUser(DOCK, 0o027, body);

async function adoptOnce(rig: Rig): Promise<void> {
  const box = { ...rig.box, producers: await readProducers(rig.spool) };
  const { clock, signal } = turns(rig.clock, 1);
  await adopt(clock, rig.events, rig.database, rig.spool, box, signal);
}

async function modes(at: (...names: string[]) => string): Promise<Record<string, string>> {
  const names = ["", "incoming", "lease", "segments", "quarantine", "bewaard-spool.json"];
  const theirs = ["dock", "record"].flatMap((one) => [`incoming/${one}`, `lease/${one}`]);
  const all = [...names, ...theirs, "lease/core"].map(async (name) => {
    const { uid, gid, mode } = await stat(at(name));
    return [name, `${uid}:${gid} ${(mode & 0o7777).toString(8)}`] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

const GIVEN = {
  "": "61000:61000 711",
  incoming: "61000:61000 711",
  lease: "61000:61000 711",
  segments: "61000:61000 700",
  quarantine: "61000:61000 700",
  "bewaard-spool.json": "61000:61000 644",
  "incoming/dock": "61001:61001 2770",
  "lease/dock": "61001:61001 600",
  "incoming/record": "61002:61002 2770",
  "lease/record": "61002:61002 600",
  "lease/core": "61000:61000 600",
};

(process.getuid?.() === 0 ? describe : leftOut)("a spool given to a user for each part", () => {
  it("has what lay in it adopted, and what each part hands over from then on", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    await giveSpool(rig.spool.path, CORE, PARTS);
    assert.deepEqual(await modes(at), GIVEN);

    await asDock(async () => {
      await openSpool(rig.spool.path, rig.box.node);
      await createIncoming(rig.spool, "dock");
      await using _lease = await openLease(rig.spool, "dock");
      await assert.rejects(openLease(rig.spool, "dock"), { code: "LEASE_HELD" });
      await probeSpool(rig.spool, "dock");
    });
    await rename(join(rig.folder, "card"), join(rig.folder, "card-before"));
    await mkdir(join(rig.folder, "card"));
    await chown(join(rig.folder, "card"), DOCK.uid, DOCK.gid);
    const id = await asDock(() => rig.record("van nu", "DCIM/later.MP4"));
    const { uid, gid, mode } = await stat(at("incoming/dock", `${id}.age`));
    assert.deepEqual([uid, gid, mode & 0o7777], [DOCK.uid, DOCK.gid, 0o440]);

    await asCore(async () => {
      await using _lease = await openLease(rig.spool, "core");
      await probeSpool(rig.spool, "core");
      await adoptOnce(rig);
      await rig.storeOnce();
    });
    assert.deepEqual(
      rig.said.filter((event) => event === "quarantined"),
      [],
    );
    assert.deepEqual(await readdir(at("incoming/dock")), []);
    const stored = await rig.database.transaction((sql) =>
      sql.all("select 1 from segment where state = 'stored'"),
    );
    assert.equal(stored.length, 2);
    assert.deepEqual(await asCore(() => rig.check()), []);
  });

  it("lets a producer reach nothing but its own folder and its own lease", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    await giveSpool(rig.spool.path, CORE, PARTS);
    await asDock(async () => {
      const refused = { code: "EACCES" };
      for (const folder of ["", "incoming", "segments", "quarantine", "incoming/record", "lease"])
        await assert.rejects(readdir(at(folder)), refused, folder);
      for (const name of [
        "new",
        "incoming/new",
        "segments/new",
        "incoming/record/new",
        "lease/new",
      ])
        await assert.rejects(writeFile(at(name), ""), refused, name);
      for (const name of ["lease/core", "lease/record", "bewaard-spool.json"])
        await assert.rejects(writeFile(at(name), ""), refused, name);
      await assert.rejects(rename(at("incoming/dock"), at("incoming/other")), refused);
    });
  });

  it("has what a producer writes into a file that was adopted found, and not stored", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    await giveSpool(rig.spool.path, CORE, PARTS);
    const [name = ""] = (await readdir(at("incoming/dock"))).filter((one) => one.endsWith(".age"));
    const path = at("incoming/dock", name);
    await using held = await asDock(async () => {
      await chmod(path, 0o640);
      const file = await open(path, "r+");
      await chmod(path, 0o440);
      return file;
    });
    await asCore(() => adoptOnce(rig));
    await held.write(Buffer.from("iets anders"), 0, 11, 30);
    await asCore(() => rig.storeOnce());
    assert.deepEqual(rig.said, ["adopted", "unsafe"]);
    const [row] = await rig.database.transaction((sql) => sql.all("select state from segment"));
    assert.equal(row?.["state"], "sealed");
    const found = (await asCore(() => rig.check())).map(({ what }) => what);
    assert.deepEqual(found, [
      `${name.slice(0, 26)} in the spool is not the bytes that were sealed`,
    ]);
  });

  it("is the same after it was given or made again, and after it was cut off once a folder was given", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    execFileSync("chown", [`${DOCK.uid}:${DOCK.gid}`, at("incoming/dock")]);
    await chmod(at("incoming/dock"), 0o2770);
    await asCore(() => adoptOnce(rig));
    assert.deepEqual(
      rig.said.filter((event) => event === "quarantined"),
      [],
    );
    for (const _ of [1, 2]) {
      await giveSpool(rig.spool.path, CORE, PARTS);
      // As setup does, for as long as nothing was kept.
      await asCore(() => createSpool(rig.spool.path, rig.box.node));
      assert.deepEqual(await modes(at), GIVEN);
    }
  });

  it("gives what a crash left with both its names as well, and nothing that has one elsewhere", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    for (const name of ["a.age.partial", "b.age"])
      await writeFile(at("incoming/record", name), "", { mode: 0o400 });
    await link(at("incoming/record/a.age.partial"), at("incoming/record/a.age"));
    await link(at("incoming/record/b.age"), join(rig.folder, "b.age"));
    execFileSync("chown", ["-R", `${CORE.uid}:${CORE.gid}`, at("incoming/record")]);
    await giveSpool(rig.spool.path, CORE, PARTS);
    const whose = async (name: string) => (await lstat(at("incoming/record", name))).uid;
    assert.deepEqual(
      [await whose("a.age"), await whose("a.age.partial"), await whose("b.age")],
      [RECORD.uid, RECORD.uid, CORE.uid],
    );
  });

  it("gives away nothing but plain files of core's, and follows no link that core could make", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    await writeFile(join(rig.folder, "root's"), "");
    await writeFile(at("incoming/dock/root's"), "");
    await symlink(join(rig.folder, "root's"), at("incoming/dock/link.age"));
    execFileSync("mkfifo", [at("incoming/dock/pipe")]);
    await giveSpool(rig.spool.path, CORE, PARTS);
    for (const name of ["root's", "link.age", "pipe"])
      assert.equal((await lstat(at("incoming/dock", name))).uid, 0, name);
    assert.equal((await stat(join(rig.folder, "root's"))).uid, 0);

    await rename(at("lease/dock"), at("lease/before"));
    await symlink(join(rig.folder, "root's"), at("lease/dock"));
    await assert.rejects(giveSpool(rig.spool.path, CORE, PARTS), { code: "SPOOL_OWNER" });
    await rename(at("incoming"), at("before"));
    await symlink(rig.folder, at("incoming"));
    await assert.rejects(giveSpool(rig.spool.path, CORE, PARTS), { code: "SPOOL_OWNER" });
    assert.equal((await stat(join(rig.folder, "root's"))).uid, 0);
  });

  it("is refused where it belongs to somebody else", async () => {
    await using box = await oldBox();
    const { rig, at } = box;
    execFileSync("chown", ["61009", at("incoming/record")]);
    await assert.rejects(giveSpool(rig.spool.path, CORE, PARTS), { code: "SPOOL_OWNER" });
    await assert.rejects(giveSpool(rig.spool.path, DOCK, PARTS), { code: "SPOOL_OWNER" });
  });
});

/** Only root gives files to others. */
function leftOut(): void {}
