import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity } from "age-encryption";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { instant, isoOf, plus, SECOND_MS } from "#base/time";
import { settleCutOff } from "../daemon/leftovers.ts";
import { openRecordSealing, type RecordSealing } from "../daemon/record/sealing.ts";
import { openSegment, type SegmentWriter } from "../daemon/record/segment-writer.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { CHUNK_BYTES } from "../storage/seal/chunk.ts";
import { salvageSealed } from "../storage/seal/salvage.ts";
import { openSharedSync } from "../storage/seal/shared-sync.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { intentPath } from "../storage/spool/intent.ts";
import { openLease } from "../storage/spool/lease.ts";
import { createIncoming, segmentPath } from "../storage/spool/spool.ts";
import { failingFiles, openFaults, SHORT } from "./fakes/faults.ts";
import { watchIdle } from "./fakes/idle.ts";
import { NEVER, openRig, type Rig, START, WALL_CAMERA } from "./fakes/rig.ts";
import { crowd, fill, withSmallDisk } from "./fakes/small-disk.ts";
import { until } from "./fakes/until.ts";

const TIMES = { startedAt: START, endedAt: plus(START, 60_000), offsetMs: null };
const RECORD = { producer: "record" } as const;

async function sealingOf(rig: Rig): Promise<RecordSealing> {
  const incoming = await createIncoming(rig.spool, "record");
  return openRecordSealing(rig.clock, rig.events, rig.sealing.node, rig.sealing.book, incoming);
}

/** What core adopts, and how much of it opens. */
async function adopted(rig: Rig): Promise<readonly { truncated: boolean; footage: Buffer }[]> {
  await rig.adoptOnce();
  const wanted = { device: WALL_CAMERA, from: instant(0), to: instant(9e12) };
  const kept = [];
  for (const { id, arrivedAt, truncated } of await findSegments(rig.database, wanted)) {
    const sealed = createReadStream(segmentPath(rig.spool, id, arrivedAt));
    const pieces = await Array.fromAsync(salvageSealed(sealed, decrypterOf(rig.identity)));
    kept.push({ truncated, footage: Buffer.concat(pieces) });
  }
  assert.deepEqual(await rig.check(), []);
  return kept;
}

/**
 * Pushes in pieces of a pipe's size, until all is pushed or nothing is taken any more. Returns how many
 * bytes were out of its hands before that.
 */
async function pushSlowly(writer: SegmentWriter, content: Buffer): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < content.length && !writer.failed; at += CHUNK_BYTES) {
    writer.push(content.subarray(at, at + CHUNK_BYTES));
    await until(() => writer.waitingBytes === 0 || writer.failed !== undefined);
    if (!writer.failed) bytes = at + CHUNK_BYTES;
  }
  return bytes;
}

