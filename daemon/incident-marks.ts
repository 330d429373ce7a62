import { BewaardError } from "#base/errors";
import { TERM_LIMIT_MS } from "#base/term";
import { type Clock, every, HOUR_MS, type Instant, instant, isoOf } from "#base/time";
import { type MarkState, readMarks, recordMark, takeReminders } from "../storage/catalog/marks.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Answers } from "./control/protocol.ts";
import type { Events } from "./events.ts";
import { newMarkId } from "./new-id.ts";
import { steady } from "./steady.ts";
import { timeTrust } from "./trust.ts";

/** Longer than this is no incident but a shift typed wrong. */
const LONGEST_MS = 24 * HOUR_MS;

export type MarkAnswers = Pick<Answers, "bodycams.mark" | "bodycams.marks">;

/**
 * Reminds people, on days 7, 14 and 21 after it happened, of what a coordinator marked and nobody holds, until the
 * signal aborts. Not while time is not trusted: a clock that was set ahead would tell of all at once, and forget them.
 */
export async function remindOfMarks(
  clock: Clock,
  events: Events,
  database: Database,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "marks");
  for await (const now of every(clock, HOUR_MS, signal)) {
    await turn(async () => {
      if (!(await timeTrust(clock, database)).trusted) return;
      for (const { mark, day } of await takeReminders(database, now))
        events.incidentReminder(mark.id, mark.device, day, mark.open, mark.dueAt);
    });
  }
}

/** What core answers about marks. */
export function markAnswers(clock: Clock, database: Database): MarkAnswers {
  return {
    "bodycams.mark": async ({ number, by, fromMs, toMs }) => {
      const now = clock.now();
      const [startedAt, endedAt] = [instant(fromMs), instant(toMs)];
      const why = whyNotMarked(startedAt, endedAt, now);
      if (why !== undefined) throw new BewaardError("CONTROL_REFUSED", why);
      const id = newMarkId(now);
      if (!(await recordMark(database, now, { id, device: number, startedAt, endedAt, by })))
        throw new BewaardError("CONTROL_REFUSED", "names a camera that this box does not know");
      const marks = await readMarks(database);
      return { id, footage: marks.find((one) => one.id === id)?.open ?? 0 };
    },
    "bodycams.marks": async () => ({ marks: (await readMarks(database)).map(shown) }),
  };
}

function whyNotMarked(from: Instant, to: Instant, now: Instant): string | undefined {
  if (to < from) return "an incident ends after it begins";
  if (to - from > LONGEST_MS)
    return "an incident is a day long at most: mark the hours that it is about";
  if (from > now) return "an incident cannot be marked before it happened";
  if (now - from >= TERM_LIMIT_MS) return "the footage of then is gone, or held";
  return undefined;
}

function shown({ startedAt, endedAt, markedAt, dueAt, ...mark }: MarkState) {
  return {
    ...mark,
    startedAt: isoOf(startedAt),
    endedAt: isoOf(endedAt),
    markedAt: isoOf(markedAt),
    dueAt: dueAt === undefined ? null : isoOf(dueAt),
  };
}
