import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import { type Clock, every, HOUR_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import type { Events } from "../events.ts";
import { type Attendant, type Part, unattended } from "./attendant.ts";
import { feedWatchdog } from "./feed-watchdog.ts";
import type { Manager } from "./manager.ts";
import { openPulses } from "./pulses.ts";

/** Tells the manager; false, and it is said, where it did not take it. */
type Tell = (...assignments: readonly string[]) => Promise<boolean>;

/** Whom the parts of this process tell how they do, and who tells it to the manager. */
export interface Attending extends Attendant {
  /** Until the signal aborts; then the manager hears that this process stops. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

const LOOK_EVERY_MS = 10 * SECOND_MS;
/** Whoever started this service waits for it. */
const LOOK_UNREADY_MS = SECOND_MS / 2;
/** A start that waits is not to be ended as one that hangs. Renewed at each look. */
const MORE_TIME_MS = 60 * SECOND_MS;

/**
 * Attends to the parts `names` of this process for `manager`: READY=1 once each has begun and all conditions hold,
 * STATUS= when it has changed, WATCHDOG=1 while no loop is late, STOPPING=1 at the end. Without a manager nothing runs.
 */
export function attend(
  clock: Clock,
  events: Events,
  manager: Manager | undefined,
  names: readonly string[],
): Attending {
  if (manager === undefined) return { ...unattended(clock), run: async () => undefined };
  const pulses = openPulses(clock);
  const parts = new Map<string, Part>();
  const hourly = atMostEvery(clock, HOUR_MS);
  const tell: Tell = async (...assignments) => {
    try {
      await manager.tell(...assignments);
      return true;
    } catch (error) {
      // The manager may be busy, or be started anew: what it must know is told again.
      if (hourly("unheard")) events.managerUnheard(error instanceof Error ? error.message : "");
      return false;
    }
  };
  const { watchdogMs } = manager;
  const loops = [
    (s: AbortSignal) => tellHow(clock, names, parts, tell, s),
    ...(watchdogMs === undefined
      ? []
      : [
          (s: AbortSignal) =>
            feedWatchdog(
              clock,
              events,
              pulses,
              watchdogMs,
              async () => void (await tell("WATCHDOG=1")),
              s,
            ),
        ]),
  ];
  return {
    loop: (name, deadlineMs, loop) =>
      watchdogMs === undefined
        ? (signal) => loop(clock, signal)
        : (signal) => pulses.run(name, deadlineMs, loop, signal),
    begun: (name, part) => void parts.set(name, part),
    async run(signal) {
      await together(signal, loops);
      await tell("STOPPING=1", "STATUS=stopping");
    },
  };
}

/** Tells that all is ready, and then how it does, until the signal aborts. */
async function tellHow(
  clock: Clock,
  names: readonly string[],
  parts: ReadonlyMap<string, Part>,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  let isReady = false;
  let told = "";
  const pace = () => (isReady ? LOOK_EVERY_MS : LOOK_UNREADY_MS);
  for await (const _ of every(clock, pace, signal)) {
    const unmet: Unmet | undefined = isReady ? undefined : await firstUnmet(names, parts);
    if (signal.aborted) return;
    const status = unmet?.what ?? (await lineOf(names, parts));
    const becomesReady: boolean = !isReady && unmet === undefined;
    const news = [
      ...(becomesReady ? ["READY=1"] : []),
      ...(unmet?.begun === true ? [`EXTEND_TIMEOUT_USEC=${MORE_TIME_MS * 1000}`] : []),
      ...(status === told ? [] : [`STATUS=${status}`]),
    ];
    if (news.length === 0 || !(await tell(...news))) continue;
    told = status;
    isReady ||= becomesReady;
  }
}

/** What the start still waits for; `begun`: each part works meanwhile. */
interface Unmet {
  readonly what: string;
  readonly begun: boolean;
}

async function firstUnmet(
  names: readonly string[],
  parts: ReadonlyMap<string, Part>,
): Promise<Unmet | undefined> {
  const missing = names.filter((name) => !parts.has(name));
  if (missing.length > 0) return { what: `starting: ${missing.join(", ")}`, begun: false };
  for (const name of names)
    for (const { what, holds } of parts.get(name)?.conditions ?? [])
      if (!(await nowOr(holds, false))) return { what: `waits until ${what}`, begun: true };
  return undefined;
}

async function lineOf(names: readonly string[], parts: ReadonlyMap<string, Part>): Promise<string> {
  const lines: string[] = [];
  // What comes in first, then what is kept.
  for (const name of names.toReversed()) {
    const line = await nowOr(async () => (await parts.get(name)?.line()) ?? "", `${name} unseen`);
    if (line !== "") lines.push(line);
  }
  return lines.join("; ");
}

/** What is foreseen to pass, a full disk or a busy catalog, is asked again at the next look. */
async function nowOr<T>(asked: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked();
  } catch (error) {
    if (error instanceof BewaardError) return otherwise;
    throw error;
  }
}
