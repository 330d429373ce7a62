import type { Ask } from "./client.ts";
import type { Method } from "./protocol.ts";

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

export type AskForDock = Ask<(typeof ASKED_BY_DOCK)[number]>;
export type AskForRecorder = Ask<(typeof ASKED_BY_RECORDER)[number]>;
