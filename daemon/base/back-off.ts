/** Waits that double from `firstMs` to `capMs` until something works again. */
export interface BackOff {
  /** The next wait. Jitter shortens it by up to a quarter, so that many boxes do not come back at once. */
  next(): number;
  reset(): void;
}

/** `random` gives numbers from 0 up to 1. */
export function openBackOff(firstMs: number, capMs: number, random: () => number): BackOff {
  let fullMs = firstMs;
  return {
    next() {
      const waitMs = Math.round(fullMs * (1 - random() / 4));
      fullMs = Math.min(capMs, fullMs * 2);
      return waitMs;
    },
    reset() {
      fullMs = firstMs;
    },
  };
}