(process.getuid?.() === 0 ? describe : leftOut)("a recorder whose disk is full", () => {
  const content = randomBytes(6_000_000);

  it("hands over all that was pushed until it said so, and the rest of a fragment, once there is room", async () => {
    await withSmallDisk(async (rig, disk) => {
      const sealing = await sealingOf(rig);
      const writer = openSegment(sealing, WALL_CAMERA, START);
      await pushSlowly(writer, content.subarray(0, 1_000_000));
      const ballast = await fill(disk);
      const writtenBytes = await pushSlowly(writer, content.subarray(1_000_000));
      assert.equal(writer.failed?.code, "SPOOL_FULL");
      assert.ok(writer.failed?.transient);
      const pushedBytes = 1_000_000 + writtenBytes + CHUNK_BYTES;
      writer.push(content.subarray(pushedBytes, pushedBytes + 100_000));
      await assert.rejects(writer.close(TIMES), { code: "SPOOL_FULL", transient: true });
      await rm(ballast);
      assert.equal(await writer.close(TIMES), writer.id);
      const [segment] = await adopted(rig);
      assert.equal(segment?.truncated, false);
      assert.ok(segment.footage.equals(content.subarray(0, pushedBytes + 100_000)));
    }, RECORD);
  });

  it("is asked again as more comes, whether it had made the file or not, but not at once", async () => {
    await withSmallDisk(
      async (rig, disk) => {
        const sealing = await sealingOf(rig);
        for (const [nth, fullAtOnce] of [true, false].entries()) {
          let ballast = fullAtOnce ? await fill(disk) : undefined;
          const writer = openSegment(sealing, WALL_CAMERA, plus(START, nth));
          if (!fullAtOnce) await pushSlowly(writer, content.subarray(0, 200_000));
          ballast ??= await fill(disk);
          await pushSlowly(writer, content.subarray(200_000, 400_000));
          assert.deepEqual([writer.failed?.code, writer.waitsForRoom], ["SPOOL_FULL", true]);
          await rm(ballast);
          const { writtenBytes } = writer;
          writer.push(content);
          await systemClock.sleep(20, NEVER);
          assert.deepEqual([writer.waitsForRoom, writer.writtenBytes], [true, writtenBytes]);
          rig.clock.move(250);
          writer.push(content.subarray(0, 1000));
          await until(() => writer.waitingBytes === 0);
          assert.deepEqual([writer.failed, writer.waitsForRoom], [undefined, false]);
          assert.ok(writer.writtenBytes > writtenBytes);
          await writer.abandon();
        }
      },
      { ...RECORD, megabytes: 32 },
    );
  });

  it("knows of the last bytes as well that they are written, though it cannot tell of them", async () => {
    await withSmallDisk(
      async (rig, disk) => {
        const writer = openSegment(await sealingOf(rig), WALL_CAMERA, START);
        await pushSlowly(writer, content.subarray(0, 200_000));
        await crowd(disk);
        await assert.rejects(writer.close(TIMES), { code: "SPOOL_FULL" });
        assert.equal(writer.writtenBytes, 200_000);
      },
      { ...RECORD, files: 60 },
    );
  });

  it("notes when a segment began as it is known by the time that there is room for it", async () => {
    await withSmallDisk(async (rig, disk) => {
      const sealing = await sealingOf(rig);
      const ballast = await fill(disk);
      const writer = openSegment(sealing, WALL_CAMERA, START);
      await pushSlowly(writer, content.subarray(0, 200_000));
      const known = plus(START, 1500);
      writer.began(known);
      await assert.rejects(writer.close(TIMES), { code: "SPOOL_FULL" });
      await rm(ballast);
      rig.clock.move(250);
      writer.push(content.subarray(0, 1000));
      await until(() => writer.waitingBytes === 0);
      const noted = await readFile(intentPath(sealing.incoming, writer.id), "utf8");
      assert.ok(noted.includes(isoOf(known)), noted);
      await writer.abandon();
    }, RECORD);
  });

  it("starts, as core does, where not one more file can be made", async () => {
    await withSmallDisk(
      async (rig, disk) => {
        const { incoming } = await sealingOf(rig);
        await rm(incoming, { recursive: true });
        await crowd(disk);
        for (const role of ["core", "record"] as const) {
          await using _ = await openLease(rig.spool, role);
          await assert.rejects(openLease(rig.spool, role), { code: "LEASE_HELD" });
        }
        const made = createIncoming(rig.spool, "record");
        await assert.rejects(made, { code: "SPOOL_FULL", transient: true });
      },
      { ...RECORD, files: 30 },
    );
  });

  it("closes what it gave up as truncated as soon as the disk takes something again", async () => {
    await withSmallDisk(async (rig, disk) => {
      const sealing = await sealingOf(rig);
      const writer = openSegment(sealing, WALL_CAMERA, START);
      await pushSlowly(writer, content.subarray(0, 1_000_000));
      const ballast = await fill(disk);
      await pushSlowly(writer, content.subarray(1_000_000));
      assert.equal(writer.failed?.code, "SPOOL_FULL");
      await writer.abandon();
      assert.deepEqual([...sealing.abandoned.keys()], [writer.id]);
      await rm(ballast);
      const next = openSegment(sealing, WALL_CAMERA, plus(START, SECOND_MS));
      next.push(Buffer.from("beeld"));
      await next.close({ ...TIMES, startedAt: plus(START, SECOND_MS) });
      assert.deepEqual([...sealing.abandoned.keys()], []);
      assert.deepEqual(rig.said, ["sealed", "truncated"]);
      const [cut] = await adopted(rig);
      assert.equal(cut?.truncated, true);
      assert.ok(cut.footage.length >= 1_000_000 - CHUNK_BYTES);
      assert.ok(cut.footage.equals(content.subarray(0, cut.footage.length)));
    }, RECORD);
  });
});

