import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { link, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { decodeTime } from "ulid";
import { parseDeviceId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, isoOf, plus } from "#base/time";
import { adopt } from "../daemon/adopt.ts";
import { recoverQuarantine } from "../daemon/quarantine.ts";
import { confirmTime } from "../daemon/trust.ts";
import { recordPaired } from "../storage/catalog/devices.ts";
import { findGaps, findSegments } from "../storage/catalog/find.ts";
import { createIncoming } from "../storage/spool/spool.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { CAMERA, named, openRig, type Rig, START, WALL_CAMERA } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

interface Changes {
  readonly [field: string]: unknown;
}

function incoming(rig: Rig, name: string): string {
  return join(rig.spool.path, "incoming", "dock", name);
}

/** Rewrites the manifest of `id` as somebody hostile could. */
async function change(rig: Rig, id: SegmentId, changes: Changes): Promise<void> {
  const path = incoming(rig, `${id}.json`);
  const manifest: unknown = JSON.parse(await readFile(path, "utf8"));
  assert.ok(typeof manifest === "object");
  await rm(path);
  await writeFile(path, JSON.stringify({ ...manifest, ...changes }));
}

async function rows(rig: Rig, sql: string) {
  return rig.database.transaction((handle) => handle.all(sql));
}

async function quarantined(rig: Rig): Promise<readonly string[]> {
  return readdir(join(rig.spool.path, "quarantine"), { recursive: true });
}

describe("adopting", () => {
  it("moves sealed footage into the ring, with its row and its ledger entry", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    const [segment] = await findSegments(rig.database, { device: CAMERA, from: START, to: START });
    assert.equal(segment?.id, id);
    assert.equal(segment?.state, "sealed");
    assert.equal(segment?.timeTrust, "trusted");
    assert.equal(segment?.dueAt, START + 28 * DAY_MS - HOUR_MS);
    assert.deepEqual(await readdir(join(rig.spool.path, "incoming", "dock")), []);
    assert.deepEqual(await rig.check(), []);
  });

  it("takes a fact again after a crash between moving the file and recording it", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const manifest = await readFile(incoming(rig, `${id}.json`));
    await rig.adoptOnce();
    await writeFile(incoming(rig, `${id}.json`), manifest);
    await rig.adoptOnce();
    assert.deepEqual(await quarantined(rig), []);
    assert.equal((await rows(rig, "select * from segment")).length, 1);
    assert.equal((await rows(rig, "select * from entry where kind = 'segment.sealed'")).length, 1);
    assert.deepEqual(await rig.check(), []);
  });

  it("keeps one copy of a file that was taken twice from a card (invariant 8)", async () => {
    await using rig = await openRig();
    const first = await rig.keep("beeld");
    await rig.record("beeld");
    await rig.adoptOnce();
    assert.deepEqual(
      (await rows(rig, "select id from segment")).map((row) => row["id"]),
      [first],
    );
    assert.ok(rig.said.includes("duplicate"));
    assert.deepEqual(await rig.check(), []);
  });

  it("keeps both when another file holds the same bytes", async () => {
    await using rig = await openRig();
    await rig.keep("beeld", named(0));
    await rig.keep("beeld", named(5));
    assert.equal((await rows(rig, "select id from segment")).length, 2);
  });

  it("records a gap that the recorder reports, once", async () => {
    await using rig = await openRig({ producer: "record" });
    const folder = await createIncoming(rig.spool, "record");
    const id = "01J00000000000000000000001";
    const gap = {
      bewaard: "manifest/1",
      kind: "gap",
      id,
      node: "dock-1",
      producer: "record",
      device: WALL_CAMERA,
      arrivedAt: isoOf(START),
      arrivedUptime: { bootId: "boot 1", ms: 1 },
      startedAt: isoOf(START),
      endedAt: isoOf(plus(START, HOUR_MS)),
      cause: "camera-lost",
    };
    for (let time = 0; time < 2; time += 1) {
      await writeFile(join(folder, `${id}.json`), JSON.stringify(gap));
      await rig.adoptOnce();
    }
    const window = { device: WALL_CAMERA, from: START, to: START };
    assert.deepEqual(
      (await findGaps(rig.database, window)).map(({ cause }) => cause),
      ["camera-lost"],
    );
    assert.equal((await rows(rig, "select * from entry where kind = 'gap.recorded'")).length, 1);
  });
});

