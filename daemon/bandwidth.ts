import { type Clock, type Instant, MINUTE_MS } from "#base/time";
import type { ObjectBody } from "../storage/vault/vault.ts";

/** How fast this box may send at a moment, in bytes a second; undefined: as fast as the line goes. */
export type RateAt = (now: Instant) => number | undefined;

/** One measure for all uploads of this box together. */
export interface Bandwidth {
  /** The most to ask for at a time; undefined while there is no limit. */
  pieceBytes(): number | undefined;
  /** Resolves when `bytes` more may go; rejects with the signal's reason when it aborts. */
  pass(bytes: number, signal: AbortSignal): Promise<void>;
}

/** So small that a limit which changes at its hour counts at once, in the middle of an object too. */
const PIECE_BYTES = 64 * 1024;
/**
 * And of a slow line no more than it takes in this time: with 64 parts under way at once each sends something every
 * few seconds. Providers hang up on who is silent for 20.
 */
const PIECE_MS = 100;
/** Shorter waits are not worth a timer: they add up, and are waited for together. */
const LEAST_WAIT_MS = 20;

/** Bytes that went are paid for in time, each at the limit of the moment it goes. */
export function openBandwidth(clock: Clock, rateAt: RateAt): Bandwidth {
  /** By uptime, when all that was let go is paid for. */
  let paidAtMs = 0;
  const rateNow = eachMinute(rateAt);
  return {
    pieceBytes() {
      const rate = rateNow(clock.now());
      if (rate === undefined) return undefined;
      return Math.max(1, Math.min(PIECE_BYTES, Math.floor((rate * PIECE_MS) / 1000)));
    },
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
        for (let at = 0; at < chunk.length; ) {
          const most = bandwidth.pieceBytes() ?? chunk.length;
          const piece = chunk.subarray(at, at + most);
          await bandwidth.pass(piece.length, signal);
          yield piece;
          at += piece.length;
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
