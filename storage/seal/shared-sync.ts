/** Lets many growing files share one disk: they are synced in turn, never two at the same moment. */
export interface SharedSync {
  /** Does `work` once everybody who came before is done; resolves or rejects as it does. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

export function openSharedSync(): SharedSync {
  let last: Promise<unknown> = Promise.resolve();
  return {
    async inTurn(work) {
      const turn = after(last, work);
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
