import type { Clock } from "#base/time";
import type { Rules } from "../config/configuration.ts";
import type { Config } from "../config/schema.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { NodeKey } from "../storage/ledger/note.ts";
import type { Box } from "./adopt.ts";
import type { Answers } from "./control/protocol.ts";
import type { Events } from "./events.ts";
import type { Loop } from "./notify/pulses.ts";
import type { AskHistory } from "./one-history.ts";
import { openOutstanding } from "./ordering/outstanding.ts";
import { type BodycamAnswers, bodycamAnswers } from "./pairing/answers.ts";
import { type Board, openBoard } from "./pairing/board.ts";
import type { LookInSlots } from "./pairing/in-slots.ts";
import { requireEither } from "./pairing/pair.ts";
import { openPairedNote } from "./pairing/paired-note.ts";
import { profileEnterer } from "./pairing/paired-profiles.ts";
import { watchBodycams } from "./pairing/watch.ts";
import { ordersPath, pairedNotePath } from "./places.ts";
import { settleTimes } from "./set-time/settle-times.ts";
import { timeFilesOf } from "./set-time/time-file-of.ts";
import { timeSetter } from "./set-time/time-setter.ts";
import { steady } from "./steady.ts";
import { timeTrust } from "./trust.ts";
import { rulesOf } from "./wipe/rule-of.ts";
import { settleWipes } from "./wipe/settle-wipes.ts";
import { whyNotNow } from "./wipe/why-not-now.ts";
import { type WipeAnswers, wipeAnswers } from "./wipe/wipe-answers.ts";
import { wiper } from "./wipe/wiper.ts";

/** What core sees of a machine's slots, and of what its root helper did. */
export interface CoreMachine {
  readonly look: LookInSlots;
  /** Where the root helper reports, and the only user whose reports are believed. */
  readonly reports: string;
  readonly owner: number;
}

/** All that core does of bodycams: which is which, what may go from their cards, and what sets their clocks. */
export interface Bodycams {
  readonly answers: BodycamAnswers & WipeAnswers & Pick<Answers, "docks.set-time">;
  /** Paired bodycams that are in no slot; undefined before the first look. */
  readonly missing: Board["missing"];
  /** The loops of it, each until the signal aborts: `watchBodycams`, `settleWipes`, `settleTimes`. */
  readonly watch: Loop;
  readonly settleWipes: Loop;
  readonly settleTimes: Loop;
}

/**
 * Writes the list of the root helper as the catalog has it, whatever a crash left of it.
 * @throws BewaardError CONFIG_INVALID for a number that the configuration names and that is paired.
 */
export async function openBodycams(
  clock: Clock,
  events: Events,
  database: Database,
  config: Config,
  rules: Rules,
  { node, term }: Pick<Box, "node" | "term">,
  key: NodeKey,
  machine: CoreMachine,
  history: () => ReturnType<AskHistory>,
): Promise<Bodycams> {
  await requireEither(database, config.bodycams);
  const note = openPairedNote(clock, database, pairedNotePath(config), node, key);
  await steady(clock, events, "start")(() => note.keep());
  const board = openBoard(clock);
  const enter = profileEnterer(clock, events, database, config, rules);
  const { look, reports: folder, owner } = machine;
  const orders = ordersPath(config);
  const ruleOf = rulesOf(config, term, database);
  const mayNot = whyNotNow(clock, database, history);
  const trusted = async () => (await timeTrust(clock, database)).trusted;
  const desk = { node, key, folder: orders };
  const [wipes, times] = [openOutstanding(), openOutstanding()];
  const wipe = wiper(clock, events, database, desk, ruleOf, mayNot, wipes);
  const files = timeFilesOf(database);
  const setTime = timeSetter(clock, events, database, desk, files, trusted, times);
  const reports = { orders, folder, owner };
  return {
    answers: {
      ...bodycamAnswers(clock, database, look, note, board, config.bodycams, enter),
      ...wipeAnswers(database, wipe),
      "docks.set-time": setTime,
    },
    missing: board.missing,
    watch: (own, signal) => watchBodycams(own, events, database, look, note, board, signal),
    settleWipes: (own, signal) => settleWipes(own, events, database, reports, wipes, signal),
    settleTimes: (own, signal) => settleTimes(own, events, database, reports, times, signal),
  };
}
