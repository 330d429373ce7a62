import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { openDatagrams } from "#base/datagrams";
import { parseDeviceId, parseSegmentId } from "#base/ids";
import { openEvents } from "../../daemon/events.ts";
import { nativeJournal } from "../../daemon/journal.ts";

// A process that logs to the datagram socket of its first argument, so many lines as its third says, and then ends as its
// second says.

const [path = "", how = "", count = ""] = process.argv.slice(2);
const SEGMENT = parseSegmentId("01J00000000000000000000000");
const DEVICE = parseDeviceId("bc-0101");

async function run(): Promise<void> {
  await using journal = nativeJournal(
    "info",
    "bewaard",
    openDatagrams(path),
    new AbortController().signal,
  );
  const events = openEvents(journal.logger);
  const say = (): void => {
    for (let at = 0; at < Number(count); at += 1) events.sealed(SEGMENT, DEVICE, at);
    if (how.startsWith("throws")) throw new Error("a bug");
  };
  const saySome = async (): Promise<void> => {
    for (let at = 0; at < Number(count); at += 1) {
      events.sealed(SEGMENT, DEVICE, at);
      if (at % 10 === 0) await nextTurn();
    }
    throw new Error("a bug");
  };
  if (how === "throws") say();
  // Nobody can catch what is thrown from here.
  if (how === "throws in a callback") process.nextTick(say);
  if (how === "rejects") void Promise.reject(new Error("a bug")).finally(say);
  if (how === "rejects while some are sent") void saySome();
  await wait(60_000);
}

await run();
