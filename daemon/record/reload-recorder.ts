import { once } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../config/schema.ts";
import type { Events } from "../events.ts";
import type { PartRun } from "../notify/part-run.ts";

/** Yields the configuration that the recorder goes by, and each other one from then on, until the signal aborts. */
export type ConfigsOf = (signal: AbortSignal) => AsyncIterable<Config>;

/** The recorder that is never told of another. */
export function alwaysBy(config: Config): ConfigsOf {
  return async function* (signal) {
    yield config;
    await aborted(signal);
  };
}

/**
 * What the recorder does about another configuration: it goes by the cameras of that, and those that are the same lose no
 * frame. All else would cost each camera a second or two of footage, and is left to who can choose the moment.
 */
export function recorderReload(
  events: Events,
  started: Config,
): Pick<PartRun, "goBy"> & { readonly configs: ConfigsOf } {
  let by = started;
  let told = Promise.withResolvers<void>();
  return {
    goBy(config) {
      if (!isDeepStrictEqual(rest(config), rest(started))) events.reloadWaits("record");
      by = { ...started, cameras: config.cameras };
      told.resolve();
      told = Promise.withResolvers();
    },
    async *configs(signal) {
      while (!signal.aborted) {
        const [now, next] = [by, told.promise];
        yield now;
        // Another may have come while this one was taken up.
        if (by === now) await Promise.race([next, aborted(signal)]);
      }
    },
  };
}

function rest({ node, site, spool, state, recorder, recipients }: Config) {
  return { node, site, spool, state, recorder, recipients };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
