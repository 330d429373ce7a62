import type { FileHandle } from "node:fs/promises";

/** Lets many growing files share one disk: they are synced in turn, never two at the same moment. */
export interface SharedSync {
  /** Resolves once what was written to `file` before the call survives a power cut. */
  sync(file: FileHandle): Promise<void>;
}

export function openSharedSync(): SharedSync {
  let last: Promise<unknown> = Promise.resolve();
  return {
    async sync(file) {
      const turn = after(last, () => file.datasync());
      // One whose sync fails says so itself; whoever comes behind it has another file.
      last = turn.catch(() => undefined);
      await turn;
    },
  };
}

async function after(before: Promise<unknown>, work: () => Promise<void>): Promise<void> {
  await before;
  await work();
}
