import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../config/schema.ts";
import type { Events } from "../events.ts";
import type { PartRun } from "../notify/part-run.ts";

/**
 * What the recorder does about another configuration: it goes on. Beginning anew would cost each camera a second or two of
 * footage, so that is left to who can choose the moment; where nothing of its own has changed there is nothing to do.
 */
export function recorderReload(events: Events, started: Config): Pick<PartRun, "goBy"> {
  return {
    goBy(config) {
      if (!isDeepStrictEqual(ofRecorder(config), ofRecorder(started))) events.reloadWaits("record");
    },
  };
}

function ofRecorder({ cameras, node, site, spool, state, recipients }: Config) {
  return { cameras, node, site, spool, state, recipients };
}
