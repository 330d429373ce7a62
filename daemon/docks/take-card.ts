import { access } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { BewaardError, type ErrorCode, systemCode } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { printable } from "#base/printable";
import { type Clock, DAY_MS } from "#base/time";
import { type Card, type CardFile, listCard } from "../../drivers/bodycam/card.ts";
import { sorter } from "../../drivers/bodycam/profile.ts";
import type { AskForDock } from "../control/producers.ts";
import type { Dock, Sealing } from "../dock.ts";
import type { Events } from "../events.ts";
import { handOverLeft, type Left } from "../hand-over-left.ts";
import { openPatience } from "../patience.ts";
import { keyOf, roomFor, takeFile } from "../take-file.ts";
import {
  type CardMemory,
  counted,
  forgetRefused,
  learn,
  openCardMemory,
  withTaken,
} from "./card-memory.ts";
import type { Counted } from "./slot-state.ts";

/** A card that is there to be read: in a slot, or a folder that stands for one. */
export interface CardAt extends Dock {
  /** A file that did not change for this long is not being written any more; 0 where nobody can write. */
  readonly settleMs: number;
  /** Asked before anything that looks wrong with the card is believed to be: it may be gone. */
  readonly isThere: () => Promise<boolean>;
  /** Whether a file's name, length and time may be those of another one that is known: it is read to tell. */
  readonly isDoubted: (file: CardFile) => boolean;
  /** Waits until one of its files may be read. */
  readonly turn: (signal: AbortSignal) => Promise<Disposable>;
  /** Told before each file that is taken, and after it: then nothing is being `read`. */
  readonly tell: (counted: Counted, reading: CardFile | undefined) => void;
}

/** What one look at a card came to. */
export interface Look {
  readonly counted: Counted;
  /** Every file that there is now to be kept, with what core has already. */
  readonly files: readonly CardFile[];
  /** How many regular files there are besides: what the profile ignores. */
  readonly others: number;
  /** How long it took to see what is there, in ms. */
  readonly listedMs: number;
  /** The code of the first thing that stays on the card for now; undefined when nothing does. */
  readonly left: ErrorCode | undefined;
  /** Has the next look take these once more, given by base64 of their paths, where core does not know them. */
  readonly readAgain: (paths: readonly string[]) => void;
}

/** Looks at a card once, and takes what is new there. */
export type TakeCard = (signal: AbortSignal) => Promise<Look | "gone">;

/** What came of a file that could not be taken. `vanished`: not there any more, though its card still seems to be. */
type Fate = "left" | "vanished" | "gone";

/** So often a file is handed over that core does not believe: after that somebody must look. */
const TRIES = 2;
const AWAY: ReadonlySet<ErrorCode> = new Set(["CONTROL_UNREACHABLE", "CONTROL_REFUSED"]);
/** What keeps any file from being taken: a card of 10,000 need not say it of each. */
const OF_THE_BOX: ReadonlySet<ErrorCode> = new Set([
  "SPOOL_FULL",
  "SPOOL_IO",
  "RECIPIENT_INVALID",
  "RECIPIENT_MISSING",
  "RECIPIENT_MIXED",
]);

/** A file can wait on its card this long for room; then the camera must go out, and would record over it. */
const ROOM_PATIENCE_MS = DAY_MS;

/**
 * Takes what is on `card`, a look at a time; the only way in which files of a card are taken. A card that is
 * pulled out at any moment is `gone`, and no fault: nothing is told of files that it took with it.
 * @throws BewaardError CARD_READ, SPOOL_FULL …, CONTROL_UNREACHABLE (transient): look again later. When the
 * signal aborts, whatever was thrown.
 */
