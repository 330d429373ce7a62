/** Aborts with `signal`, or after `ms` of the machine's time: for what waits on somebody outside. */
export function deadline(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}
