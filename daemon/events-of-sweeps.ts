import type { BewaardError } from "#base/errors";
import { type Instant, isoOf } from "#base/time";
import type { Swept } from "../storage/sweep/sweep.ts";
import { failed, type Say } from "./say.ts";

/** What is found by looking whether everything is where it should be, and nowhere too long. */
export function sweepEvents(say: Say) {
  return {
    breach: (what: string, place: string, discoveredAt: Instant) =>
      say(
        "alert",
        "breach",
        "footage is older than its term, without a hold: a breach, and its 72 hours count from now",
        { what, place, discoveredAt: isoOf(discoveredAt) },
      ),
    breachesLast: (breaches: number) =>
      say("alert", "breaches-last", "footage that is older than its term is still there", {
        breaches,
      }),
    swept: (counts: Swept) =>
      say("notice", "vault-swept", "the vault's footage was compared with the catalog", counts),
    sweepFound: (what: string) =>
      say("alert", "sweep-found", "the vault is not as the catalog says: nothing was changed", {
        what,
      }),
    sweepDelayed: (error: BewaardError) =>
      say("error", "sweep-delayed", "the vault could not be swept", failed(error)),
  };
}
