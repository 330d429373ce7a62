import { BewaardError, isAbort } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import type { Events } from "../events.ts";
import type { Attending } from "./attend.ts";
import type { Attendant } from "./attendant.ts";

/** Runs a part by `config` until the signal aborts. */
export type StartPart = (
  attendant: Attendant,
  config: Config,
  signal: AbortSignal,
) => Promise<void>;

/** A part that can be had go by another configuration, in the same process. */
export interface PartRun {
  /** Until the signal aborts, by whatever configuration it is told of. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Ends it where it can be taken up again, and has it begin anew by `config`; by the one before where it refuses that. */
  readonly goBy: (config: Config) => void;
}

export function openPartRun(
  events: Events,
  attending: Attending,
  name: string,
  start: StartPart,
  config: Config,
): PartRun {
  let by = config;
  let before: Config | undefined;
  let next: Config | undefined;
  let over = new AbortController();

  /** Whether it refused the configuration that it was to go by from now on. */
  async function refused(signal: AbortSignal): Promise<BewaardError | undefined> {
    let hasBegun = false;
    const attendant: Attendant = {
      ...attending,
      begun(part, how) {
        hasBegun = true;
        attending.begun(part, how);
      },
    };
    try {
      await start(attendant, by, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      // A box that stops ends well, wherever in its work a part hears of it.
      if (signal.aborted && isAbort(error)) return undefined;
      // What is cut off in the middle of its start says so in its own way; a bug is one all the same.
      if (over.signal.aborted && !signal.aborted && isForeseen(error)) return undefined;
      if (before === undefined || hasBegun || !(error instanceof BewaardError)) throw error;
      return error;
    }
    return undefined;
  }

  return {
    goBy(newer) {
      next = newer;
      attending.ends(name);
      over.abort();
    },
    async run(signal) {
      while (!signal.aborted) {
        const why = await refused(signal);
        if (why !== undefined && before !== undefined) {
          events.reloadRefused(why);
          [by, before] = [before, undefined];
        } else if (next === undefined) return;
        else [by, before, next] = [next, by, undefined];
        over = new AbortController();
      }
    },
  };
}

function isForeseen(error: unknown): boolean {
  return error instanceof BewaardError || isAbort(error);
}
