import type { DeviceId, SegmentId } from "#base/ids";
import type { CardFile } from "../../drivers/bodycam/card.ts";
import type { AskForDock } from "../control/producers.ts";
import { keyOf } from "../take-file.ts";
import type { Counted } from "./slot-state.ts";

/** What is known of the files of a card while it is docked. Bounded by what is on it. */
export interface CardMemory {
  /** Handed over here, as which fact; core may not have adopted it yet. By `keyOf`. */
  readonly taken: Map<string, SegmentId>;
  /** Read since this card came, by `keyOf`: what is known of such a file is known of these bytes. */
  readonly read: Set<string>;
  /** How often a file was handed over and core did not believe it, by `keyOf`. */
  readonly refused: Map<string, number>;
  /** What core has said that it knows. */
  readonly adopted: Set<string>;
  /** What was said to stay on the card, by code and file. */
  readonly said: Set<string>;
  /** How often a file changed while it was read, by its path. */
  readonly changes: Map<string, number>;
  isDone(file: CardFile): boolean;
  forgetAllBut(files: readonly CardFile[]): void;
  /** Forgets those of `files` whose path, in base64, is one of `paths`: core is asked of them anew. */
  forget(files: readonly CardFile[], paths: readonly string[]): void;
}

export function openCardMemory(): CardMemory {
  const taken = new Map<string, SegmentId>();
  const adopted = new Set<string>();
  return {
    taken,
    read: new Set(),
    refused: new Map(),
    adopted,
    said: new Set(),
    changes: new Map(),
    isDone: (file) => taken.has(keyOf(file)) || adopted.has(keyOf(file)),
    forget(files, paths) {
      const wanted = new Set(paths);
      for (const file of files) {
        if (!wanted.has(file.path.toString("base64"))) continue;
        taken.delete(keyOf(file));
        adopted.delete(keyOf(file));
      }
    },
    forgetAllBut(files) {
      const there = new Set(files.map(keyOf));
      for (const known of [taken, adopted])
        for (const key of known.keys()) if (!there.has(key)) known.delete(key);
    },
  };
}

/** Asks core which of `files` it has, or had. */
export async function learn(
  ask: AskForDock,
  device: DeviceId,
  { taken, adopted }: CardMemory,
  files: readonly CardFile[],
): Promise<void> {
  if (files.length === 0) return;
  const { known } = await ask("known", {
    device,
    files: files.map(({ path, bytes, modifiedAt }) => ({
      path: path.toString("base64"),
      bytes,
      modifiedAtMs: modifiedAt,
    })),
  });
  files.forEach((file, index) => {
    if (known[index] !== true) return;
    adopted.add(keyOf(file));
    taken.delete(keyOf(file));
  });
}

/**
 * Forgets what was handed over and is neither known to core nor waiting for it any more: core did not believe it,
 * and has set it apart. What `gone` names was so at the look before this one too: else it was adopted just now.
 */
export async function forgetRefused(
  { taken, refused }: CardMemory,
  gone: Set<string>,
  isWaiting: (id: SegmentId) => Promise<boolean>,
): Promise<void> {
  for (const key of gone) if (!taken.has(key)) gone.delete(key);
  for (const [key, id] of taken) {
    if (await isWaiting(id)) continue;
    if (!gone.has(key)) {
      gone.add(key);
      continue;
    }
    gone.delete(key);
    taken.delete(key);
    refused.set(key, (refused.get(key) ?? 0) + 1);
  }
}

export function counted(memory: CardMemory, files: readonly CardFile[]): Counted {
  const done = files.filter((file) => memory.isDone(file));
  return {
    files: files.length,
    bytes: bytesOf(files),
    filesDone: done.length,
    bytesDone: bytesOf(done),
    adopted: files.filter((file) => memory.adopted.has(keyOf(file))).length,
  };
}

/** The count after one more file was taken: counting a card of 10,000 anew for each is too much. */
export function withTaken(count: Counted, { bytes }: CardFile): Counted {
  return { ...count, filesDone: count.filesDone + 1, bytesDone: count.bytesDone + bytes };
}

function bytesOf(files: readonly CardFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
