import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { parseDeviceId, parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { dayOf, plus, SECOND_MS } from "#base/time";
import { settleCutOff } from "../../daemon/leftovers.ts";
import type { SegmentHistory } from "../../daemon/record/camera-history.ts";
import { type History, openHistory } from "../../daemon/record/history.ts";
import type { Untold } from "../../daemon/record/mark.ts";
import { openRecordSealing } from "../../daemon/record/sealing.ts";
import { openSegment, type SegmentWriter } from "../../daemon/record/segment-writer.ts";
import { CHUNK_BYTES } from "../../storage/seal/chunk.ts";
import { salvageSealed } from "../../storage/seal/salvage.ts";
import { decrypterOf } from "../../storage/seal/small.ts";
import { sealedPath } from "../../storage/spool/incoming.ts";
import { parseManifest } from "../../storage/spool/manifest.ts";
import { openLoopDisk, whyNoLoopDisk } from "../fakes/loop-disk.ts";
import { capturedEvents, handClock, NEVER, START } from "../fakes/rig.ts";

const CAMERA = parseDeviceId("cam-01");
const why = await whyNoLoopDisk();
if (why !== undefined) {
  process.stderr.write(
    `LEFT OUT: the tests that cut the recorder's power need loop mounts and xfs_io: ${why}\n`,
  );
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await systemClock.sleep(1, NEVER);
}

async function footageOf(identity: string, path: string): Promise<Buffer> {
  const pieces = salvageSealed(createReadStream(path), decrypterOf(identity));
  return Buffer.concat(await Array.fromAsync(pieces));
}

(why === undefined ? describe : leftOut)("power loss while recording (invariant 8)", function () {
  this.timeout(60_000);
  for (const kind of ["xfs", "ext4"] as const) {
    it(`on ${kind}: what was handed over is whole, what was synced is kept as truncated`, async () => {
      await using disk = await openLoopDisk(kind);
      const identity = await generateX25519Identity();
      const book = [
        { day: dayOf(systemClock.now()), recipient: await identityToRecipient(identity) },
      ];
      const said: string[] = [];
      const events = capturedEvents(said);
      const node = parseNodeId("dock-1");
      const opened = openRecordSealing(systemClock, events, node, book, disk.path);
      let writer: SegmentWriter | undefined;
      let synced = 0;
      const shared: typeof opened.shared = {
        async inTurn(work) {
          await opened.shared.inTurn(work);
          synced += 1;
        },
      };
      const sealing = { ...opened, shared };
      const content = randomBytes(20 * CHUNK_BYTES);
      const startedAt = systemClock.now();
      const whole = openSegment(sealing, CAMERA, startedAt);
      whole.push(content);
      await whole.close({ startedAt, endedAt: plus(startedAt, 1000), offsetMs: null });
      const syncedBefore = synced;
      writer = openSegment(sealing, CAMERA, startedAt);
      writer.push(content);
      // The first sync, with its folder's.
      await until(() => synced > syncedBefore && writer.waitingBytes === 0);
      await systemClock.sleep(5500, NEVER);
      writer.push(content);
      await until(() => synced > syncedBefore + 1 && writer.waitingBytes === 0);
      writer.push(content);
      disk.cutPower();
      await writer.abandon();
      disk.recover();
      await settleCutOff(events, disk.path);
      const names = await readdir(disk.path);
      for (const { id } of [whole, writer]) assert.ok(names.includes(`${id}.json`), id);
      const manifestOf = async (id: string) =>
        parseManifest(await readFile(join(disk.path, `${id}.json`)));
      const [first, second] = [await manifestOf(whole.id), await manifestOf(writer.id)];
      assert.ok(first.kind === "segment" && !first.truncated);
      assert.ok((await footageOf(identity, sealedPath(disk.path, whole.id))).equals(content));
      assert.ok(second.kind === "segment" && second.truncated);
      const kept = await footageOf(identity, sealedPath(disk.path, writer.id));
      const pushed = Buffer.concat([content, content, content]);
      assert.ok(kept.equals(pushed.subarray(0, kept.length)));
      assert.ok(kept.length >= content.length, `${kept.length} bytes`);
      assert.deepEqual(
        names.filter((name) => /partial|intent/.test(name)),
        [],
      );
    });

    it(`on ${kind}: that there was an outage is known, and since when (invariant 9)`, async () => {
      await using disk = await openLoopDisk(kind);
      const clock = handClock(START);
      const said: string[] = [];
      const told: Untold[] = [];
      const open = async (): Promise<History> => {
        const path = join(disk.path, "marks.json");
        const tell = async (_: unknown, gap: Untold): Promise<void> => void told.push(gap);
        return openHistory(clock, capturedEvents(said), path, [CAMERA], tell);
      };
      const ours = async (): Promise<readonly [History, SegmentHistory]> => {
        const history = await open();
        history.of(CAMERA).begin();
        const segment = history.of(CAMERA).segment(() => undefined);
        segment.written(clock.now(), clock.now(), clock.now());
        return [history, segment];
      };
      const [before, segment] = await ours();
      for (let second = 0; second < 5; second += 1) {
        clock.move(SECOND_MS);
        segment.written(START, clock.now(), START);
        await before.settle();
      }
      disk.cutPower();
      disk.recover();
      clock.restart();
      clock.jump(60 * SECOND_MS);
      const [after] = await ours();
      await after.settle();
      assert.deepEqual(said, []);
      const [gap, ...more] = told;
      assert.ok(gap && more.length === 0 && gap.cause === "crashed");
      assert.equal(gap.endedAt - START, 65 * SECOND_MS);
      assert.equal(gap.startedAt, START);
    });
  }
});

function leftOut(): void {}
