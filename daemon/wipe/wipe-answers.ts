import { BewaardError } from "#base/errors";
import { toldOfWipe } from "../../storage/catalog/open-wipes.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { type Answers, METHODS, type Params, type Result } from "../control/protocol.ts";

type Ask = (question: Params<"docks.wipe">) => Promise<Result<"docks.wipe">>;

export type WipeAnswers = Pick<Answers, "docks.wipe" | "docks.report">;

/** What core answers of wiping: `ask` orders it, and anybody may hear what came of an order. */
export function wipeAnswers(database: Database, ask: Ask): WipeAnswers {
  return {
    "docks.wipe": ask,
    "docks.report": async ({ nonce }) => {
      const told = await toldOfWipe(database, nonce);
      if (told === undefined)
        throw new BewaardError("CONTROL_REFUSED", "no such order is known here");
      if (told === null) return { outcome: "open", why: null, removed: 0, kept: [], left: null };
      return METHODS["docks.report"].result.parse(JSON.parse(told));
    },
  };
}
