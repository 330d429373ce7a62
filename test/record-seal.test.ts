import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { decodeTime } from "ulid";
import type { SegmentId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { settleCutOff } from "../daemon/leftovers.ts";
import { openRecordSealing, type RecordSealing } from "../daemon/record/sealing.ts";
import { openSegment, type SegmentWriter } from "../daemon/record/segment-writer.ts";
import { setApart } from "../daemon/set-apart.ts";
import { confirmTime } from "../daemon/trust.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { CHUNK_BYTES } from "../storage/seal/chunk.ts";
import { openSealed } from "../storage/seal/open.ts";
import { salvageSealed } from "../storage/seal/salvage.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { intentPath, readIntent } from "../storage/spool/intent.ts";
import { parseManifest, type SegmentManifest } from "../storage/spool/manifest.ts";
import { createIncoming, segmentPath } from "../storage/spool/spool.ts";
import { leaveCutOff } from "./fakes/cut-off.ts";
import { NEVER, openRig, type Rig, START, WALL_CAMERA } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import { until } from "./fakes/until.ts";

const TIMES = { startedAt: START, endedAt: plus(START, 60_000), offsetMs: -120 };

async function sealingOf(rig: Rig): Promise<RecordSealing> {
  const incoming = await createIncoming(rig.spool, "record");
  return openRecordSealing(rig.clock, rig.events, rig.sealing.node, rig.sealing.book, incoming);
}

function pushAll(writer: SegmentWriter, content: Buffer, pieceBytes: number): void {
  for (let at = 0; at < content.length; at += pieceBytes)
    writer.push(content.subarray(at, at + pieceBytes));
}

/** Until everything pushed so far is in the hands of the kernel. */
async function written(writer: SegmentWriter): Promise<void> {
  while (writer.waitingBytes > 0) await systemClock.sleep(1, NEVER);
}

async function opened(path: string, rig: Rig): Promise<Buffer> {
  const pieces = openSealed(createReadStream(path), decrypterOf(rig.identity));
  return Buffer.concat(await Array.fromAsync(pieces));
}

async function manifestOf(incoming: string, id: SegmentId): Promise<SegmentManifest> {
  const manifest = parseManifest(await readFile(join(incoming, `${id}.json`)));
  assert.ok(manifest.kind === "segment");
  return manifest;
}

describe("a segment of a wall camera", () => {
  it("is sealed while it comes in: file, digests and manifest agree, and core adopts it (AR-12)", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    const content = randomBytes(1_000_001);
    pushAll(writer, content, 70_000);
    assert.equal(await writer.close(TIMES), writer.id);
    const { incoming } = sealing;
    assert.deepEqual((await readdir(incoming)).toSorted(), [
      `${writer.id}.age`,
      `${writer.id}.json`,
    ]);
    const { mode, size } = await stat(sealedPath(incoming, writer.id));
    assert.equal(mode & 0o777, 0o440);
    assert.ok((await opened(sealedPath(incoming, writer.id), rig)).equals(content));
    const manifest = await manifestOf(incoming, writer.id);
    assert.deepEqual(manifest.plaintext, {
      sha256: createHash("sha256").update(content).digest("hex"),
      bytes: content.length,
    });
    assert.equal(manifest.ciphertext.bytes, size);
    assert.equal(manifest.producer, "record");
    assert.deepEqual(manifest.recording, {
      startedAt: START,
      alternativeStartedAt: null,
      endedAt: TIMES.endedAt,
      source: "stream",
      clock: { declared: "synchronised", offsetMs: -120 },
    });
    assert.equal(manifest.file, null);
    await rig.adoptOnce();
    await rig.storeOnce();
    const [segment] = await findSegments(rig.database, {
      device: WALL_CAMERA,
      from: instant(0),
      to: instant(9e12),
    });
    assert.deepEqual([segment?.id, segment?.state], [writer.id, "stored"]);
    assert.deepEqual(await readdir(incoming), []);
    const kept = segmentPath(rig.spool, writer.id, manifest.arrivedAt);
    assert.ok((await opened(kept, rig)).equals(content));
    assert.deepEqual(await rig.check(), []);
  });

  it("knows how much of it survives a kill, and a power cut: not the chunk that is held back", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    const content = randomBytes(3 * CHUNK_BYTES + 10);
    writer.push(content.subarray(0, CHUNK_BYTES));
    await written(writer);
    assert.equal(writer.writtenBytes, 0);
    writer.push(content.subarray(CHUNK_BYTES));
    await written(writer);
    assert.equal(writer.writtenBytes, 3 * CHUNK_BYTES);
    const partial = createReadStream(`${sealedPath(sealing.incoming, writer.id)}.partial`);
    const left = await Array.fromAsync(salvageSealed(partial, decrypterOf(rig.identity)));
    assert.ok(Buffer.concat(left).equals(content.subarray(0, 3 * CHUNK_BYTES)));
    // Synced after its first bytes, then each 5 s by the hand clock, which stands.
    assert.ok(writer.syncedBytes <= CHUNK_BYTES);
    rig.clock.move(5000);
    writer.push(randomBytes(CHUNK_BYTES));
    while (writer.syncedBytes < 4 * CHUNK_BYTES) await systemClock.sleep(1, NEVER);
    await writer.close(TIMES);
  });

  it("that is cut off began when it was last said to have begun, also where it is given up", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const began = plus(START, -480);
    const [cutOff, givenUp] = [1, 2].map(() => openSegment(sealing, WALL_CAMERA, START));
    assert.ok(cutOff && givenUp);
    for (const writer of [cutOff, givenUp]) {
      writer.push(randomBytes(2 * CHUNK_BYTES));
      await written(writer);
      writer.began(began);
    }
    await givenUp.abandon();
    const intent = async () => (await readIntent(sealing.incoming, cutOff.id))?.recording.startedAt;
    await until(async () => (await intent()) === began);
    await settleCutOff(rig.events, sealing.incoming);
    for (const { id } of [cutOff, givenUp]) {
      const manifest = await manifestOf(sealing.incoming, id);
      assert.ok(manifest.truncated && manifest.recording.startedAt === began);
    }
    await cutOff.abandon();
  });

  it("opens with stock age", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    const content = randomBytes(3 * CHUNK_BYTES);
    pushAll(writer, content, CHUNK_BYTES);
    await writer.close(TIMES);
    const key = join(rig.folder, "key");
    await writeFile(key, rig.identity);
    const path = sealedPath(sealing.incoming, writer.id);
    assert.ok(execFileSync("age", ["-d", "-i", key, path]).equals(content));
  });

  it("takes its bytes at once: whoever pushed them may use their memory again", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    const content = randomBytes(300_000);
    for (let at = 0; at < content.length; at += 10_000) {
      const piece = Buffer.from(content.subarray(at, at + 10_000));
      writer.push(piece);
      piece.fill(0);
      if (at === 150_000) await written(writer);
    }
    await writer.close(TIMES);
    assert.ok((await opened(sealedPath(sealing.incoming, writer.id), rig)).equals(content));
  });

  it("leaves nothing behind when nothing was ever pushed, and takes nothing once closed", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    assert.equal(await openSegment(sealing, WALL_CAMERA, START).close(TIMES), undefined);
    assert.deepEqual(await readdir(sealing.incoming), []);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    writer.push(Buffer.from("beeld"));
    const closing = writer.close(TIMES);
    await closing;
    writer.push(Buffer.from("te laat"));
    const path = sealedPath(sealing.incoming, writer.id);
    assert.equal(String(await opened(path, rig)), "beeld");
  });

  it("never takes the place of another under its id", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    const path = sealedPath(sealing.incoming, writer.id);
    await writeFile(path, "another");
    writer.push(Buffer.from("beeld"));
    await assert.rejects(writer.close(TIMES), { code: "EEXIST" });
    assert.equal(await readFile(path, "utf8"), "another");
    assert.equal(String(await opened(`${path}.partial`, rig)), "beeld");
  });

  it("of each of 24 cameras at once is its own, and core adopts them all", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const contents = Array.from({ length: 24 }, (_, index) => randomBytes(100_000 + index * 9000));
    const ids = await Promise.all(
      contents.map(async (content, index) => {
        const writer = openSegment(sealing, WALL_CAMERA, plus(START, index));
        for (let at = 0; at < content.length; at += 40_000) {
          writer.push(content.subarray(at, at + 40_000));
          if (index % 3 === 0) await written(writer);
        }
        return writer.close({ ...TIMES, startedAt: plus(START, index) });
      }),
    );
    const { incoming } = sealing;
    for (const [index, id] of ids.entries()) {
      assert.ok(id);
      const path = sealedPath(incoming, id);
      assert.ok((await opened(path, rig)).equals(contents[index] ?? Buffer.of()));
    }
    await rig.adoptOnce();
    assert.deepEqual(await readdir(incoming), []);
    assert.deepEqual(await rig.check(), []);
  });
});

