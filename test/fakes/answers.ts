import type { Answers } from "../../daemon/control/protocol.ts";

const refuse = async (): Promise<never> => {
  throw new Error("not asked here");
};
/** A core that answers nothing. */
export const NO_ANSWERS: Answers = {
  status: refuse,
  find: refuse,
  "clock.confirm": refuse,
  verify: refuse,
  "ledger.head": refuse,
  "ledger.prove": refuse,
  "ledger.verify": refuse,
  holds: refuse,
  duties: refuse,
  "duties.done": refuse,
  "bodycams.mark": refuse,
  "bodycams.marks": refuse,
  "docks.wipe": refuse,
  "docks.report": refuse,
  "docks.set-time": refuse,
  known: refuse,
  room: refuse,
  bodycams: refuse,
  "bodycams.pair": refuse,
  "bodycams.retire": refuse,
  "bodycams.identify": refuse,
  docks: refuse,
  "docks.news": refuse,
  "docks.pairings": refuse,
};
