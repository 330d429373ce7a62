import { isoOf } from "#base/time";
import type { Result } from "../control/protocol.ts";
import { HOLDS, localTime, STATES } from "./shown.ts";
import type { Window } from "./window.ts";

// What `bewaarctl find` tells: Dutch first, English beside it.

/** What was searched for, beside the time. */
export interface Wanted {
  readonly camera: string | undefined;
  readonly place: string | undefined;
}

/** Why something was not recorded, or not kept (docs/format.md). One that is not here is shown as it is. */
const CAUSES: Readonly<Record<string, string>> = {
  "camera-login": "camera weigert het wachtwoord / camera refuses the password",
  "camera-lost": "verbinding met camera verbroken / connection to camera lost",
  "camera-refused": "camera weigert / camera refuses",
  "camera-stalled": "camera stuurt geen beeld / camera sends no pictures",
  "camera-stream": "beeld van camera niet te bewaren / pictures of camera cannot be kept",
  "camera-unreachable": "camera niet bereikbaar / camera could not be reached",
  "card-removed": "kaart te vroeg uit het dock / card taken out of the dock too soon",
  "card-unreadable": "kaart onleesbaar / card could not be read",
  crashed: "opname afgebroken / recording was cut off",
  "machine-busy":
    "kast had te weinig processen, bestanden of geheugen / box ran out of processes, files or memory",
  "packets-lost": "beeld beschadigd, wel bewaard / pictures damaged, and kept",
  "ring-overwritten": "overschreven vóór de kluis het had / overwritten before the vault had it",
  "spool-full": "geen ruimte op de kast / no room on the box",
  "spool-io": "schijf van de kast weigert / disk of the box refuses",
  "spool-slow": "schijf van de kast te traag / disk of the box too slow",
  stopped: "bewaard stond uit / bewaard was not running",
  "tool-missing": "ffmpeg ontbreekt op de kast / no ffmpeg on the box",
  "tool-not-started": "de kast kon ffmpeg niet starten / the box could not start ffmpeg",
};

/** As one JSON value: what was found, and what was searched. */
export function foundForPrograms(found: Result<"find">, window: Window, wanted: Wanted): object {
  return {
    searched: {
      from: isoOf(window.from),
      to: isoOf(window.to),
      camera: wanted.camera ?? null,
      place: wanted.place ?? null,
      hourCameTwice: window.cameTwice,
    },
    ...found,
  };
}

export function shownFound(found: Result<"find">, window: Window, wanted: Wanted): string {
  const rows = [
    ...found.segments.map((one) => ({ at: one.startedAt, line: segmentLine(one) })),
    ...found.gaps.map((one) => ({ at: one.startedAt, line: gapLine(one) })),
  ].toSorted((a, b) => a.at.localeCompare(b.at));
  return [
    ...rows.map(({ line }) => line),
    ...found.left.map(leftLine),
    ...(rows.length + found.left.length === 0 ? nothing(found, window, wanted) : []),
    ...window.remarks.map((remark) => `(${remark})`),
    ...(found.more === null ? [] : [`meer / more: --after ${found.more}`]),
  ].join("\n");
}

function segmentLine(one: Result<"find">["segments"][number]): string {
  return [
    localTime(one.startedAt),
    one.device.padEnd(10),
    one.id,
    STATES[one.state] ?? one.state,
    HOLDS[one.hold] ?? one.hold,
    one.place ?? "",
    one.timeTrust === "trusted" ? "" : "tijd onzeker / time uncertain",
    one.alternativeStartedAt === null ? "" : clocksChanged(one.alternativeStartedAt),
    one.truncated ? "afgebroken / cut off" : "",
    holdable(one),
  ]
    .filter((column) => column !== "")
    .join("  ");
}

/** Of what a hold can still keep, and none does. */
function holdable({ state, hold, holdableUntil }: Result<"find">["segments"][number]): string {
  const open = (state === "sealed" || state === "stored") && hold === "none";
  return open ? `veilig te stellen tot / holdable until: ${localTime(holdableUntil)}` : "";
}

function clocksChanged(alternative: string): string {
  return `klok verzet, of / clocks changed, or: ${localTime(alternative)}`;
}

function gapLine(gap: Result<"find">["gaps"][number]): string {
  const until = `GAT / GAP tot / until ${localTime(gap.endedAt)}`;
  const place = gap.place === null ? "" : `  ${gap.place}`;
  const cause = CAUSES[gap.cause] ?? gap.cause;
  return `${localTime(gap.startedAt)}  ${gap.device.padEnd(10)}  ${until}: ${cause}${place}`;
}

function leftLine({ device, name, code, decideBy }: Result<"find">["left"][number]): string {
  const until = `beslis vóór / decide before ${localTime(decideBy)}`;
  return `NOG OP DE CAMERA / STILL ON THE CAMERA  ${device}  ${name} (${code}): ${until}`;
}

/** Says what was looked for, so that a mistyped day is seen, and how far back this box can tell. */
function nothing(
  { knownFrom, places }: Result<"find">,
  window: Window,
  { camera, place }: Wanted,
): readonly string[] {
  const among = place !== undefined && places.length > 0 ? `: ${places.join("; ")}` : "";
  return [
    "niets gevonden / nothing found",
    `  van / from:     ${localTime(isoOf(window.from))}`,
    `  tot / until:    ${localTime(isoOf(window.to))}`,
    `  camera:         ${camera ?? "alle / all"}`,
    `  plek / place:   ${place === undefined ? "alle / all" : `"${place}"${among}`}`,
    ...(place !== undefined && places.length === 0
      ? ["  geen camera had ooit zo'n plek / no camera was ever at such a place"]
      : []),
    knownFrom === null
      ? "  deze kast heeft nog geen beelden / this box has no footage yet"
      : `  deze kast weet iets vanaf / this box knows of footage from: ${localTime(knownFrom)}`,
  ];
}
