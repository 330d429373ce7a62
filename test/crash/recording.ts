import { writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "winston";
import { parseDeviceId, parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { instant, plus, SECOND_MS } from "#base/time";
import { openEvents } from "../../daemon/events.ts";
import { openRecordSealing } from "../../daemon/record/sealing.ts";
import { openSegment } from "../../daemon/record/segment-writer.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";

// A recorder that seals the file `footage` as two segments, for a crash test to kill anywhere. It says each
// time that something of it is on disk.

const folder = process.argv[2] ?? "";
const incoming = process.argv[3] ?? "";
const start = instant(Number(process.argv[4]));
const PIECE_BYTES = 50_000;

const book = parseRecipientBook(await readFile(join(folder, "recipients"), "utf8"));
const footage = await readFile(join(folder, "footage"));
const clock = { ...systemClock, now: () => start };
const events = openEvents(createLogger({ silent: true }));
const sealing = openRecordSealing(clock, events, parseNodeId("dock-1"), book, incoming);
const { signal } = new AbortController();

/** Said at once: a kill must not lose it. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

for (const segment of [1, 2]) {
  const startedAt = plus(start, segment * SECOND_MS);
  const writer = openSegment(sealing, parseDeviceId("cam-0001"), startedAt);
  for (let at = 0; at < footage.length; at += PIECE_BYTES) {
    writer.push(footage.subarray(at, at + PIECE_BYTES));
    do await systemClock.sleep(5, signal);
    while (writer.waitingBytes > 0);
    if (at === 2 * PIECE_BYTES) writer.began(plus(startedAt, -SECOND_MS / 2));
    say(`${segment} ${at + PIECE_BYTES}`);
  }
  await writer.close({ startedAt, endedAt: plus(startedAt, SECOND_MS), offsetMs: null });
  say(`${segment} handed over`);
}
