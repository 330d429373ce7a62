import { Temporal } from "temporal-polyfill";
import { BewaardError } from "#base/errors";
import { type Instant, instant } from "#base/time";
import type { Result } from "../control/protocol.ts";

// What people in an office read: Dutch first, English beside it.

const ZONE = "Europe/Amsterdam";

const STATES: Readonly<Record<string, string>> = {
  sealed: "verzegeld / sealed",
  stored: "bewaard / stored",
  destroying: "wordt vernietigd / being destroyed",
  destroyed: "vernietigd / destroyed",
};

const HOLDS: Readonly<Record<string, string>> = {
  none: "-",
  asked: "aangevraagd, nog niet veilig / asked, not yet safe",
  "in force": "veiliggesteld / held",
};

/**
 * Reads a moment as people type it: `2026-11-22 10:00`, Dutch time, or with `Z` or an offset.
 * @throws BewaardError DESK_INPUT. An hour that came twice counts as the earlier one.
 */
export function parseWhen(text: string): Instant {
  try {
    const iso = text.trim().replace(" ", "T");
    const at = /(?:Z|[+-]\d\d:\d\d)$/.test(iso)
      ? Temporal.Instant.from(iso).epochMilliseconds
      : Temporal.PlainDateTime.from(iso).toZonedDateTime(ZONE).epochMilliseconds;
    return instant(at);
  } catch (cause) {
    const message = `"${text}" is geen tijd / is no time: schrijf / write "2026-11-22 10:00"`;
    throw new BewaardError("DESK_INPUT", message, { cause });
  }
}

/** A UTC time as people in the office read it, with its offset: `22-11-2026 11:00:00 +01:00`. */
export function localTime(iso: string): string {
  const at = Temporal.Instant.from(iso).toZonedDateTimeISO(ZONE);
  const day = `${two(at.day)}-${two(at.month)}-${at.year}`;
  return `${day} ${two(at.hour)}:${two(at.minute)}:${two(at.second)} ${at.offset}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

export function shownStatus(status: Result<"status">): string {
  const states = Object.entries(status.states).map(
    ([state, count]) => `${STATES[state]}: ${count}`,
  );
  const { checkpoint: head } = status;
  return [
    `${status.site} / ${status.node}`,
    ...states.map((line) => `  ${line}`),
    `  veiliggesteld / held: ${status.holds.inForce}, aangevraagd / asked: ${status.holds.requested}`,
    `  ring: ${gigabytes(status.spoolBytes)} van / of ${gigabytes(status.spoolLimitBytes)}`,
    `  klok / clock: ${status.clock.trusted ? "vertrouwd / trusted" : "NIET vertrouwd / NOT trusted"} (${status.clock.why})`,
    `  logboek / ledger: ${head ? `${head.size} regels getekend / entries signed` : "nog niet getekend / not signed yet"}`,
    `  bureau gelezen tot / desk read to: ${status.deskReadTo}`,
  ].join("\n");
}

export function shownFound({ segments, gaps }: Result<"find">): string {
  const rows = [
    ...segments.map((one) => ({
      at: one.startedAt,
      line: [
        localTime(one.startedAt),
        one.device.padEnd(10),
        one.id,
        STATES[one.state],
        HOLDS[one.hold],
        one.timeTrust === "trusted" ? "" : "tijd onzeker / time uncertain",
        one.alternativeStartedAt === null ? "" : clocksChanged(one.alternativeStartedAt),
      ].join("  "),
    })),
    ...gaps.map((gap) => ({
      at: gap.startedAt,
      line: `${localTime(gap.startedAt)}  ${gap.device.padEnd(10)}  GAT / GAP tot / until ${localTime(gap.endedAt)}: ${gap.cause}`,
    })),
  ].toSorted((a, b) => a.at.localeCompare(b.at));
  if (rows.length === 0) return "niets gevonden / nothing found";
  return rows.map(({ line }) => line.trimEnd()).join("\n");
}

function clocksChanged(alternative: string): string {
  return `klok verzet, of / clocks changed, or: ${localTime(alternative)}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