describe("footage of a camera that core does not know", () => {
  const NEW = parseDeviceId("cam-0002");
  const paired = { id: NEW, kind: "camera", pairedAt: START } as const;

  async function recordStranger(rig: Rig): Promise<string> {
    const id = await rig.record("beeld");
    await change(rig, id, { device: NEW, producer: "record" });
    const { incoming: dock } = rig.sealing;
    const record = await createIncoming(rig.spool, "record");
    for (const name of [`${id}.age`, `${id}.json`])
      await rename(join(dock, name), join(record, name));
    return record;
  }

  it("waits where the recorder knows it sooner, and is adopted once core does", async () => {
    await using rig = await openRig({ producer: "record" });
    const folder = await recordStranger(rig);
    await rig.adoptOnce();
    rig.clock.move(6 * DAY_MS);
    await rig.adoptOnce();
    assert.equal((await readdir(folder)).length, 2);
    assert.deepEqual(rig.said, ["camera-unknown", "camera-unknown"]);
    await recordPaired(rig.database, START, [paired]);
    await rig.adoptOnce();
    const [segment] = await findSegments(rig.database, { device: NEW, from: START, to: START });
    assert.equal(segment?.dueAt, START + 28 * DAY_MS - HOUR_MS);
    assert.deepEqual(await readdir(folder), []);
  });

  it("is said once an hour, and read no more often", async () => {
    await using rig = await openRig({ producer: "record" });
    const folder = await recordStranger(rig);
    const turn = turns(rig.clock, 600);
    let reads = 0;
    const counting: typeof rig.database = {
      ...rig.database,
      transaction: (body) => ((reads += 1), rig.database.transaction(body)),
    };
    await adopt(turn.clock, rig.events, counting, rig.spool, rig.box, turn.signal);
    assert.deepEqual(rig.said, ["camera-unknown"]);
    assert.ok(reads < 10, `${reads}`);
    assert.equal((await readdir(folder)).length, 2);
  });

  it("is quarantined after a week, and gone after its term, wherever it waited (invariant 3)", async () => {
    await using rig = await openRig({ producer: "record" });
    const folder = await recordStranger(rig);
    await rig.adoptOnce();
    rig.clock.move(7 * DAY_MS);
    await rig.adoptOnce();
    assert.equal((await readdir(folder)).length, 2, "nobody vouches for the time");
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "p-01");
    await rig.adoptOnce();
    assert.deepEqual(await readdir(folder), []);
    const [row] = await rows(rig, "select due_at_ms, due_provisional from quarantine");
    assert.deepEqual(row, { due_at_ms: START + 25 * DAY_MS - HOUR_MS, due_provisional: 0 });
  });

  it("that was here too long already leaves 72 hours to look", async () => {
    await using rig = await openRig({ producer: "record" });
    await recordStranger(rig);
    rig.clock.move(40 * DAY_MS);
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "p-01");
    await rig.adoptOnce();
    const [row] = await rows(rig, "select due_at_ms from quarantine");
    assert.deepEqual(row, { due_at_ms: START + 43 * DAY_MS });
  });
});

