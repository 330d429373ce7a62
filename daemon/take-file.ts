import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { printable } from "#base/printable";
import type { Clock } from "#base/time";
import { type CardFile, joined } from "../drivers/bodycam/card.ts";
import type { AskForDock } from "./control/producers.ts";
import type { Sealing } from "./dock.ts";
import type { CardAt } from "./docks/take-card.ts";
import type { Events } from "./events.ts";
import { handOver, type Keep } from "./hand-over-fact.ts";
import type { Patience } from "./patience.ts";

/** What was read of a file that changed meanwhile is kept so often; then it must settle first. */
const CHANGED_READS_KEPT = 2;
/** One question for room covers about so much. */
const ROOM_AT_ONCE_BYTES = 256 * 1024 * 1024;

/**
 * Seals one file and hands it over, as which fact. Says why it stays on the card for now, if it does, and that it
 * `changed` if it is to be looked at again: what was read is kept, so many times.
 */
export async function takeFile(
  clock: Clock,
  events: Events,
  sealing: Sealing,
  one: Pick<CardAt, "device" | "folder" | "profile" | "isThere">,
  file: CardFile,
  room: (file: CardFile) => Promise<void>,
  changes: Map<string, number>,
  signal: AbortSignal,
): Promise<{ readonly taken: SegmentId } | "changed" | BewaardError> {
  const name = file.path.toString("hex");
  const changedBefore = changes.get(name) ?? 0;
  try {
    await room(file);
    const source = joined(Buffer.from(one.folder), file.path);
    // A card that was pulled out has not changed: what was read of it is no other reading. One that is in its
    // place by now is another camera's.
    const keep: Keep = async (what) =>
      (what === "unlisted" || changedBefore < CHANGED_READS_KEPT) && (await one.isThere());
    const { id, changed } = await handOver(clock, sealing, one, file, source, keep, signal);
    events.sealed(id, one.device, file.bytes);
    if (!changed) return { taken: id };
    changes.set(name, changedBefore + 1);
    events.sourceChanged(id, one.device, printable(file.path));
    return "changed";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return error;
  }
}

/** Asks core for room for many files at once: a card of 10,000 small ones is not 10,000 questions. */
export function roomFor(
  ask: AskForDock,
  patience: Patience,
  files: readonly CardFile[],
): (file: CardFile) => Promise<void> {
  let next = 0;
  let grantedBytes = 0;
  return async (file) => {
    const index = files.indexOf(file, next);
    next = index + 1;
    if (file.bytes > grantedBytes) grantedBytes = await askRoom(ask, patience, files, index);
    grantedBytes -= file.bytes;
  };
}

/**
 * How many bytes core has room for, for the file at `index` and some of those behind it. Urgently, for
 * the file alone, when it has waited too long.
 */
async function askRoom(
  ask: AskForDock,
  patience: Patience,
  files: readonly CardFile[],
  index: number,
): Promise<number> {
  const file = files[index];
  if (!file) throw new RangeError("room is asked for the files of one look, in their order");
  let together = file.bytes;
  for (let at = index + 1; at < files.length && together < ROOM_AT_ONCE_BYTES; at += 1) {
    together += files[at]?.bytes ?? 0;
  }
  const questions = [
    ...(together > file.bytes ? [{ bytes: together, urgent: false }] : []),
    { bytes: file.bytes, urgent: patience.atEnd(keyOf(file)) },
  ];
  for (const question of questions) {
    if (!(await ask("room", question)).granted) continue;
    patience.answered(keyOf(file), true);
    return question.bytes;
  }
  patience.answered(keyOf(file), false);
  throw new BewaardError("SPOOL_FULL", "no room in the spool", { transient: true });
}

/** Tells files of a card apart, and one from what it was before it changed. */
export function keyOf({ path, bytes, modifiedAt }: CardFile): string {
  return `${bytes} ${modifiedAt} ${path.toString("hex")}`;
}
