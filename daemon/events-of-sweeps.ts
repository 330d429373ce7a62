import type { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
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
        "footage in {place} is older than its term, without a hold: a breach, and its 72 hours count from {discoveredAt}",
        { what, place, discoveredAt: isoOf(discoveredAt) },
      ),
    breachesLast: (breaches: number, segments: number) =>
      say(
        "alert",
        "breaches-last",
        "footage is past its term and not destroyed, a breach: {segments} segments, {breaches} breaches found",
        { breaches, segments },
      ),
    breachesLastOver: (since: Instant) =>
      say(
        "notice",
        "breaches-last-over",
        "no footage is past its term any more, as it was since {since}",
        { since: isoOf(since) },
      ),
    heldNowhere: (count: number, segments: readonly SegmentId[]) =>
      say(
        "alert",
        "held-nowhere",
        "{count} segments are held and their bytes are nowhere: they were lost with a box before this one",
        { count, segments },
      ),
    heldNowhereOver: (since: Instant) =>
      say(
        "notice",
        "held-nowhere-over",
        "nothing is held any more of which the bytes are nowhere, as it was since {since}",
        { since: isoOf(since) },
      ),
    swept: (counts: Swept) =>
      say(
        "notice",
        "vault-swept",
        "{objects} objects in the vault were compared with the catalog: {orphans} orphans, {missing} missing, {unheld} held there alone",
        counts,
      ),
    sweepFound: (what: string) =>
      say(
        "alert",
        "sweep-found",
        "the vault is not as the catalog says, nothing was changed: {what}",
        { what },
      ),
    sweepDelayed: (error: BewaardError) =>
      say("error", "sweep-delayed", "the vault could not be swept", failed(error)),
  };
}