describe("a manifest that lies is set apart with its footage, and said so", () => {
  const lies: Readonly<Record<string, Changes>> = {
    "is of another version": { bewaard: "manifest/2" },
    "names another node": { node: "dock-2" },
    "names another producer": { producer: "record" },
    "names a camera that is not in service": { device: "bc-9999" },
    "names another id": { id: "01J00000000000000000000009" },
    "has a field nobody knows": { override: true },
    "has a time that is none": { arrivedAt: "yesterday" },
    "promises other bytes": {
      ciphertext: { bytes: 1, partBytes: 67108864, parts: ["0".repeat(64)] },
    },
    "has no parts": { ciphertext: { bytes: 1, partBytes: 67108864, parts: [] } },
    "comes from 1970": { arrivedAt: "1970-01-01T00:00:00.000Z" },
    "comes from the year 10000": { arrivedAt: "+010000-01-01T00:00:00.000Z" },
    "is of a kind nobody knows": { kind: "deletion" },
  };
  for (const [what, changes] of Object.entries(lies)) {
    it(`that ${what}`, async () => {
      await using rig = await openRig();
      const id = await rig.record("beeld");
      await change(rig, id, changes);
      await rig.adoptOnce();
      const apart = (await quarantined(rig)).join("\n");
      assert.match(apart, new RegExp(`${id}.json`));
      assert.match(apart, new RegExp(`${id}.age`));
      assert.deepEqual(await rows(rig, "select * from segment"), []);
      assert.ok(rig.said.includes("quarantined"));
      assert.equal(
        (await rows(rig, "select * from entry where kind = 'manifest.quarantined'")).length,
        1,
      );
    });
  }

  it("that is no JSON, or a megabyte of it", async () => {
    await using rig = await openRig();
    for (const [name, text] of [
      ["a", "{"],
      ["b", "x".repeat(1e6)],
      ["c", Buffer.from([0xff, 0xfe])],
    ] as const) {
      await writeFile(incoming(rig, `${name}.json`), text);
    }
    await rig.adoptOnce();
    assert.equal((await rows(rig, "select * from quarantine")).length, 3);
    assert.deepEqual(await readdir(join(rig.spool.path, "incoming", "dock")), []);
  });

  it("that is a link, a FIFO, or has a second name elsewhere", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await link(incoming(rig, `${id}.json`), join(rig.folder, "second-name"));
    await symlink("/etc/passwd", incoming(rig, "link.json"));
    execFileSync("mkfifo", [incoming(rig, "fifo.json")]);
    await rig.adoptOnce();
    assert.equal((await rows(rig, "select * from quarantine")).length, 3);
    assert.deepEqual(await rows(rig, "select * from segment"), []);
  });

  it("whose sealed file is a link to another segment's", async () => {
    await using rig = await openRig();
    await rig.keep("beeld", named(0));
    const id = await rig.record("beeld2", named(5));
    await rename(incoming(rig, `${id}.age`), join(rig.folder, "elsewhere.age"));
    await symlink(join(rig.folder, "elsewhere.age"), incoming(rig, `${id}.age`));
    await rig.adoptOnce();
    assert.equal((await rows(rig, "select * from segment")).length, 1);
  });

  it("whose sealed file has one byte that is not as sealed", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const path = incoming(rig, `${id}.age`);
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await rm(path);
    await writeFile(path, bytes);
    await rig.adoptOnce();
    assert.equal((await rows(rig, "select * from quarantine")).length, 1);
    assert.deepEqual(await rows(rig, "select * from segment"), []);
  });

  it("whose sealed file is not there", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rm(incoming(rig, `${id}.age`));
    await rig.adoptOnce();
    assert.equal((await rows(rig, "select * from quarantine")).length, 1);
  });

  it("that comes back under the id of other footage, which stays as it was", async () => {
    await using rig = await openRig();
    const first = await rig.keep("beeld");
    const second = await rig.record("ander beeld", named(5));
    await rename(incoming(rig, `${second}.age`), incoming(rig, `${first}.age`));
    await change(rig, second, { id: first });
    await rename(incoming(rig, `${second}.json`), incoming(rig, `${first}.json`));
    await rig.adoptOnce();
    assert.ok(rig.said.includes("quarantined"));
    assert.deepEqual(await rig.check("hashes"), []);
  });

  it("with a name that is no text", async () => {
    await using rig = await openRig();
    const name = Buffer.concat([
      Buffer.from(`${incoming(rig, "")}/`),
      Buffer.from([0xff, 0x0a]),
      Buffer.from(".json"),
    ]);
    await writeFile(name, "{}");
    await rig.adoptOnce();
    assert.equal((await rows(rig, "select * from quarantine")).length, 1);
    assert.deepEqual(await readdir(join(rig.spool.path, "incoming", "dock")), []);
  });
});