// Left out where nobody may mount the small disk.
function leftOut(): void {}

describe("a recorder whose disk fails", () => {
  for (const code of ["EIO", "ENOSPC"])
    it(`never trusts a file again whose sync was refused (${code}), and keeps what is in it`, () =>
      untrusted(code));

  async function untrusted(code: string): Promise<void> {
    const said = code === "EIO" ? "SPOOL_IO" : "SPOOL_FULL";
    await using rig = await openRig(RECORD);
    const sealing = await sealingOf(rig);
    const faults = openFaults();
    const refusing: typeof sealing.shared = {
      async inTurn(work) {
        faults.arm(1, code);
        await work();
      },
    };
    using _failing = failingFiles(faults);
    const writer = openSegment({ ...sealing, shared: refusing }, WALL_CAMERA, START);
    const content = randomBytes(200_000);
    writer.push(content);
    await until(() => writer.failed !== undefined);
    assert.deepEqual([writer.failed?.code, writer.waitsForRoom], [said, false]);
    await until(() => writer.waitingBytes === 0);
    writer.push(content);
    assert.equal(writer.waitingBytes, 0);
    for (let tries = 0; tries < 2; tries += 1) {
      await assert.rejects(writer.close(TIMES), { code: said, transient: true });
    }
    assert.equal(await writer.abandon(), true);
    await writer.abandon();
    const kept = await adopted(rig);
    assert.deepEqual(
      kept.map(({ truncated, footage }) => [truncated, footage.equals(content)]),
      [[true, true]],
    );
    assert.deepEqual(rig.said.slice(0, 1), ["truncated"]);
  }

  it("says so when not even a beginning can be made, and keeps nothing in memory", async () => {
    await using rig = await openRig(RECORD);
    const sealing = await sealingOf(rig);
    const incoming = join(sealing.incoming, "gone", "gone");
    const writer = openSegment({ ...sealing, incoming }, WALL_CAMERA, START);
    writer.push(randomBytes(200_000));
    await until(() => writer.failed !== undefined);
    assert.deepEqual([writer.failed?.code, writer.waitingBytes], ["SPOOL_IO", 0]);
    await assert.rejects(writer.close(TIMES), { code: "SPOOL_IO" });
    await writer.abandon();
  });

  it("goes on in a new folder where its own was removed, and says so once", async () => {
    await using rig = await openRig(RECORD);
    const sealing = await sealingOf(rig);
    await rm(sealing.incoming, { recursive: true });
    const writers = [0, 1, 2].map((nth) => openSegment(sealing, WALL_CAMERA, plus(START, nth)));
    const content = randomBytes(200_000);
    for (const [nth, writer] of writers.entries()) {
      writer.push(content);
      await writer.close({ ...TIMES, startedAt: plus(START, nth) });
    }
    assert.deepEqual(rig.said, ["folder-made", "sealed", "sealed", "sealed"]);
    assert.equal((await adopted(rig)).length, 3);
  });

  it("makes no folder in the place of a disk that is not mounted", async () => {
    await using rig = await openRig(RECORD);
    const sealing = await sealingOf(rig);
    await rm(rig.spool.path, { recursive: true });
    const writer = openSegment(sealing, WALL_CAMERA, START);
    await until(() => writer.failed !== undefined);
    await writer.abandon();
    await assert.rejects(readdir(rig.spool.path), { code: "ENOENT" });
    assert.deepEqual(rig.said, []);
  });

  it("loses nothing that reached the disk, whichever call fails (invariant 8)", async () => {
    const content = randomBytes(300_000);
    const identity = await generateX25519Identity();
    for (const code of ["ENOSPC", "EIO", SHORT]) {
      let came = true;
      for (let nth = 1; came; nth += 1) came = await failsOnce(content, identity, code, nth);
    }
  });
});

