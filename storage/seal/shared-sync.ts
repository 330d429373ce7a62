import { openInTurn } from "#base/in-turn";

/** Lets many growing files share one disk: they are synced in turn, never two at the same moment. */
export interface SharedSync {
  /** Does `work` once everybody who came before is done; resolves or rejects as it does. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

export function openSharedSync(): SharedSync {
  return { inTurn: openInTurn() };
}
