import { openBackOff } from "#base/back-off";
import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";

/** A request is made this often before whoever wanted it is told; their own loops ask again much later. */
const TRIES = 4;
const FIRST_WAIT_MS = SECOND_MS / 2;
const MOST_WAIT_MS = 8 * SECOND_MS;
/** After so many failures in a row nobody asks for a while: many askers at once keep a sick vault sick. */
const BREAKS_AFTER = 8;
const REST_MS = 30 * SECOND_MS;

/** How one vault is asked again. Only BewaardError VAULT_UNAVAILABLE (transient) is worth another try. */
export interface Patience {
  /** Makes one request, or throws VAULT_UNAVAILABLE (transient) while the vault is given a rest. */
  once<T>(request: () => Promise<T>): Promise<T>;
  /** Makes one request until it is answered, a few times at most, with growing waits between. */
  persist<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** As `persist`, for what is made of several requests that each come through here. */
  repeat<T>(doing: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** `random` gives numbers from 0 up to 1. */
export function openPatience(clock: Clock, random: () => number): Patience {
  const breaker = openBreaker(clock);

  async function repeat<T>(doing: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const backOff = openBackOff(FIRST_WAIT_MS, MOST_WAIT_MS, random);
    for (let left = TRIES - 1; ; left -= 1) {
      signal.throwIfAborted();
      try {
        return await doing();
      } catch (error) {
        if (!isUnanswered(error) || left === 0 || breaker.isBroken()) throw error;
      }
      await clock.sleep(backOff.next(), signal);
    }
  }

  return {
    once: (request) => breaker.once(request),
    persist: (request, signal) => repeat(() => breaker.once(request), signal),
    repeat,
  };
}

export function isUnanswered(error: unknown): error is BewaardError {
  return error instanceof BewaardError && error.code === "VAULT_UNAVAILABLE" && error.transient;
}

interface Breaker {
  once<T>(request: () => Promise<T>): Promise<T>;
  /** Nothing is asked for a while, or one request is finding out. */
  isBroken(): boolean;
}

function openBreaker(clock: Clock): Breaker {
  let failures = 0;
  let restsUntilMs = 0;
  let probing = false;
  const breaker: Breaker = {
    isBroken: () => failures >= BREAKS_AFTER && (probing || clock.uptimeMs() < restsUntilMs),
    async once(request) {
      if (breaker.isBroken()) throw notAsked(failures);
      // After its rest one request finds out for all.
      const probe = failures >= BREAKS_AFTER;
      probing = probe;
      try {
        const answer = await request();
        failures = 0;
        return answer;
      } catch (error) {
        failures = isUnanswered(error) ? failures + 1 : 0;
        if (failures >= BREAKS_AFTER) restsUntilMs = clock.uptimeMs() + REST_MS;
        throw error;
      } finally {
        if (probe) probing = false;
      }
    },
  };
  return breaker;
}

function notAsked(failures: number): BewaardError {
  const message = `not asked: the vault did not answer ${failures} times in a row`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}
