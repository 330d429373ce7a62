import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { SegmentId } from "#base/ids";
import { instant, plus } from "#base/time";
import { openRecordSealing, type RecordSealing } from "../daemon/record/sealing.ts";
import { openSegment, type SegmentWriter } from "../daemon/record/segment-writer.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { openSealed } from "../storage/seal/open.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { parseManifest, type SegmentManifest } from "../storage/spool/manifest.ts";
import { createIncoming, segmentPath } from "../storage/spool/spool.ts";
import { CAMERA, openRig, type Rig, START } from "./fakes/rig.ts";

const TIMES = { startedAt: START, endedAt: plus(START, 60_000), offsetMs: -120 };

async function sealingOf(rig: Rig): Promise<RecordSealing> {
  const incoming = await createIncoming(rig.spool, "record");
  return openRecordSealing(rig.clock, rig.events, rig.sealing.node, rig.sealing.book, incoming);
}

function pushAll(writer: SegmentWriter, content: Buffer, pieceBytes: number): void {
  for (let at = 0; at < content.length; at += pieceBytes)
    writer.push(content.subarray(at, at + pieceBytes));
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
    const writer = openSegment(sealing, CAMERA, START);
    const content = randomBytes(1_000_001);
    pushAll(writer, content, 70_000);
    assert.equal(await writer.close(TIMES), writer.id);
    const { incoming } = sealing;
    assert.deepEqual((await readdir(incoming)).toSorted(), [
      `${writer.id}.age`,
      `${writer.id}.json`,
    ]);
    const { mode, size } = await stat(sealedPath(incoming, writer.id));
    assert.equal(mode & 0o777, 0o400);
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
      device: CAMERA,
      from: instant(0),
      to: instant(9e12),
    });
    assert.deepEqual([segment?.id, segment?.state], [writer.id, "stored"]);
    assert.deepEqual(await readdir(incoming), []);
    const kept = segmentPath(rig.spool, writer.id, manifest.arrivedAt);
    assert.ok((await opened(kept, rig)).equals(content));
    assert.deepEqual(await rig.check(), []);
  });
});