describe("footage that the disk will not let core adopt", () => {
  it("is tried until 72 hours before its term, then quarantined to be gone in time (invariant 3)", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rm(join(rig.spool.path, "segments"), { recursive: true });
    await writeFile(join(rig.spool.path, "segments"), "no folder");
    const dueAt = decodeTime(id) + 25 * DAY_MS - HOUR_MS;
    rig.clock.move(dueAt - 3 * DAY_MS - rig.clock.now() - 1000);
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await rig.adoptOnce();
    assert.deepEqual([await quarantined(rig), rig.said], [[], ["adopt-delayed"]]);
    rig.clock.jump(DAY_MS);
    await rig.adoptOnce();
    assert.deepEqual(await quarantined(rig), [], "nobody vouches for the time");
    rig.clock.jump(dueAt - 3 * DAY_MS - rig.clock.now());
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await rig.adoptOnce();
    const [row] = await rows(rig, "select code, due_at_ms, due_provisional from quarantine");
    assert.deepEqual(row, { code: "SPOOL_IO", due_at_ms: dueAt, due_provisional: 0 });
    assert.deepEqual(await readdir(join(rig.spool.path, "incoming", "dock")), []);
  });
});

describe("quarantine", () => {
  it("is destroyed at the end of its term like other footage (invariant 3)", async () => {
    await using rig = await openRig();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    const id = await rig.record("beeld");
    await change(rig, id, { node: "dock-2" });
    await rig.adoptOnce();
    const pass = async (ms: number) => {
      rig.clock.move(ms);
      await retainOnce(rig);
    };
    await pass(25 * DAY_MS - 2 * HOUR_MS);
    assert.equal((await readdir(join(rig.spool.path, "quarantine"))).length, 1);
    await pass(HOUR_MS);
    assert.deepEqual(await readdir(join(rig.spool.path, "quarantine")), []);
    assert.ok(rig.said.includes("quarantine-destroyed"));
  });
});

describe("an arrival in the future", () => {
  it("does not lengthen the life of footage", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld", "DCIM/no-time.MP4");
    await change(rig, id, { arrivedAt: isoOf(plus(START, 10 * DAY_MS)) });
    await rig.adoptOnce();
    const [row] = await rows(rig, "select due_at_ms from segment");
    assert.ok(Number(row?.["due_at_ms"]) <= rig.clock.now() + 25 * DAY_MS);
    assert.deepEqual(await rig.check(), []);
  });
});

describe("a manifest that comes again with its file", () => {
  it("does not bring back what was destroyed, nor make a second copy (invariant 3)", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const [json, age] = await Promise.all([
      readFile(incoming(rig, `${id}.json`)),
      readFile(incoming(rig, `${id}.age`)),
    ]);
    await rig.adoptOnce();
    await rig.storeOnce();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    for (const ms of [0, 29 * DAY_MS]) {
      rig.clock.move(ms);
      await retainOnce(rig);
      await writeFile(incoming(rig, `${id}.age`), age);
      await writeFile(incoming(rig, `${id}.json`), json);
      await rig.adoptOnce();
      assert.deepEqual(await rig.check(), []);
    }
    const files = await readdir(join(rig.spool.path, "segments"), { recursive: true });
    assert.deepEqual(
      files.filter((name) => name.endsWith(".age")),
      [],
    );
    assert.deepEqual(await quarantined(rig), []);
  });
});

describe("a stray name in quarantine", () => {
  it("is in nobody's way at the next start", async () => {
    await using rig = await openRig();
    await writeFile(join(rig.spool.path, "quarantine", ".keep"), "");
    await recoverQuarantine(rig.database, rig.spool, rig.box.term, rig.clock.now());
    assert.deepEqual(await rows(rig, "select * from quarantine"), []);
  });
});
