import { BewaardError } from "#base/errors";
import type { DeviceId, NodeId } from "#base/ids";
import { printable } from "#base/printable";
import { type Clock, DAY_MS, every, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { type Card, type CardFile, listCard } from "../drivers/bodycam/card.ts";
import { lookAgain } from "../drivers/bodycam/look-again.ts";
import { type CameraProfile, type Sort, sorter } from "../drivers/bodycam/profile.ts";
import type { SealPool } from "../storage/seal/pool.ts";
import type { RecipientBook } from "../storage/seal/recipients.ts";
import type { Ask } from "./control/client.ts";
import type { Events } from "./events.ts";
import { handOverLeft, type Left } from "./hand-over-left.ts";
import { settleLeftovers } from "./leftovers.ts";
import { openPatience } from "./patience.ts";
import { warnOfRecipients } from "./recipients.ts";
import type { ReadContainer } from "./recording-times.ts";
import { keyOf, roomFor, takeFile } from "./take-file.ts";

/** A bodycam and where it docks. */
export interface Dock {
  readonly device: DeviceId;
  readonly folder: string;
  readonly profile: CameraProfile & { readonly clock: "synchronised" | "unknown" };
}

export interface Sealing {
  readonly node: NodeId;
  /** As its file now is. */
  book: RecipientBook;
  readonly pool: SealPool;
  /** `incoming/dock` of the spool. */
  readonly incoming: string;
  readonly readContainer: ReadContainer;
}

const LOOK_EVERY_MS = 30 * SECOND_MS;
/** A file that did not change for this long is not being copied in any more. */
const SETTLE_MS = 2 * SECOND_MS;
const NO_CARD: Card = { files: [], unread: [] };
/** A file can wait on its card this long for room; then the camera must go out, and would record over it. */
const ROOM_PATIENCE_MS = DAY_MS;

/** Takes what docked cameras bring, each dock by itself, until the signal aborts. */
export async function dock(
  clock: Clock,
  events: Events,
  ask: Ask,
  sealing: Sealing,
  docks: readonly Dock[],
  signal: AbortSignal,
): Promise<void> {
  const unsettled = await settleLeftovers(events, sealing.incoming, docks);
  await coreAnswers(clock, ask, signal);
  await together(signal, [
    ...docks.map((one) => (s: AbortSignal) => watchDock(clock, events, ask, sealing, one, s)),
    (s) => warnOfRecipients(clock, events, sealing, s),
    (s) => unsettled.again(clock, s),
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
  const changes = new Map<string, number>();
  const patience = openPatience(clock, ROOM_PATIENCE_MS);
  const sort = sorter(one.profile);
  // Once a reason: the next look tries again and would say the same.
  const leave = async (key: string, file: Left, error: BewaardError): Promise<boolean> => {
    if (left.has(`${error.code} ${key}`)) return true;
    const there = await handOverLeft(clock, sealing, one, file, error.code);
    if (there) left.add(`${error.code} ${key}`);
    events.fileLeft(one.device, printable(file.path), error);
    return there;
  };
  for await (const _ of lookAgain(clock, one.folder, LOOK_EVERY_MS, signal)) {
    try {
      const { files, unread } = await newFiles(clock, ask, one, sort, taken, signal);
      for (const { path, why } of unread)
        await leave(path.toString("hex"), { path }, new BewaardError("CARD_READ", why));
      const room = roomFor(ask, patience, files);
      for (const file of files) {
        signal.throwIfAborted();
        const result = await takeFile(clock, events, sealing, one, file, room, changes, signal);
        if (result === "taken") taken.add(keyOf(file));
        // The card was pulled out: the files behind this one would all say so.
        else if (result !== "changed" && !(await leave(keyOf(file), file, result))) break;
      }
      if (files.length > 0) events.cardSeen(one.device, files.length, taken.size);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BewaardError)) throw error;
      events.dockDelayed(one.device, error);
    }
  }
}

/** Files on the card that have settled and that nobody has taken yet, and what cannot be listed. */
async function newFiles(
  clock: Clock,
  ask: Ask,
  one: Dock,
  sort: Sort,
  taken: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ readonly files: readonly CardFile[]; readonly unread: Card["unread"] }> {
  const { files, unread } = (await listCard(one.folder)) ?? NO_CARD;
  const wanted = files.filter((file) => sort(file.path) !== "ignored" && !taken.has(keyOf(file)));
  if (wanted.length === 0) return { files: [], unread };
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
  return { files: settled.filter((_, index) => known[index] !== true), unread };
}
