import assert from "node:assert/strict";
import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { openRelay } from "../drivers/camera/relay.ts";

const NEVER = new AbortController().signal;
const CHUNK_BYTES = 64 * 1024;

/** A reader that notes what it is given, each time. */
function noting(): { reader: Socket; writes: Buffer[] } {
  const writes: Buffer[] = [];
  const write = (bytes: Uint8Array, written: () => void): boolean => {
    writes.push(Buffer.from(bytes));
    queueMicrotask(written);
    return true;
  };
  return { reader: Object.assign(new Socket(), { write }), writes };
}

function collect(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
}

/** Frames of an unknown kind, of `bytes` each with their heads. */
function frames(count: number, bytes: number): Buffer {
  const one = Buffer.alloc(bytes, 1);
  one[0] = 0x24;
  one.writeUInt16BE(bytes - 4, 2);
  return Buffer.concat(Array.from({ length: count }, () => one));
}

describe("the relay from a camera to ffmpeg", () => {
  it("writes whole frames each time: an answer may go between two writes", async () => {
    const relay = openRelay(systemClock, NEVER);
    const { reader, writes } = noting();
    relay.join(1, "h264");
    relay.take(frames(3, 5000));
    relay.begin(reader);
    for (let run = 0; run < 40; run += 1) relay.take(frames(run, 1404));
    relay.take(frames(1, 4 + 65_535));
    const sent = 3 * 5000 + 39 * 20 * 1404 + 4 + 65_535;
    const written = (): number => writes.reduce((sum, { length }) => sum + length, 0);
    // What is gathered goes after a while; a busy machine takes longer.
    for (let tries = 0; tries < 500 && written() < sent; tries += 1) await pause(10);
    assert.equal(written(), sent);
    for (const bytes of writes) {
      let at = 0;
      while (at < bytes.length) at += 4 + bytes.readUInt16BE(at + 2);
      assert.equal(at, bytes.length);
    }
    assert.ok(writes.length < 40, `${writes.length} writes`);
  });

  it("lets ffmpeg go when the camera was lost before it began, after what there is", () => {
    const relay = openRelay(systemClock, NEVER);
    const { reader, writes } = noting();
    relay.take(frames(1, 100));
    relay.end();
    relay.begin(reader);
    assert.deepEqual(Buffer.concat(writes), frames(1, 100));
    assert.ok(reader.writableEnded);
  });

  it("keeps no more than it may of what comes before ffmpeg plays, however small its frames", async () => {
    const relay = openRelay(systemClock, NEVER);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 1000; count += 1) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      frames(1, 10).copy(chunk);
      relay.take(chunk.subarray(0, 10));
    }
    const most = 8 * CHUNK_BYTES;
    let held = Number.POSITIVE_INFINITY;
    // Memory is swept beside us: what is free may be counted for a while.
    for (let tries = 0; tries < 100 && held >= most; tries += 1) {
      collect();
      held = process.memoryUsage().arrayBuffers - before;
      if (held >= most) await pause(20);
    }
    assert.throws(
      () => {
        for (;;) relay.take(frames(40, 1404));
      },
      (error) => error instanceof BewaardError && error.code === "CAMERA_STREAM",
    );
    assert.ok(held < most, `${held} bytes held`);
  });
});
