/** What is being handed over beside what is being recorded. */
export interface Closing {
  follow(work: Promise<void>): void;
  /** Aborts with the first bug in it. */
  readonly failed: AbortSignal;
  /** Resolves when nothing is left. @throws that first bug. */
  all(): Promise<void>;
}

export function openClosing(): Closing {
  const failed = new AbortController();
  const open = new Set<Promise<void>>();
  return {
    follow(work) {
      const followed = work
        .catch((error: unknown) => failed.abort(error))
        .finally(() => open.delete(followed));
      open.add(followed);
    },
    failed: failed.signal,
    async all() {
      while (open.size > 0) await Promise.all(open);
      if (failed.signal.aborted) throw failed.signal.reason;
    },
  };
}
