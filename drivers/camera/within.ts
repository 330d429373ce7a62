import type { Clock } from "#base/time";

/**
 * Waits for `wait` for at most `ms` of `clock`; it gets a signal that aborts when nobody waits any more.
 * Rejects with what `wait` rejects with, with the reason of `signal`, or with a TimeoutError.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  wait: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const expiry = clock.sleep(ms, ending).then(
    () => over.abort(new DOMException(`nothing within ${ms} ms`, "TimeoutError")),
    () => undefined,
  );
  try {
    return await Promise.race([wait(ending), aborted(ending)]);
  } catch (error) {
    ending.throwIfAborted();
    throw error;
  } finally {
    over.abort();
    await expiry;
  }
}

/** Rejects as soon as `signal` aborts. Leaves no listener behind once it has: `within` always aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

/** Whether `error` is what `within` rejects with when time is up. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
