import { openBackOff } from "#base/back-off";
import { BewaardError } from "#base/errors";
import { progress } from "#base/progress";
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

/**
 * `doing`, or at once what `signal` was aborted for. A short request has no signal of its own, and one that hangs
 * must not hold up a stop: nobody hears any more how it ends.
 */
export async function unless<T>(signal: AbortSignal, doing: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  // Whichever of the two loses the race is listened to by nobody.
  doing.catch(() => undefined);
  promise.catch(() => undefined);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, doing]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

export function isUnanswered(error: unknown): error is BewaardError {
  return error instanceof BewaardError && error.code === "VAULT_UNAVAILABLE" && error.transient;
}

/** Whether the vault said something, be it no. Where the source broke, or somebody stopped, it did not. */
function isAnswer(error: unknown): boolean {
  return error instanceof BewaardError && error.code.startsWith("VAULT_") && !isUnanswered(error);
}

interface Breaker {
  once<T>(request: () => Promise<T>): Promise<T>;
  /** Nothing is asked for a while. */
  isBroken(): boolean;
}

function openBreaker(clock: Clock): Breaker {
  let failures = 0;
  let restsUntilMs = 0;
  const isSick = () => failures >= BREAKS_AFTER;
  const rest = () => (restsUntilMs = clock.uptimeMs() + REST_MS);
  const breaker: Breaker = {
    isBroken: () => isSick() && clock.uptimeMs() < restsUntilMs,
    async once(request) {
      if (breaker.isBroken()) throw notAsked(failures);
      // After its rest one request finds out for all; one that takes hours keeps nobody from asking after the next.
      if (isSick()) rest();
      try {
        const answer = await request();
        failures = 0;
        return answer;
      } catch (error) {
        if (isAnswer(error)) failures = 0;
        if (isUnanswered(error)) failures += 1;
        if (isUnanswered(error) && isSick()) rest();
        throw error;
      } finally {
        progress();
      }
    },
  };
  return breaker;
}

function notAsked(failures: number): BewaardError {
  const message = `not asked: the vault did not answer ${failures} times in a row`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}
