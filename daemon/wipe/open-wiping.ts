import type { NodeId } from "#base/ids";
import type { Clock } from "#base/time";
import { readProfile } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { readBodycams } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { NodeKey } from "../../storage/ledger/note.ts";
import type { Events } from "../events.ts";
import type { AskHistory } from "../one-history.ts";
import { ordersPath } from "../places.ts";
import type { Term } from "../term.ts";
import type { Outstanding } from "./outstanding.ts";
import { settleWipes } from "./settle-wipes.ts";
import { whyNotNow } from "./why-not-now.ts";
import { wipeAnswers } from "./wipe-answers.ts";
import { type RuleOf, wiper } from "./wiper.ts";

/** What core does of wiping cards: answers, and a loop. */
export function openWiping(
  clock: Clock,
  events: Events,
  database: Database,
  config: Config,
  node: NodeId,
  key: NodeKey,
  term: Term,
  helper: { readonly reports: string; readonly owner: number },
  history: () => ReturnType<AskHistory>,
) {
  const outstanding: Outstanding = { any: true };
  const orders = ordersPath(config);
  const desk = { node, key, folder: orders };
  const mayNot = whyNotNow(clock, database, history);
  const ask = wiper(
    clock,
    events,
    database,
    desk,
    rulesOf(config, term, database),
    mayNot,
    outstanding,
  );
  const reports = { orders, folder: helper.reports, owner: helper.owner };
  return {
    answers: wipeAnswers(database, ask),
    settle: (signal: AbortSignal) =>
      settleWipes(clock, events, database, reports, outstanding, signal),
  };
}

/** Of cameras in the configuration, and of those that are paired; as their profile is now. */
function rulesOf({ bodycams, docks }: Config, { termMs }: Term, database: Database): RuleOf {
  const site = docks?.wipe_after ?? "vault";
  return async (device) => {
    const paired = await database.transaction(readBodycams);
    const name =
      bodycams.find(({ number }) => number === device)?.profile ??
      paired.find((one) => one.device === device && one.retiredAt === undefined)?.profile;
    if (name === undefined) return undefined;
    const { wipe, wipe_after: own, loops_within: loopMs } = await readProfile(name);
    // Paired later than the configuration was read: what keeps footage past its term is wiped all the same.
    const after = own === "never" && (loopMs ?? Infinity) > termMs ? site : (own ?? site);
    return { after, how: wipe };
  };
}
