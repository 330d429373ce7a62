import type { Result } from "../../daemon/control/protocol.ts";

/** What core answers of a box on which nothing goes on and nothing is wrong. */
export const WELL: Result<"status"> = {
  site: "test",
  node: "dock-1",
  states: {},
  holds: { requested: 0, inForce: 0 },
  spoolBytes: 0,
  spoolLimitBytes: 0,
  clock: { trusted: true, why: "" },
  checkpoint: null,
  history: "one",
  alarms: [],
  deskReadTo: 0,
  duties: { open: 0, since: null },
  backupAt: null,
  left: { files: 0, decideBy: null },
};

/** And of one that knows no camera. */
export const NONE_PAIRED: Result<"docks.pairings"> = { cameras: [] };
