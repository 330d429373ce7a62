import type { Clock } from "#base/time";
import type { Loop } from "./pulses.ts";

/** What must hold before a part is ready. What it waits for is told meanwhile; its work goes on. */
export interface Condition {
  /** As it is told: "the spool takes files". */
  readonly what: string;
  /** Throws what is foreseen to pass, as BewaardError; asked again then. */
  readonly holds: () => Promise<boolean>;
}

/** A part of this process that has opened all it needs. */
export interface Part {
  readonly conditions: readonly Condition[];
  /** How it does, in a few words: "2 docks busy". Cheap: asked each half a minute. */
  readonly line: () => Promise<string> | string;
}

/** Whom parts tell of themselves: which loops they have, and how they do. */
export interface Attendant {
  /** The loop `name` as a task: watched, where anybody watches, and then late when it does nothing for `deadlineMs`. */
  readonly loop: (
    name: string,
    deadlineMs: number,
    loop: Loop,
  ) => (signal: AbortSignal) => Promise<void>;
  /** Called once by each part, when it begins with its work. */
  readonly begun: (part: string, how: Part) => void;
}

/** Nobody asks: a demo, a test, or a process that somebody started by hand. */
export function unattended(clock: Clock): Attendant {
  return { loop: (_name, _deadlineMs, loop) => (signal) => loop(clock, signal), begun() {} };
}
