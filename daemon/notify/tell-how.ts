import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import { sleepOrHint } from "../../drivers/bodycam/look-again.ts";
import type { Part } from "./attendant.ts";

/** Tells the manager; false, and it is said, where it did not take it. */
export type Tell = (...assignments: readonly string[]) => Promise<boolean>;

/** The parts of this process. */
export interface Parts {
  readonly names: readonly string[];
  /** Those that have begun with their work. */
  readonly begun: Map<string, Part>;
  /** While a configuration is read anew, and nobody knows yet who goes by it. */
  isReloading: boolean;
  /** Something has changed: look at once. */
  wake: () => void;
}

/** A look at an idle box costs half a millisecond: that is to be nothing beside the rest (bench -- idle). */
const LOOK_EVERY_MS = 30 * SECOND_MS;
/** Whoever started this service waits for it. */
const LOOK_UNREADY_MS = SECOND_MS / 2;
/** A start that waits is not to be ended as one that hangs. Renewed at each look. */
const MORE_TIME_MS = 60 * SECOND_MS;

/** What a start still waits for; `begun`: each part works meanwhile. */
interface Unmet {
  readonly what: string;
  readonly begun: boolean;
}

/**
 * Tells that all is ready, and then how it does, until the signal aborts; and the same again, after RELOADING=1, when
 * parts begin anew because of another configuration.
 */
export async function tellHow(
  clock: Clock,
  parts: Parts,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  let isReady = false;
  let told = "";
  while (!signal.aborted) {
    const woken = Promise.withResolvers<void>();
    parts.wake = () => woken.resolve();
    if (parts.isReloading && isReady)
      isReady = !(await tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`));
    const unmet: Unmet | undefined = isReady ? undefined : await firstUnmet(parts, signal);
    const status = unmet?.what ?? (await lineOf(parts, signal));
    if (signal.aborted) return;
    const becomesReady: boolean = !isReady && unmet === undefined;
    const news = [
      ...(becomesReady ? ["READY=1"] : []),
      ...(unmet?.begun === true ? [`EXTEND_TIMEOUT_USEC=${MORE_TIME_MS * 1000}`] : []),
      ...(status === told ? [] : [`STATUS=${status}`]),
    ];
    if (news.length > 0 && (await tell(...news))) {
      told = status;
      isReady ||= becomesReady;
    }
    await sleepOrHint(clock, isReady ? LOOK_EVERY_MS : LOOK_UNREADY_MS, woken.promise, signal);
  }
}

async function firstUnmet(parts: Parts, signal: AbortSignal): Promise<Unmet | undefined> {
  if (parts.isReloading) return { what: "reads its configuration", begun: true };
  const missing = parts.names.filter((name) => !parts.begun.has(name));
  if (missing.length > 0) return { what: `starting: ${missing.join(", ")}`, begun: false };
  for (const name of parts.names) {
    for (const { what, holds } of parts.begun.get(name)?.conditions ?? [])
      if (!(await nowOr(parts, name, holds, false, signal)))
        return { what: `waits until ${what}`, begun: true };
  }
  return undefined;
}

async function lineOf(parts: Parts, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  // What comes in first, then what is kept.
  for (const name of parts.names.toReversed()) {
    const ask = async () => (await parts.begun.get(name)?.line()) ?? "";
    const line = await nowOr(parts, name, ask, `${name} unseen`, signal);
    if (line !== "") lines.push(line);
  }
  return lines.join("; ");
}

/** What is foreseen to pass, a full disk or a busy catalog, is asked again; and a part that ends meanwhile closes what it had. */
async function nowOr<T>(
  { begun }: Parts,
  name: string,
  asked: () => Promise<T>,
  otherwise: T,
  signal: AbortSignal,
): Promise<T> {
  const part = begun.get(name);
  try {
    return await asked();
  } catch (error) {
    const isOver = signal.aborted || begun.get(name) !== part;
    if (isOver || error instanceof BewaardError) return otherwise;
    throw error;
  }
}