describe("what a crash left of recording, at the next start", () => {
  async function cutOff(rig: Rig, keptBytes: number): Promise<{ incoming: string; id: SegmentId }> {
    const { incoming } = await sealingOf(rig);
    const [day] = rig.sealing.book;
    const content = randomBytes(3 * CHUNK_BYTES);
    const known = { node: rig.sealing.node, recipient: day?.recipient ?? "", content, keptBytes };
    return { incoming, id: await leaveCutOff(incoming, { ...known, startedAt: START }) };
  }

  it("is removed, and said, when no byte of footage could be in it", async () => {
    for (const keptBytes of [0, 200]) {
      await using rig = await openRig({ producer: "record" });
      const { incoming } = await cutOff(rig, keptBytes);
      await settleCutOff(rig.events, incoming);
      assert.deepEqual(await readdir(incoming), []);
      assert.deepEqual(rig.said, ["cut-off-empty"]);
    }
  });

  it("keeps nothing from starting where the disk refuses it, and is settled when it no longer does", async () => {
    await using rig = await openRig({ producer: "record" });
    const { incoming, id } = await cutOff(rig, 100_000);
    const other = "01KSZ000000000000000000002";
    await writeFile(sealedPath(incoming, other), "of nobody");
    const partial = `${sealedPath(incoming, id)}.partial`;
    // No file system gives a folder a second name.
    await rename(partial, `${partial}.kept`);
    await mkdir(partial);
    const unsettled = await settleCutOff(rig.events, incoming);
    const names = await readdir(incoming);
    assert.ok(names.includes(`${id}.intent`) && names.includes(`${other}.json`));
    assert.deepEqual(rig.said, ["leftover-delayed"]);
    await rmdir(partial);
    await rename(`${partial}.kept`, partial);
    const running = sealedPath(incoming, "01KSZ000000000000000000003");
    await writeFile(`${running}.partial`, "still being written");
    const turn = turns(rig.clock, 1);
    await unsettled.again(turn.clock, turn.signal);
    assert.deepEqual(rig.said, ["leftover-delayed", "truncated"]);
    await rig.adoptOnce();
    assert.deepEqual(await readdir(incoming), ["01KSZ000000000000000000003.age.partial"]);
  });

  for (const part of ["sealed file", "intent"] as const) {
    it(`is quarantined where the disk goes on refusing its ${part}, and gone in time (invariant 3)`, async () => {
      await using rig = await openRig({ producer: "record" });
      const { incoming, id } = await cutOff(rig, 100_000);
      if (part === "sealed file") await refuseSealed(rig, incoming, id);
      else {
        await rm(intentPath(incoming, id));
        await symlink(`${id}.intent`, intentPath(incoming, id));
      }
      const unsettled = await settleCutOff(rig.events, incoming);
      const again = async (lastMs: number, count: number) => {
        const firstMs = lastMs - (count - 1) * 10 * MINUTE_MS;
        rig.clock.move(decodeTime(id) + firstMs - rig.clock.now());
        const turn = turns(rig.clock, count);
        await unsettled.again(turn.clock, turn.signal);
        await rig.adoptOnce();
      };
      await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
      await again(7 * DAY_MS - 1, 7);
      // For an hour it is tried in any case: the clock may have been wrong.
      await again(7 * DAY_MS + HOUR_MS, 6);
      assert.deepEqual(new Set(rig.said), new Set(["leftover-delayed"]));
      await again(7 * DAY_MS + 3 * HOUR_MS, 7);
      assert.deepEqual(await readdir(incoming), []);
      await assertApart(rig, id);
    });
  }

  it("is not given up where it was handed over, and only its intent stays", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    writer.push(Buffer.from("beeld"));
    await writer.close(TIMES);
    await writeFile(intentPath(sealing.incoming, writer.id), "{");
    await setApart(sealing.incoming, writer.id);
    await rig.adoptOnce();
    assert.deepEqual(rig.said.slice(-1), ["adopted"]);
  });

  it("is quarantined as well where it was given up while the recorder ran", async () => {
    await using rig = await openRig({ producer: "record" });
    const sealing = await sealingOf(rig);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    writer.push(randomBytes(2 * CHUNK_BYTES));
    await written(writer);
    await refuseSealed(rig, sealing.incoming, writer.id);
    await writer.abandon();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    for (const days of [6, 1]) {
      assert.deepEqual([...sealing.abandoned.keys()], [writer.id]);
      rig.clock.move(days * DAY_MS);
      const next = openSegment(sealing, WALL_CAMERA, rig.clock.now());
      next.push(Buffer.from("beeld"));
      await next.close({ ...TIMES, startedAt: rig.clock.now() });
    }
    assert.deepEqual([...sealing.abandoned.keys()], []);
    await rig.adoptOnce();
    assert.deepEqual(await readdir(sealing.incoming), []);
    await assertApart(rig, writer.id);
  });

  /** No file system gives a folder a second name. */
  async function refuseSealed(rig: Rig, incoming: string, id: SegmentId): Promise<void> {
    const partial = `${sealedPath(incoming, id)}.partial`;
    await rename(partial, join(rig.folder, "kept"));
    await mkdir(partial);
  }

  /** It is in quarantine, and due as if it had come there when it was begun. */
  async function assertApart(rig: Rig, id: SegmentId): Promise<void> {
    const query = "select due_at_ms, due_provisional from quarantine";
    const apart = await rig.database.transaction((sql) => sql.all(query));
    assert.deepEqual(apart, [
      { due_at_ms: decodeTime(id) + 25 * DAY_MS - HOUR_MS, due_provisional: 0 },
    ]);
  }

  it("is quarantined, and not removed, when nobody can say what it is", async () => {
    for (const content of [undefined, "{"]) {
      await using rig = await openRig({ producer: "record" });
      const { incoming, id } = await cutOff(rig, 100_000);
      await rm(intentPath(incoming, id));
      if (content !== undefined) await writeFile(intentPath(incoming, id), content);
      await settleCutOff(rig.events, incoming);
      assert.deepEqual((await readdir(incoming)).toSorted(), [`${id}.age`, `${id}.json`]);
      await rig.adoptOnce();
      const folder = join(rig.spool.path, "quarantine");
      const [apart] = await readdir(folder);
      assert.deepEqual(await readdir(join(folder, apart ?? "")), [`${id}.age`, `${id}.json`]);
      assert.deepEqual(await readdir(incoming), []);
    }
  });
});
