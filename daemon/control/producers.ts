import type { Ask } from "./client.ts";
import type { Answers, Method } from "./protocol.ts";

// All that a producer may ask of core, at a socket of its own: neither a command nor what people look up, for it reads
// what strangers made (docs/decisions/0035).

export const ASKED_BY_DOCK = [
  "known",
  "room",
  "bodycams.identify",
  "docks.pairings",
  "docks.news",
  "docks.wipe",
  "docks.set-time",
] as const satisfies readonly Method[];

export const ASKED_BY_RECORDER = ["room"] as const satisfies readonly Method[];

/**
 * The most of the ring that one question may have emptied of footage that is nowhere else (decision 0013): who took over a
 * producer would else have all of it destroyed at once. More it has only as fast as it writes.
 */
export const URGENT_PART = 0.25;

/** `answers`, where a producer asks. */
export function askedModestly(answers: Answers, limitBytes: number): Answers {
  const room: Answers["room"] = ({ bytes, urgent }, watch) =>
    answers.room({ bytes, urgent: urgent && bytes <= limitBytes * URGENT_PART }, watch);
  return { ...answers, room };
}

export type AskForDock = Ask<(typeof ASKED_BY_DOCK)[number]>;
export type AskForRecorder = Ask<(typeof ASKED_BY_RECORDER)[number]>;
