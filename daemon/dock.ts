import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError } from "#base/errors";
import type { DeviceId, NodeId } from "#base/ids";
import { printable } from "#base/printable";
import { type Clock, DAY_MS, dayOf, every, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { type CardFile, joined, listCard } from "../drivers/bodycam/card.ts";
import { lookAgain } from "../drivers/bodycam/look-again.ts";
import { type CameraProfile, sorter } from "../drivers/bodycam/profile.ts";
import type { SealPool } from "../storage/seal/pool.ts";
import type { RecipientBook } from "../storage/seal/recipients.ts";
import type { Ask } from "./control/client.ts";
import type { Events } from "./events.ts";
import { handOver } from "./hand-over-fact.ts";
import type { ReadContainer } from "./recording-times.ts";

/** A bodycam and where it docks. */
export interface Dock {
  readonly device: DeviceId;
  readonly folder: string;
  readonly profile: CameraProfile & { readonly clock: "synchronised" | "unknown" };
}

export interface Sealing {
  readonly node: NodeId;
  readonly book: RecipientBook;
  readonly pool: SealPool;
  /** `incoming/dock` of the spool. */
  readonly incoming: string;
  readonly readContainer: ReadContainer;
}

const LOOK_EVERY_MS = 30 * SECOND_MS;
/** A file that did not change for this long is not being copied in any more. */
const SETTLE_MS = 2 * SECOND_MS;
const RECIPIENTS_WARNING_DAYS = 30;

/** Takes what docked cameras bring, each dock by itself, until the signal aborts. */
export async function dock(
  clock: Clock,
  events: Events,
  ask: Ask,
  sealing: Sealing,
  docks: readonly Dock[],
  signal: AbortSignal,
): Promise<void> {
  await clearLeftovers(sealing.incoming);
  await coreAnswers(clock, ask, signal);
  await together(signal, [
    ...docks.map((one) => (s: AbortSignal) => watchDock(clock, events, ask, sealing, one, s)),
    (s) => warnOfRecipients(clock, events, sealing.book, s),
  ]);
}

/** Both start together: without core's word on what it has, everything would be taken again. */
async function coreAnswers(clock: Clock, ask: Ask, signal: AbortSignal): Promise<void> {
  for await (const _ of every(clock, SECOND_MS, signal)) {
    try {
      await ask("status", {});
      return;
    } catch (error) {
      if (!(error instanceof BewaardError && error.transient) && !signal.aborted) throw error;
    }
  }
}

async function watchDock(
  clock: Clock,
  events: Events,
  ask: Ask,
  sealing: Sealing,
  one: Dock,
  signal: AbortSignal,
): Promise<void> {
  const taken = new Set<string>();
  const left = new Set<string>();
  // Once a reason: the next look tries again and would say the same.
  const leave = (key: string, path: Uint8Array, error: BewaardError): void => {
    if (left.has(`${error.code} ${key}`)) return;
    left.add(`${error.code} ${key}`);
    events.fileLeft(one.device, printable(path), error);
  };
  const unread = (path: Uint8Array, why: string): void =>
    leave(Buffer.from(path).toString("hex"), path, new BewaardError("CARD_READ", why));
  for await (const _ of lookAgain(clock, one.folder, LOOK_EVERY_MS, signal)) {
    try {
      const files = await newFiles(clock, ask, one, taken, unread, signal);
      for (const file of files) {
        signal.throwIfAborted();
        const error = await takeFile(clock, events, ask, sealing, one, file, signal);
        if (error) leave(keyOf(file), file.path, error);
        else taken.add(keyOf(file));
      }
      if (files.length > 0) events.cardSeen(one.device, files.length, taken.size);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BewaardError)) throw error;
      events.dockDelayed(one.device, error);
    }
  }
}

/** Files on the card that have settled and that nobody has taken yet. */
async function newFiles(
  clock: Clock,
  ask: Ask,
  one: Dock,
  taken: ReadonlySet<string>,
  unread: (path: Uint8Array, why: string) => void,
  signal: AbortSignal,
): Promise<readonly CardFile[]> {
  const sort = sorter(one.profile);
  const card = await listCard(one.folder);
  for (const { path, why } of card?.unread ?? []) unread(path, why);
  const wanted = (card?.files ?? []).filter(
    (file) => sort(file.path) !== "ignored" && !taken.has(keyOf(file)),
  );
  if (wanted.length === 0) return [];
  await clock.sleep(SETTLE_MS, signal);
  const now = new Set((await listCard(one.folder))?.files.map(keyOf));
  const settled = wanted.filter((file) => now.has(keyOf(file)));
  const { known } = await ask("known", {
    device: one.device,
    files: settled.map(({ path, bytes, modifiedAt }) => ({
      path: path.toString("base64"),
      bytes,
      modifiedAtMs: modifiedAt,
    })),
  });
  return settled.filter((_, index) => known[index] !== true);
}

/** Seals one file and hands it over. Returns why it stays on the card for now, if it does. */
async function takeFile(
  clock: Clock,
  events: Events,
  ask: Ask,
  sealing: Sealing,
  one: Dock,
  file: CardFile,
  signal: AbortSignal,
): Promise<BewaardError | undefined> {
  try {
    const { granted } = await ask("room", { bytes: file.bytes });
    if (!granted) throw new BewaardError("SPOOL_FULL", "no room in the spool", { transient: true });
    const source = joined(Buffer.from(one.folder), file.path);
    const segment = await handOver(clock, sealing, one, file, source, signal);
    events.sealed(segment, one.device, file.bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return error;
  }
}

function keyOf({ path, bytes, modifiedAt }: CardFile): string {
  return `${bytes} ${modifiedAt} ${path.toString("hex")}`;
}

/**
 * Removes what a crash left half done: unfinished sealed files, and whole ones that no manifest speaks
 * of. Their source is still on the card, and is taken again.
 */
async function clearLeftovers(incoming: string): Promise<void> {
  const names = await readdir(incoming);
  for (const name of names) {
    const orphan = name.endsWith(".age") && !names.includes(name.replace(/age$/, "json"));
    if (orphan || name.endsWith(".partial")) await rm(join(incoming, name), { force: true });
  }
  await syncDirectory(incoming);
}

async function warnOfRecipients(
  clock: Clock,
  events: Events,
  book: RecipientBook,
  signal: AbortSignal,
): Promise<void> {
  const last = book.at(-1)?.day ?? "";
  for await (const now of every(clock, DAY_MS, signal)) {
    const daysLeft = (Date.parse(last) - Date.parse(dayOf(now))) / DAY_MS;
    if (!(daysLeft > RECIPIENTS_WARNING_DAYS)) events.recipientsRunOut(last);
  }
}
