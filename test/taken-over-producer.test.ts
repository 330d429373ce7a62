import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, chown, mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { watchSteps } from "#base/step";
import { isoOf } from "#base/time";
import { adopt } from "../daemon/adopt.ts";
import { askedModestly } from "../daemon/control/producers.ts";
import { readProducers } from "../daemon/producers.ts";
import { giveSpool } from "../daemon/setup/give-spool.ts";
import { recordPaired } from "../storage/catalog/devices.ts";
import { createIncoming } from "../storage/spool/spool.ts";
import { NO_ANSWERS } from "./fakes/answers.ts";
import { asUser } from "./fakes/as-user.ts";
import { CAMERA, openRig, type Rig, START, WALL_CAMERA } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const DOCK = { uid: 61_001, gid: 61_001 };
const RECORD = { uid: 61_002, gid: 61_002 };
const CORE = { uid: 61_000, gid: 61_000, groups: [DOCK.gid, RECORD.gid] };

/** A box of three users that knows a camera of each producer, with a file of the dock's that is not adopted yet. */
async function openBox() {
  const rig = await openRig();
  const at = (...names: string[]): string => join(rig.spool.path, ...names);
  await createIncoming(rig.spool, "record");
  await recordPaired(rig.database, START, [{ id: WALL_CAMERA, kind: "camera", pairedAt: START }]);
  execFileSync("chown", ["-R", `${CORE.uid}:${CORE.gid}`, rig.folder]);
  await chmod(rig.folder, 0o711);
  await giveSpool(rig.spool.path, CORE, { dock: DOCK, record: RECORD });
  execFileSync("chown", ["-R", `${DOCK.uid}:${DOCK.gid}`, join(rig.folder, "card")]);
  const id = await asUser(DOCK, 0o027, () => rig.record("beeld"));
  return { rig, at, id, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

const asCore = <T>(body: () => Promise<T>): Promise<T> => asUser(CORE, 0o077, body);

async function adoptOnce(rig: Rig): Promise<void> {
  const box = { ...rig.box, producers: await readProducers(rig.spool) };
  const { clock, signal } = turns(rig.clock, 1);
  await adopt(clock, rig.events, rig.database, rig.spool, box, signal);
}

const rows = (rig: Rig, sql: string) => rig.database.transaction((handle) => handle.all(sql));

async function kept(at: (...names: string[]) => string): Promise<readonly string[]> {
  const names = await readdir(at("segments"), { recursive: true });
  return names.filter((name) => name.endsWith(".age"));
}

/** A fact that needs no file, as `producer` writes it. */
async function tell(rig: Rig, producer: "dock" | "record", device: string, more: object) {
  const id = "01J00000000000000000000009";
  const path = join(rig.spool.path, "incoming", producer, `${id}.json`);
  const fact = {
    bewaard: "manifest/1",
    id,
    node: rig.box.node,
    producer,
    device,
    arrivedAt: isoOf(START),
    arrivedUptime: { bootId: "boot 1", ms: 1 },
    ...more,
  };
  await writeFile(path, JSON.stringify(fact), { mode: 0o440 });
  const { uid, gid } = producer === "dock" ? DOCK : RECORD;
  await chown(path, uid, gid);
}

/** What a producer can have in the place of a file by the moment that core moves it. */
const IN_ITS_PLACE: Readonly<Record<string, (path: string) => void>> = {
  "a pipe": (path) => {
    rmSync(path);
    execFileSync("mkfifo", ["-m", "660", path]);
  },
  "a link": (path) => {
    rmSync(path);
    symlinkSync("/etc/hostname", path);
  },
  "a folder": (path) => {
    rmSync(path);
    mkdirSync(path);
    chmodSync(path, 0o2770);
  },
  "another file": (path) => {
    rmSync(path);
    writeFileSync(path, "niet verzegeld", { mode: 0o440 });
  },
  "a second name": (path) => linkSync(path, `${path}.mine`),
};

(process.getuid?.() === 0 ? describe : leftOut)("who took over a producer", () => {
  for (const [what, put] of Object.entries(IN_ITS_PLACE))
    it(`brings nothing into the ring that core did not look at: ${what}`, async () => {
      await using box = await openBox();
      const { rig, at, id } = box;
      const offered = at("incoming/dock", `${id}.age`);
      watchSteps((name) => {
        if (name !== "adopt.checked") return;
        process.seteuid?.(0);
        put(offered);
        execFileSync("chown", ["-h", `${DOCK.uid}:${DOCK.gid}`, offered]);
        process.seteuid?.(CORE.uid);
      });
      try {
        await asCore(() => adoptOnce(rig));
      } finally {
        watchSteps(() => undefined);
      }
      assert.deepEqual(await kept(at), []);
      assert.deepEqual(await rows(rig, "select 1 from segment"), []);
      assert.deepEqual(rig.said, ["quarantined"]);
    });

  it("keeps core from no other producer's by closing its own folder, nor verify from telling of that and of the rest", async () => {
    await using box = await openBox();
    const { rig, at } = box;
    await chmod(at("incoming/dock"), 0);
    const gap = { kind: "gap", startedAt: isoOf(START), endedAt: isoOf(START), cause: "away" };
    await tell(rig, "record", WALL_CAMERA, gap);
    await asCore(() => adoptOnce(rig));
    assert.deepEqual(await readdir(at("incoming/record")), []);
    assert.deepEqual(rig.said, ["turn-failed", "gap"]);
    const found = await asCore(() => rig.check());
    assert.deepEqual(
      found.map(({ what }) => what),
      ["incoming/dock cannot be looked at (EACCES)"],
    );
  });

  it("says nothing of the cameras of another", async () => {
    await using box = await openBox();
    const { rig, at } = box;
    const gap = { kind: "gap", startedAt: isoOf(START), endedAt: isoOf(START), cause: "away" };
    await tell(rig, "record", CAMERA, gap);
    await asCore(() => adoptOnce(rig));
    assert.deepEqual(await readdir(at("incoming/record")), []);
    assert.deepEqual(await rows(rig, "select 1 from gap"), []);
    assert.deepEqual(await rows(rig, "select producer from quarantine"), [{ producer: "record" }]);
  });

  it("hides nothing by closing a file that was adopted, or one that was not", async () => {
    await using box = await openBox();
    const { rig, at, id } = box;
    await using held = await open(at("incoming/dock", `${id}.age`), "r");
    await asCore(() => adoptOnce(rig));
    await held.chmod(0);
    await mkdir(at("incoming/dock/closed.age"), { mode: 0o700 });
    await chown(at("incoming/dock/closed.age"), DOCK.uid, DOCK.gid);
    const found = await asCore(() => rig.check());
    assert.deepEqual(
      found.map(({ what }) => what),
      [
        `${id} in the spool cannot be read (EACCES)`,
        'incoming/dock/"closed.age" cannot be looked at (EACCES)',
      ],
    );
    await asCore(() => rig.storeOnce());
    assert.equal(rig.said.at(-1), "unsafe");
  });

  it("has no more read than was sealed, however long it makes a file that was adopted", async () => {
    await using box = await openBox();
    const { rig, at, id } = box;
    await using held = await open(at("incoming/dock", `${id}.age`), "r+");
    await asCore(() => adoptOnce(rig));
    await held.truncate(2 ** 40);
    await asCore(() => rig.storeOnce());
    assert.equal(rig.said.at(-1), "unsafe");
    const [found] = await asCore(() => rig.check());
    assert.match(found?.what ?? "", /has 1099511627776 bytes in the spool, not/);
  });

  it("has no more of the ring emptied at once than a quarter of what is nowhere else", async () => {
    const asked: unknown[] = [];
    const room = async (params: unknown) => {
      asked.push(params);
      return { granted: true };
    };
    const { room: asProducer } = askedModestly({ ...NO_ANSWERS, room }, 1000);
    for (const bytes of [250, 251, 1000])
      await asProducer({ bytes, urgent: true }, () => undefined);
    await asProducer({ bytes: 1000, urgent: false }, () => undefined);
    assert.deepEqual(asked, [
      { bytes: 250, urgent: true },
      { bytes: 251, urgent: false },
      { bytes: 1000, urgent: false },
      { bytes: 1000, urgent: false },
    ]);
  });
});

/** Only root gives files to others. */
function leftOut(): void {}
