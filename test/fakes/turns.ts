import type { Clock } from "#base/time";

/**
 * Lets a loop go round `count` times: sleeping moves `clock` on by as much (through `pass`), and the
 * signal aborts at the end of the last turn.
 */
export function turns(
  clock: Clock & { readonly move: (ms: number) => void },
  count: number,
): { readonly clock: Clock; readonly signal: AbortSignal } {
  const stop = new AbortController();
  let left = count;
  return {
    signal: stop.signal,
    clock: {
      ...clock,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        clock.move(ms);
        left -= 1;
        if (left > 0) return;
        stop.abort();
        signal.throwIfAborted();
      },
    },
  };
}
