/** Lets cards be read side by side, fairly: each turn is for one file. */
export interface Fair {
  /** Resolves when `port` may read a file, until what it returns is disposed of. Rejects when the signal aborts. */
  turn(port: string, signal: AbortSignal): Promise<Disposable>;
  /** Whether something of `port` is being read, or waits for that. */
  isBusy(port: string): boolean;
}

interface Waiting {
  readonly port: string;
  readonly go: () => void;
}

/**
 * At most `size` turns at a time, as many as there are threads that seal. The next one is for the root port
 * with the fewest, and among equal ones for that whose last turn is longest ago: what hangs on one hub shares
 * one cable, and must not keep another cable waiting, however many cameras wait there. Of one port, in the
 * order in which they came.
 */
export function openFair(size: number): Fair {
  const running = new Map<string, number>();
  const waiting: Waiting[] = [];
  /** Of each port, which turn was its last. */
  const last = new Map<string, number>();
  let turns = 0;
  let free = size;

  const busy = (port: string): number => running.get(port) ?? 0;

  function isBefore(a: string, b: string): boolean {
    if (busy(a) !== busy(b)) return busy(a) < busy(b);
    return (last.get(a) ?? 0) < (last.get(b) ?? 0);
  }

  function next(): void {
    if (free === 0) return;
    let first: Waiting | undefined;
    for (const one of waiting) if (!first || isBefore(one.port, first.port)) first = one;
    if (!first) return;
    waiting.splice(waiting.indexOf(first), 1);
    free -= 1;
    turns += 1;
    last.set(first.port, turns);
    running.set(first.port, busy(first.port) + 1);
    first.go();
  }

  function end(port: string): void {
    free += 1;
    const left = busy(port) - 1;
    if (left === 0) running.delete(port);
    else running.set(port, left);
    next();
  }

  return {
    isBusy: (port) => running.has(port) || waiting.some((one) => one.port === port),
    async turn(port, signal) {
      signal.throwIfAborted();
      const granted = Promise.withResolvers<void>();
      const mine = { port, go: () => granted.resolve() };
      const leave = (): void => {
        if (!waiting.includes(mine)) return;
        waiting.splice(waiting.indexOf(mine), 1);
        granted.reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(mine);
      next();
      await granted.promise.finally(() => signal.removeEventListener("abort", leave));
      let over = false;
      return {
        [Symbol.dispose]() {
          if (!over) end(port);
          over = true;
        },
      };
    },
  };
}

/** The root port of a slot: `0000:00:14.0/2.3` hangs on `0000:00:14.0/2`. */
export function rootPortOf(slot: string): string {
  return slot.split(".").length > 1 ? slot.replace(/\/(\d+)[\d.]*$/, "/$1") : slot;
}
