import { type Clock, type Instant, MINUTE_MS } from "#base/time";
import type { ObjectBody } from "../storage/vault/vault.ts";

/** How fast this box may send at a moment, in bytes a second; undefined: as fast as the line goes. */
export type RateAt = (now: Instant) => number | undefined;

/** One measure for all uploads of this box together. */
export interface Bandwidth {
  /** Whether there is a limit now. */
  isLimited(): boolean;
  /** Resolves when `bytes` more may go; rejects with the signal's reason when it aborts. */
  pass(bytes: number, signal: AbortSignal): Promise<void>;
}

/** So small that a limit which changes at its hour counts at once, in the middle of an object too. */
const PIECE_BYTES = 64 * 1024;
/** Shorter waits are not worth a timer: they add up, and are waited for together. */
const LEAST_WAIT_MS = 20;

/** Bytes that went are paid for in time, each at the limit of the moment it goes. */
export function openBandwidth(clock: Clock, rateAt: RateAt): Bandwidth {
  /** By uptime, when all that was let go is paid for. */
  let paidAtMs = 0;
  const rateNow = eachMinute(rateAt);
  return {
    isLimited: () => rateNow(clock.now()) !== undefined,
    async pass(bytes, signal) {
      const rate = rateNow(clock.now());
      if (rate === undefined) return;
      const now = clock.uptimeMs();
      const waitMs = Math.max(0, paidAtMs - now);
      paidAtMs = Math.max(now, paidAtMs) + (bytes / rate) * 1000;
      if (waitMs >= LEAST_WAIT_MS) await clock.sleep(Math.ceil(waitMs), signal);
    },
  };
}

/** `body`, of which no byte goes before it may. Every try is paid for: what is sent twice goes over the line twice. */
export function limited(body: ObjectBody, bandwidth: Bandwidth, signal: AbortSignal): ObjectBody {
  return {
    ...body,
    openHere: (range) => body.open(range),
    async *open(range) {
      for await (const chunk of body.open(range)) {
        if (!bandwidth.isLimited()) {
          yield chunk;
          continue;
        }
        for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
          const piece = chunk.subarray(at, at + PIECE_BYTES);
          await bandwidth.pass(piece.length, signal);
          yield piece;
        }
      }
    },
  };
}

/** Asked anew each minute: limits, and clocks, change on whole minutes. */
function eachMinute(rateAt: RateAt): RateAt {
  let minute = -1;
  let rate: number | undefined;
  return (now) => {
    const thisMinute = Math.floor(now / MINUTE_MS);
    if (thisMinute !== minute) rate = rateAt(now);
    minute = thisMinute;
    return rate;
  };
}
