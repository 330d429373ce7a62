import { Temporal } from "temporal-polyfill";
import type { Salvaged } from "../../storage/seal/salvage.ts";
import type { Result } from "../control/protocol.ts";
import { alarmWords } from "./shown-alarms.ts";
import { clockWhy } from "./shown-clock.ts";
import { ZONE } from "./window.ts";

// What people in an office read: Dutch first, English beside it.

export const STATES: Readonly<Record<string, string>> = {
  sealed: "verzegeld / sealed",
  stored: "bewaard / stored",
  destroying: "wordt vernietigd / being destroyed",
  destroyed: "vernietigd / destroyed",
};

export const HOLDS: Readonly<Record<string, string>> = {
  none: "-",
  asked: "aangevraagd, nog niet veilig / asked, not yet safe",
  "in force": "veiliggesteld / held",
};

const HISTORIES: Readonly<Record<"diverged" | "unknown", string>> = {
  diverged:
    "LOGBOEK WIJKT AF van de kluis: niets wordt vernietigd / LEDGER DIFFERS from the vault: nothing is destroyed",
  unknown: "logboek nog niet met de kluis vergeleken / ledger not yet compared with the vault",
};

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
    `  klok / clock: ${status.clock.trusted ? "vertrouwd / trusted" : "NIET vertrouwd / NOT trusted"} (${clockWhy(status.clock.why)} / ${status.clock.why})`,
    `  logboek / ledger: ${head ? `${head.size} regels getekend / entries signed` : "nog niet getekend / not signed yet"}`,
    ...(status.history === "one" ? [] : [`  ${HISTORIES[status.history]}`]),
    `  bureau gelezen tot / desk read to: ${status.deskReadTo}`,
    ...(status.backupAt === null
      ? []
      : [`  back-up van / backup of ${localTime(status.backupAt)}`]),
    ...status.alarms.map(shownAlarm),
    ...(status.left.decideBy === null
      ? []
      : [
          `  NOG OP EEN CAMERA / STILL ON A CAMERA: ${status.left.files}, beslis vóór / decide before ${localTime(status.left.decideBy)}`,
        ]),
    ...(status.duties.since === null
      ? []
      : [
          `  NOG TE DOEN / STILL TO BE DONE: ${status.duties.open}, sinds / since ${localTime(status.duties.since)} (bewaarctl duties)`,
        ]),
  ].join("\n");
}

function shownAlarm(raised: Result<"status">["alarms"][number]): string {
  const { nl, en } = alarmWords(raised);
  return `  ALARM: ${nl} / ${en}, sinds / since ${localTime(raised.since)}`;
}

/** How far a damaged or truncated segment opened, and the hash of what came out. */
export function shownSalvaged(sha256: string, { chunks, complete, lostBytes }: Salvaged): string {
  const far = complete
    ? "HEEL: het laatste stuk is er / WHOLE: its last piece is there"
    : lostBytes > 0
      ? `AFGEBROKEN: ${lostBytes} bytes aan het eind zijn niet te openen / BROKEN OFF: ${lostBytes} bytes at its end do not open`
      : "EINDE ONBEKEND: of er nog iets achter kwam is niet te zeggen / END UNKNOWN: not known to be complete";
  return `${far}\n${chunks} stukken geopend / pieces opened, sha256 ${sha256}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
