import { clearTimeout, setTimeout } from "node:timers";

/** Aborts with `signal`, or after `ms` of the machine's time: for what waits on somebody outside. */
export function deadline(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

/** Calls `late` after `ms` of the machine's time, unless it is disposed of before: then nothing of it is kept. */
export function unlessBefore(ms: number, late: () => void): Disposable {
  const timer = setTimeout(late, ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