/** A segment of whose calls the n-th fails; false when there were not so many. */
async function failsOnce(
  content: Buffer,
  identity: string,
  code: string,
  nth: number,
): Promise<boolean> {
  const why = `${code} ${nth}`;
  await using rig = await openRig({ ...RECORD, identity });
  const sealing = await sealingOf(rig);
  const faults = openFaults();
  let came = false;
  let handedOver: unknown;
  let whole = false;
  let writtenBytes = 0;
  {
    using _failing = failingFiles(faults);
    faults.arm(nth, code);
    const writer = openSegment(sealing, WALL_CAMERA, START);
    writtenBytes = Math.min(await pushSlowly(writer, content), content.length);
    whole = writer.failed === undefined;
    const close = async () => {
      try {
        handedOver = await writer.close(TIMES);
      } catch (error) {
        assert.ok(error instanceof BewaardError, `${why}: ${String(error)}`);
      }
    };
    await close();
    // Core may have it already, although the recorder was told that it failed.
    if (handedOver === undefined) await rig.adoptOnce();
    if (handedOver === undefined) await close();
    if (handedOver === undefined) await writer.abandon();
    came = faults.disarm();
  }
  await settleCutOff(rig.events, sealing.incoming);
  const kept = await adopted(rig);
  assert.ok(kept.length <= 1, why);
  assert.ok(kept.length === 0 || !rig.said.includes("cut-off-empty"), why);
  const [segment] = kept;
  const footage = segment?.footage ?? Buffer.of();
  assert.ok(footage.equals(content.subarray(0, footage.length)), why);
  assert.ok(footage.length >= writtenBytes - CHUNK_BYTES, why);
  if (handedOver !== undefined) assert.equal(segment?.truncated, false, why);
  if (handedOver !== undefined && whole) assert.equal(footage.length, content.length, why);
  assert.deepEqual(await readdir(sealing.incoming), [], why);
  return came;
}

describe("syncing many files in turn", () => {
  it("never syncs two at the same moment, and goes on when one is refused", async () => {
    const shared = openSharedSync();
    let busy = 0;
    const done: number[] = [];
    const turns = Array.from({ length: 6 }, (_, index) =>
      shared.inTurn(async () => {
        busy += 1;
        assert.equal(busy, 1);
        await systemClock.sleep(2, NEVER);
        busy -= 1;
        if (index === 2) throw new Error("made to fail");
        done.push(index);
      }),
    );
    const results = await Promise.allSettled(turns);
    assert.equal(results[2]?.status, "rejected");
    assert.deepEqual(done, [0, 1, 3, 4, 5]);
  });

  it("comes after a segment's first bytes and then every 5 s", async () => {
    await using rig = await openRig(RECORD);
    const sealing = await sealingOf(rig);
    let syncs = 0;
    const counting: typeof sealing.shared = {
      async inTurn(work) {
        syncs += 1;
        await work();
      },
    };
    const writer = openSegment({ ...sealing, shared: counting }, WALL_CAMERA, START);
    using files = watchIdle();
    const push = async () => {
      writer.push(randomBytes(2 * CHUNK_BYTES));
      await until(() => writer.waitingBytes === 0);
      // A sync is under way; the next is asked for when it is done.
      await files.idle();
    };
    await push();
    assert.equal(syncs, 1);
    for (const expected of [1, 1, 1, 1, 2, 2, 2, 2, 2, 3]) {
      rig.clock.move(SECOND_MS);
      await push();
      assert.equal(syncs, expected);
    }
    await writer.close(TIMES);
  });

  it("is not waited for by who ends a file", async () => {
    await using rig = await openRig(RECORD);
    const sealing = await sealingOf(rig);
    const never: typeof sealing.shared = { inTurn: () => new Promise(() => undefined) };
    const writer = openSegment({ ...sealing, shared: never }, WALL_CAMERA, START);
    writer.push(randomBytes(2 * CHUNK_BYTES));
    await until(() => writer.waitingBytes === 0);
    assert.equal(await writer.close(TIMES), writer.id);
  });
});
