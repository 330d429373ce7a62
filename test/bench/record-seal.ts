import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { createLogger } from "winston";
import { type DeviceId, parseDeviceId, parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { dayOf, plus } from "#base/time";
import { openEvents } from "../../daemon/events.ts";
import { openRecordSealing, type RecordSealing } from "../../daemon/record/sealing.ts";
import { openSegment } from "../../daemon/record/segment-writer.ts";
import { type Figure, figure } from "./figure.ts";
import { option } from "./options.ts";

// The recorder's sealing alone, in real time: cameras of 4 Mbit/s that send a fragment a second, in segments
// of five, which is twelve times as many closes as in the field.

const CAMERAS = option("cameras", 24);
const SECONDS = option("seconds", 20);
const SEGMENT_SECONDS = 5;
const FRAGMENT_BYTES = 500_000;
/** A pipe gives so much at once. */
const READ_BYTES = 64 * 1024;

const { signal } = new AbortController();

export async function recordSealBench(): Promise<readonly Figure[]> {
  // On the disk that the working copy is on: a memory file system syncs for nothing.
  const folder = await mkdtemp(join(process.cwd(), ".bench-"));
  try {
    const recipient = await identityToRecipient(await generateHybridIdentity());
    const book = [{ day: dayOf(systemClock.now()), recipient }];
    const events = openEvents(createLogger({ silent: true }));
    const node = parseNodeId("bench-1");
    const sealing = openRecordSealing(systemClock, events, node, book, folder);
    return await measured(sealing);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(sealing: RecordSealing): Promise<readonly Figure[]> {
  const fragment = randomBytes(FRAGMENT_BYTES);
  const closesMs: number[] = [];
  const before = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CAMERAS }, (_, index) => {
      const device = parseDeviceId(`cam-${index}`);
      return record(sealing, device, fragment, (1000 * index) / CAMERAS, closesMs);
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const sorted = closesMs.toSorted((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  const rss = (process.resourceUsage().maxRSS * 1024) / 1e6;
  return [
    figure("CPU per camera-minute", (60 * cpuSeconds) / (CAMERAS * seconds), "s", "<= 1"),
    figure("resident memory, at most", rss, "MB", "<= 150"),
    figure("close, p99", p99, "ms", "<= 250"),
    figure("close, median", sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, "ms", "<= 250"),
    figure("closes", sorted.length, "", ">= 1"),
  ];
}

async function record(
  sealing: RecordSealing,
  device: DeviceId,
  fragment: Buffer,
  offsetMs: number,
  closesMs: number[],
): Promise<void> {
  const started = performance.now() + offsetMs;
  const closing: Promise<void>[] = [];
  for (let second = 0; second < SECONDS; second += SEGMENT_SECONDS) {
    const startedAt = sealing.clock.now();
    const writer = openSegment(sealing, device, startedAt);
    for (let one = second; one < second + SEGMENT_SECONDS; one += 1) {
      const wait = started + 1000 * one - performance.now();
      await sealing.clock.sleep(Math.max(0, wait), signal);
      for (let at = 0; at < fragment.length; at += READ_BYTES) {
        writer.push(fragment.subarray(at, at + READ_BYTES));
      }
    }
    closing.push(timed(closesMs, () => writer.close({ ...ended(sealing), startedAt })));
  }
  await Promise.all(closing);
}

function ended({ clock }: RecordSealing) {
  return { endedAt: plus(clock.now(), 0), offsetMs: null };
}

async function timed(into: number[], work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  into.push(performance.now() - started);
}
