import { stat } from "node:fs/promises";
import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS, dayOf, every, HOUR_MS, MINUTE_MS } from "#base/time";
import { readText } from "../config/load.ts";
import { daysWithout, parseRecipientBook, type RecipientBook } from "../storage/seal/recipients.ts";
import type { Events } from "./events.ts";

/** Who seals looks up each day's identity in it. */
interface Sealing {
  book: RecipientBook;
}

const WARNING_DAYS = 30;

/** @throws BewaardError CONFIG_MISSING, CONFIG_INVALID, RECIPIENT_INVALID, RECIPIENT_MIXED. */
export async function readBook(path: string): Promise<RecipientBook> {
  return parseRecipientBook(await readText(path));
}

/**
 * Keeps the book as its file is, looking each minute whether that has changed: the next ceremony must reach
 * who seals for years on end. While the file cannot be read the book stays as it was, and that is said.
 */
export async function keepBook(
  clock: Clock,
  events: Events,
  path: string,
  sealing: Sealing,
  signal: AbortSignal,
): Promise<void> {
  const hourly = atMostEvery(clock, HOUR_MS);
  let known: string | undefined;
  for await (const _ of every(clock, MINUTE_MS, signal)) {
    const stamp = await stampOf(path);
    if (stamp !== undefined && stamp === known) continue;
    try {
      sealing.book = await readBook(path);
      known = stamp;
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      if (hourly(error.code)) events.recipientsUnread(error);
    }
  }
}

/** Changes with the file; undefined where there is none to be seen. */
async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return undefined;
  }
}

/** Says each day that identities run out within the month, or that days in it have none of their own. */
export async function warnOfRecipients(
  clock: Clock,
  events: Events,
  sealing: Sealing,
  signal: AbortSignal,
): Promise<void> {
  for await (const now of every(clock, DAY_MS, signal)) {
    const { book } = sealing;
    const last = book.at(-1)?.day ?? "";
    const daysLeft = (Date.parse(last) - Date.parse(dayOf(now))) / DAY_MS;
    if (!(daysLeft > WARNING_DAYS)) events.recipientsRunOut(last);
    const skipped = daysWithout(book, now, WARNING_DAYS).filter((day) => day < last);
    if (skipped.length > 0) events.recipientsSkip(skipped);
  }
}
