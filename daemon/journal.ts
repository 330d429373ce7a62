import { Writable } from "node:stream";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { createLogger, format, type Logger, transports } from "winston";
import { type Datagrams, openDatagrams } from "#base/datagrams";
import { unlessBefore } from "#base/deadline";
import { openEvents } from "./events.ts";
import { isToJournal, JOURNAL_SOCKET } from "./journal/connected.ts";
import { journalEntry, type Logged } from "./journal/entry.ts";
import { openLastLines } from "./journal/last-lines.ts";
import { LEVELS, type Level, priorityOf } from "./journal/levels.ts";
import { type JournalQueue, openJournalQueue } from "./journal/queue.ts";

/** What is logged to, until it is disposed of: that gives what waits some seconds to go. */
export interface Journal extends AsyncDisposable {
  readonly logger: Logger;
}

/** For what still waits when the process ends: long enough for journald to be started again. */
const FLUSH_MS = 5000;
/** journald looks up whose line it is when it reads it: of a process that has gone by then, it does not know the unit. */
const LINGER_MS = 100;

/**
 * Logs to the journal in its own protocol where standard error is connected to it; elsewhere to standard error,
 * one JSON object a line, `<N>` before it so that whoever reads it sees the level. `identifier` is what
 * `journalctl -t` finds it by. What is said once `stopping` has aborted goes to standard error always: journald has known
 * the unit of that since it was opened, and a machine that goes down may not read it before this process has gone.
 */
export function openJournal(level: Level, identifier: string, stopping: AbortSignal): Journal {
  if (isToJournal(process.env["JOURNAL_STREAM"]))
    return nativeJournal(level, identifier, openDatagrams(JOURNAL_SOCKET), stopping);
  const line = format.printf(standardLine);
  const console = new transports.Console({ stderrLevels: Object.keys(LEVELS) });
  const logger = createLogger({ levels: LEVELS, level, format: line, transports: [console] });
  return { logger, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** What `openJournal` gives where standard error is the journal; `datagrams` are disposed of with it. */
export function nativeJournal(
  level: Level,
  identifier: string,
  datagrams: Datagrams,
  stopping: AbortSignal,
  flushMs = FLUSH_MS,
): Journal {
  const queue = openJournalQueue(datagrams, toStandardError, (lines) =>
    openEvents(logger).journalLinesLost(lines),
  );
  const lastLines = openLastLines(flushMs);
  let instead = (): ((line: string) => void) | undefined =>
    stopping.aborted ? toStandardError : undefined;
  const stream = intoQueue(queue, identifier, () => instead());
  const logger = createLogger({
    levels: LEVELS,
    level,
    transports: [new transports.Stream({ stream })],
  });
  // Where nothing can be waited for any more: an error that nobody caught ends the process.
  const end = (): void => {
    instead = () => lastLines.write;
    for (const line of queue.left()) lastLines.write(line);
    while (logger.read() !== null);
    lastLines.end();
  };
  process.once("exit", end);
  return {
    logger,
    [Symbol.asyncDispose]: async () => {
      const over = Promise.withResolvers<void>();
      using _ = unlessBefore(flushMs, over.resolve);
      await Promise.race([handedOn(logger).then(() => queue.drained()), over.promise]);
      process.off("exit", end);
      datagrams[Symbol.dispose]();
      await wait(LINGER_MS);
    },
  };
}

/** Takes what is logged; `instead` says where it goes now, when that is not the queue. */
function intoQueue(
  queue: JournalQueue,
  identifier: string,
  instead: () => ((line: string) => void) | undefined,
): Writable {
  return new Writable({
    objectMode: true,
    write: (logged: Logged, _, done) => {
      const line = journalLine(logged);
      const write = instead();
      if (write !== undefined) write(line);
      else {
        const entry = journalEntry(logged, identifier);
        const isMinor = priorityOf(String(logged["level"])) >= LEVELS.info;
        queue.add({ entry, line, isMinor });
      }
      done();
    },
  });
}

/** winston passes on a few lines each turn of the event loop, and has the others itself. */
async function handedOn(logger: Logger): Promise<void> {
  while (logger.writableLength + logger.readableLength > 0) await nextTurn();
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}

function standardLine({ level, message, ...fields }: Logged): string {
  return `${levelMark(level)}${JSON.stringify({ level, message, ...fields })}`;
}

/** For standard error that is the journal: the sentence, and then all else that has no field of its own there. */
function journalLine({ message, ...fields }: Logged): string {
  return `${levelMark(fields["level"])}${String(message)} ${JSON.stringify(fields)}`;
}

function levelMark(level: unknown): string {
  return `<${priorityOf(String(level))}>`;
}
