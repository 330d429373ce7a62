import type { NodeId } from "#base/ids";
import type { Clock } from "#base/time";
import type { Config } from "../../config/schema.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { NodeKey } from "../../storage/ledger/note.ts";
import type { Events } from "../events.ts";
import { pairedNotePath } from "../places.ts";
import { steady } from "../steady.ts";
import type { Term } from "../term.ts";
import { type BodycamAnswers, bodycamAnswers } from "./answers.ts";
import type { LookInSlots } from "./in-slots.ts";
import { requireEither } from "./pair.ts";
import { openPairedNote } from "./paired-note.ts";
import { watchBodycams } from "./watch.ts";

/** All that core does of which bodycam is which. */
export interface Pairing {
  readonly answers: BodycamAnswers;
  /** Until the signal aborts: `watchBodycams`. */
  readonly watch: (signal: AbortSignal) => Promise<void>;
}

/**
 * Writes the list of the root helper as the catalog has it, whatever a crash left of it.
 * @throws BewaardError CONFIG_INVALID for a number that the configuration names and that is paired.
 */
export async function openPairing(
  clock: Clock,
  events: Events,
  database: Database,
  config: Config,
  node: NodeId,
  key: NodeKey,
  term: Term,
  lookInSlots: LookInSlots,
): Promise<Pairing> {
  await requireEither(database, config.bodycams);
  const note = openPairedNote(clock, database, pairedNotePath(config), node, key);
  await steady(clock, events, "start")(() => note.keep());
  return {
    answers: bodycamAnswers(clock, database, lookInSlots, note, config.bodycams),
    watch: (signal) => watchBodycams(clock, events, database, lookInSlots, note, term, signal),
  };
}