export function openTaking(
  clock: Clock,
  events: Events,
  ask: AskForDock,
  sealing: Sealing,
  card: CardAt,
): TakeCard {
  const memory = openCardMemory();
  const patience = openPatience(clock, ROOM_PATIENCE_MS);
  const gone = new Set<string>();
  const waits = (id: SegmentId): Promise<boolean> => isWaiting(sealing.incoming, id);
  const sort = sorter(card.profile);
  const isWanted = (file: CardFile): boolean => !["ignored", "location"].includes(sort(file.path));
  // Once a reason: the next look tries again and would say the same.
  const leave = async (key: string, file: Left, error: BewaardError): Promise<Fate> => {
    if (!(await card.isThere())) return "gone";
    const about = `${error.code} ${OF_THE_BOX.has(error.code) ? "" : key}`;
    if (memory.said.has(about)) return "left";
    if (!(await handOverLeft(clock, sealing, card, file, error.code))) return "vanished";
    memory.said.add(about);
    events.fileLeft(card.device, printable(file.path), error);
    return "left";
  };

  return async (signal) => {
    const lookedAtMs = clock.uptimeMs();
    const seen = await listed(card);
    if (seen === "gone") return "gone";
    const listedMs = clock.uptimeMs() - lookedAtMs;
    const files = seen.files.filter(isWanted);
    const fresh = await toTake(clock, ask, card, memory, files, signal, gone, waits);
    let left: ErrorCode | undefined;
    for (const { why, tooLarge, ...file } of seen.unread) {
      const error = new BewaardError(tooLarge ? "SOURCE_TOO_LARGE" : "CARD_READ", why);
      const fate = await leave(file.path.toString("hex"), file, error);
      if (fate === "gone") return "gone";
      if (fate === "left") left ??= error.code;
    }
    const room = roomFor(ask, patience, fresh);
    let count = counted(memory, files);
    let taken = 0;
    if (fresh.length > 0) card.tell(count, undefined);
    for (const file of fresh) {
      using _turn = await card.turn(signal);
      card.tell(count, file);
      const result =
        (memory.refused.get(keyOf(file)) ?? 0) < TRIES
          ? await takeFile(clock, events, sealing, card, file, room, memory.changes, signal)
          : new BewaardError("MANIFEST_LIES", "core does not believe what is read of it");
      if (result !== "changed" && "taken" in result) {
        memory.taken.set(keyOf(file), result.taken);
        memory.read.add(keyOf(file));
        taken += 1;
        card.tell((count = withTaken(count, file)), undefined);
      } else if (result !== "changed") {
        // Core that is away is nothing of this file: the card waits.
        if (AWAY.has(result.code)) throw result;
        const fate = await leave(keyOf(file), file, result);
        if (fate === "gone") return "gone";
        // Of a card that is being pulled out the files behind this one would all be so: the next look tells.
        if (fate === "vanished") break;
        left ??= result.code;
      }
    }
    if (fresh.length > 0) events.cardSeen(card.device, fresh.length, taken);
    const others = seen.files.length - files.length;
    const readAgain = (paths: readonly string[]): void => memory.forget(files, paths);
    return { counted: count, files, others, listedMs, left, readAgain };
  };
}

/** An empty card and one that is gone look alike, so after each listing it is asked whether it is there. */
async function listed(card: CardAt): Promise<Card | "gone"> {
  try {
    const seen = await listCard(card.folder, card.profile.limits);
    return seen !== undefined && (await card.isThere()) ? seen : "gone";
  } catch (error) {
    if (error instanceof BewaardError && !(await card.isThere())) return "gone";
    throw error;
  }
}

/** Files that have settled and that nobody has taken yet. */
async function toTake(
  clock: Clock,
  ask: AskForDock,
  card: CardAt,
  memory: CardMemory,
  files: readonly CardFile[],
  signal: AbortSignal,
  gone: Set<string>,
  waits: (id: SegmentId) => Promise<boolean>,
): Promise<readonly CardFile[]> {
  memory.forgetAllBut(files);
  const fresh = files.filter((file) => !memory.isDone(file));
  const settled = await settledOf(clock, card, fresh, signal);
  const unread = (file: CardFile): boolean => card.isDoubted(file) && !memory.read.has(keyOf(file));
  const handedOver: CardFile[] = [];
  for (const file of files) {
    const id = memory.taken.get(keyOf(file));
    // Of one that is doubted core may know another: what was handed over is the answer.
    if (id !== undefined && !(card.isDoubted(file) && (await waits(id)))) handedOver.push(file);
  }
  const asked = settled.filter((file) => !unread(file));
  await learn(ask, card.device, memory, [...asked, ...handedOver]);
  await forgetRefused(memory, gone, waits);
  return settled.filter((file) => !memory.isDone(file));
}

/** Whether core has still to look at a fact. */
async function isWaiting(incoming: string, id: SegmentId): Promise<boolean> {
  try {
    await access(join(incoming, `${id}.json`));
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw diskError(error, "looking for a fact");
  }
}

async function settledOf(
  clock: Clock,
  { folder, profile, settleMs }: CardAt,
  files: readonly CardFile[],
  signal: AbortSignal,
): Promise<readonly CardFile[]> {
  if (files.length === 0 || settleMs === 0) return files;
  await clock.sleep(settleMs, signal);
  const now = new Set((await listCard(folder, profile.limits))?.files.map(keyOf));
  return files.filter((file) => now.has(keyOf(file)));
}
