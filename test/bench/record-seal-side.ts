import { randomBytes } from "node:crypto";
import { createLogger } from "winston";
import { type DeviceId, parseDeviceId, parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { dayOf } from "#base/time";
import { openEvents } from "../../daemon/events.ts";
import { openRecordSealing, type RecordSealing } from "../../daemon/record/sealing.ts";
import { openSegment } from "../../daemon/record/segment-writer.ts";

// Our side of the bench, as a process of its own: cameras of 4 Mbit/s that send a fragment a second, in
// segments of five, which is twelve times as many closes as in the field.

const [folder = "", recipient = "", cameras = "", seconds = ""] = process.argv.slice(2);
const SEGMENT_SECONDS = 5;
const FRAGMENT_BYTES = 500_000;
/** A pipe gives so much at once. */
const READ_BYTES = 64 * 1024;

const { signal } = new AbortController();

async function record(
  sealing: RecordSealing,
  device: DeviceId,
  fragment: Buffer,
  offsetMs: number,
  closesMs: number[],
): Promise<void> {
  const started = performance.now() + offsetMs;
  const closing: Promise<void>[] = [];
  for (let second = 0; second < Number(seconds); second += SEGMENT_SECONDS) {
    const startedAt = sealing.clock.now();
    const writer = openSegment(sealing, device, startedAt);
    for (let one = second; one < second + SEGMENT_SECONDS; one += 1) {
      const wait = started + 1000 * one - performance.now();
      await sealing.clock.sleep(Math.max(0, wait), signal);
      for (let at = 0; at < fragment.length; at += READ_BYTES) {
        writer.push(fragment.subarray(at, at + READ_BYTES));
      }
    }
    closing.push(
      timed(closesMs, () =>
        writer.close({ startedAt, endedAt: sealing.clock.now(), offsetMs: null }),
      ),
    );
  }
  await Promise.all(closing);
}

async function timed(into: number[], work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  into.push(performance.now() - started);
}

const book = [{ day: dayOf(systemClock.now()), recipient }];
const events = openEvents(createLogger({ silent: true }));
const sealing = openRecordSealing(systemClock, events, parseNodeId("bench-1"), book, folder);
const fragment = randomBytes(FRAGMENT_BYTES);
const closesMs: number[] = [];
const before = process.cpuUsage();
await Promise.all(
  Array.from({ length: Number(cameras) }, (_, index) => {
    const device = parseDeviceId(`cam-${index}`);
    return record(sealing, device, fragment, (1000 * index) / Number(cameras), closesMs);
  }),
);
const { user, system } = process.cpuUsage(before);
const rssBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ cpuSeconds: (user + system) / 1e6, rssBytes, closesMs }));
