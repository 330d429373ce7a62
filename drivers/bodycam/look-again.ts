import { watch } from "chokidar";
import { type Clock, type Instant } from "#base/time";

/**
 * Says when to look at `folder` again: at once, after as many ms as `pace` says, and soon after something changed.
 * A change is a hint and may be missed or doubled: whoever is told lists the folder itself.
 */
export async function* lookAgain(
  clock: Clock,
  folder: string,
  pace: () => number,
  signal: AbortSignal,
): AsyncGenerator<Instant, void, undefined> {
  let hint = Promise.withResolvers<void>();
  const watcher = watch(folder, { ignoreInitial: true, depth: 12, followSymlinks: false });
  watcher.on("all", () => hint.resolve());
  // No more hints then; the period remains.
  watcher.on("error", () => undefined);
  try {
    while (!signal.aborted) {
      hint = Promise.withResolvers<void>();
      yield clock.now();
      await sleepOrHint(clock, pace(), hint.promise, signal);
    }
  } finally {
    await watcher.close();
  }
}

/** Resolves after `ms`, and earlier with the hint, which never rejects, or when the signal aborts. */
export async function sleepOrHint(
  clock: Clock,
  ms: number,
  hint: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const rest = new AbortController();
  const stop = (): void => rest.abort();
  // Not AbortSignal.any: it costs as much as all the rest of a look that finds nothing (bench -- idle).
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  void hint.then(stop);
  try {
    await clock.sleep(ms, rest.signal);
  } catch (error) {
    if (!rest.signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
