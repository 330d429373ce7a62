import type { Clock } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { HELPER_PLACES } from "../helper/places.ts";

type Verdict = "fit" | "warning" | "not fit";

/** The same in both languages. */
export interface Say {
  readonly nl: string;
  readonly en: string;
}

/** What one look found, in words an administrator can act on. */
export interface Seen {
  readonly verdict: Verdict;
  readonly says: Say;
  /** What to do about it; null where it is well. */
  readonly todo: Say | null;
}

/** What is looked at: this machine, as the configuration at `path` wants it. */
export interface Machine {
  readonly clock: Clock;
  readonly path: string;
  readonly config: Config;
  /** `/proc`, and the cgroup this runs in. */
  readonly proc: string;
  readonly cgroup: string;
  /** The key that the root helper believes, the user who alone may write it, and the state folder of whom it serves. */
  readonly helper: {
    readonly verifier: string;
    readonly owner: number;
    readonly serves?: string | undefined;
  };
}

export type Roots = Pick<Machine, "proc" | "cgroup" | "helper">;

export const THIS_MACHINE: Roots = {
  proc: "/proc",
  cgroup: "/sys/fs/cgroup",
  helper: { verifier: HELPER_PLACES.verifier, owner: 0, serves: HELPER_PLACES.state },
};

/** Looks at one subject. Gives up when the signal aborts. */
export type Look = (machine: Machine, signal: AbortSignal) => Promise<readonly Seen[]>;

export function fit(nl: string, en: string): Seen {
  return { verdict: "fit", says: { nl, en }, todo: null };
}

export function warning(says: Say, todo: Say): Seen {
  return { verdict: "warning", says, todo };
}

export function notFit(says: Say, todo: Say): Seen {
  return { verdict: "not fit", says, todo };
}

/** What may not be where real footage is kept: a demo is told, and may go on. */
export function notFitForReal({ config }: Machine, says: Say, todo: Say): Seen {
  return config.site.demo ? warning(says, todo) : notFit(says, todo);
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
