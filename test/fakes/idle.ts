import { createHook } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";

/** More than one, because what was asked for leads to the next request in the turn after it. */
const TURNS = 3;

/** Knows of all that this process has asked of other threads: files, and keys. */
export interface Idle extends Disposable {
  /** Resolves when nothing of it is under way: what goes on by itself, without a timer, has come to its end. */
  idle(): Promise<void>;
}

/** So that a test goes on when the disk is done, however slow that is, and not after a while. */
export function watchIdle(): Idle {
  const underWay = new Set<number>();
  const over = (id: number): void => void underWay.delete(id);
  const hook = createHook({
    trackPromises: false,
    init(id, type) {
      if (/^(?:FSREQ|FILEHANDLECLOSEREQ|.*REQUEST$)/.test(type)) underWay.add(id);
    },
    after: over,
    destroy: over,
  }).enable();
  return {
    async idle() {
      for (let turns = 0; turns < TURNS; turns += 1) {
        await turn();
        if (underWay.size > 0) turns = -1;
      }
    },
    [Symbol.dispose]: () => void hook.disable(),
  };
}
