import { AsyncLocalStorage } from "node:async_hooks";

const told = new AsyncLocalStorage<() => void>();

/** Runs `work`; whatever it does calls `progressed` each time it says that it got somewhere. */
export function followingProgress<T>(progressed: () => void, work: () => T): T {
  return told.run(progressed, work);
}

/**
 * Says that who asked for this got somewhere: a piece of a file, an answer of a vault, a transaction. Work that takes
 * hours in small steps says so at each, and is told from work that hangs. Nothing happens where nobody follows it.
 */
export function progress(): void {
  told.getStore()?.();
}
