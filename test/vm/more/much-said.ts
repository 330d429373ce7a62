import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { openDatagrams } from "#base/datagrams";
import { BewaardError } from "#base/errors";
import { parseDeviceId, parseSegmentId } from "#base/ids";
import { openEvents } from "../../../daemon/events.ts";
import { JOURNAL_SOCKET } from "../../../daemon/journal/connected.ts";
import { MESSAGE_IDS } from "../../../daemon/journal/message-ids.ts";
import { sentence } from "../../../daemon/journal/sentence.ts";
import { nativeJournal } from "../../../daemon/journal.ts";

// Where a journald is. `say` has so many lines to say, at once or so many a second, a third of them with what nobody should call a file;
// `hear` looks at what `journalctl -o json` gives of them. Each tells what it saw as JSON.

const [does = "", count = "", perSecond] = process.argv.slice(2);
/** As many are said in one turn of the event loop, where they are said at a pace. */
const AT_ONCE = 100;
const SEGMENT = parseSegmentId("01J00000000000000000000000");
const DEVICE = parseDeviceId("bc-0101");
const PARTS = [
  "\n",
  "=",
  "MESSAGE=x\n",
  "\nPRIORITY=0\n",
  "\0",
  "é",
  "_UID=0\n",
  "\x1b[2J",
  "\u202e",
  "<0>",
];

/** Of another name for each of a hundred million numbers. */
function hostile(nth: number): string {
  const digits = Array.from(String(nth * 7919), Number);
  return `${digits.map((digit) => PARTS[digit]).join("")}${nth}`;
}

async function say(): Promise<object> {
  const { signal } = new AbortController();
  const began = performance.now();
  let said = began;
  {
    await using journal = nativeJournal("info", "much", openDatagrams(JOURNAL_SOCKET), signal, 9e5);
    const events = openEvents(journal.logger);
    for (let nth = 0; nth < Number(count); nth += 1) {
      // Lines that come at once leave no turn for any other work.
      if (perSecond !== undefined && nth % AT_ONCE === 0)
        await wait((1000 * nth) / Number(perSecond) - (performance.now() - began));
      if (nth % 3 > 0) events.sealed(SEGMENT, DEVICE, nth);
      else events.fileLeft(DEVICE, hostile(nth), new BewaardError("CARD_READ", hostile(nth)));
    }
    said = performance.now();
  }
  return { saidMs: Math.round(said - began), takenMs: Math.round(performance.now() - began) };
}

/** As journalctl gives a value: a text, or the bytes of what it would not print. */
const valueSchema = z.union([
  z.string(),
  z.array(z.number()).transform((all) => Buffer.from(all).toString()),
]);
const lineSchema = z.record(z.string(), z.unknown());

function expected(nth: number): Readonly<Record<string, string>> {
  const of = (event: keyof typeof MESSAGE_IDS, priority: string, result: string) => ({
    PRIORITY: priority,
    SYSLOG_IDENTIFIER: "much",
    MESSAGE_ID: MESSAGE_IDS[event],
    BEWAARD_EVENT: event,
    BEWAARD_RESULT: result,
    BEWAARD_DEVICE: DEVICE,
  });
  if (nth % 3 > 0) {
    const fields = { segment: SEGMENT, device: DEVICE, bytes: nth };
    const MESSAGE = sentence("footage sealed as {segment}, {bytes}", fields);
    return {
      ...of("sealed", "6", "done"),
      MESSAGE,
      BEWAARD_SEGMENT: SEGMENT,
      BEWAARD_BYTES: String(nth),
    };
  }
  const fields = { device: DEVICE, code: "CARD_READ", why: hostile(nth) };
  return {
    ...of("file-left", "1", "failed"),
    MESSAGE: sentence("a file stays on its card", fields),
    BEWAARD_NAME: hostile(nth),
    BEWAARD_CODE: "CARD_READ",
    BEWAARD_WHY: hostile(nth),
  };
}

/** What a line has beside what journald itself writes down. */
function ownFields(line: string): Readonly<Record<string, unknown>> {
  const all = Object.entries(lineSchema.parse(JSON.parse(line)));
  return Object.fromEntries(
    all
      .filter(([name]) => !name.startsWith("_"))
      .map(([name, value]) => [name, valueSchema.safeParse(value).data ?? value]),
  );
}

async function hear(): Promise<object> {
  let heard = 0;
  let wrong: unknown;
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const fields = ownFields(line);
    const wanted = expected(heard);
    heard += 1;
    const names = Object.keys(wanted);
    const same = names.every((name) => fields[name] === wanted[name]);
    if (!same || Object.keys(fields).length !== names.length) wrong ??= { fields, wanted };
  });
  await once(lines, "close");
  return { heard, wrong: wrong ?? null };
}

console.log(JSON.stringify(does === "say" ? await say() : await hear()));
