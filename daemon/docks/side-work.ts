/** Work beside a loop that must not wait for it: a piece at a time for each key. */
export interface SideWork {
  isBusy(key: string): boolean;
  start(key: string, work: () => Promise<void>): void;
  /** Rethrows the first failure, for the loop to end with. */
  check(): void;
  /** Resolves when all of it has stopped. */
  ended(): Promise<void>;
}

/** `failed` is called as soon as some work throws: whoever sleeps until the next turn wakes up. */
export function openSideWork(failed: () => void): SideWork {
  const running = new Map<string, Promise<void>>();
  let first: { readonly error: unknown } | undefined;
  return {
    isBusy: (key) => running.has(key),
    start(key, work) {
      const done = work()
        .catch((error: unknown) => {
          first ??= { error };
          failed();
        })
        .finally(() => running.delete(key));
      running.set(key, done);
    },
    check() {
      if (first !== undefined) throw first.error;
    },
    async ended() {
      await Promise.all(running.values());
    },
  };
}
