import { Temporal } from "temporal-polyfill";
import { printable } from "#base/printable";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { localTime } from "../cli/shown.ts";
import { parseWindow, ZONE } from "../cli/window.ts";
import type { Ask } from "../control/client.ts";
import { cutOff, nameOddly, recordClip } from "./clips.ts";
import { openWithStockAge } from "./scenes.ts";
import type { Expectation } from "./show.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import type { DemoSite } from "./site.ts";

/**
 * How old each clip is when its camera is docked. One is nearly at its term, and three are what a
 * camera should not bring and does: cut off, with a name that is no text, from an hour that came twice.
 */
export const CLIPS = [
  { camera: "bc-0101", ageMs: 8 * HOUR_MS, odd: undefined },
  { camera: "bc-0101", ageMs: 6 * HOUR_MS, odd: undefined },
  { camera: "bc-0102", ageMs: 5 * HOUR_MS, odd: undefined },
  { camera: "bc-0102", ageMs: 25 * DAY_MS, odd: undefined },
  { camera: "bc-0101", ageMs: 4 * HOUR_MS, odd: "cut off" },
  { camera: "bc-0102", ageMs: 3 * HOUR_MS, odd: "no text" },
  // Half past two, summer time, seen from noon, winter time.
  { camera: "bc-0101", ageMs: 10 * HOUR_MS + 30 * MINUTE_MS, odd: "came twice" },
] as const;

export interface Clip {
  readonly camera: string;
  readonly odd: (typeof CLIPS)[number]["odd"];
  readonly startedAt: Instant;
  readonly path: string;
  /** Its path below the card, as bytes. */
  readonly name: Buffer;
}

/** Noon of the last day that had 25 hours: in the night before it, an hour came twice. */
export function dayTheClockWentBack(now: Instant): Instant {
  let day = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(ZONE).toPlainDate();
  while (day.toZonedDateTime(ZONE).hoursInDay !== 25) day = day.subtract({ days: 1 });
  const noon = day.toZonedDateTime({ timeZone: ZONE, plainTime: Temporal.PlainTime.from("12:00") });
  return instant(noon.epochMilliseconds);
}

/** Makes every clip on the card of its camera, the odd ones as they come. */
export async function dockClips(
  clock: SimulatedClock,
  { docks }: DemoSite,
): Promise<readonly Clip[]> {
  const clips: Clip[] = [];
  for (const [index, { camera, ageMs, odd }] of CLIPS.entries()) {
    const card = docks[camera] ?? "";
    const startedAt = plus(clock.now(), -Math.floor(ageMs / SECOND_MS) * SECOND_MS);
    const path = await recordClip(card, startedAt, 440 + 110 * index);
    if (odd === "cut off") await cutOff(path);
    const plain = Buffer.from(path.slice(card.length + 1));
    const name = odd === "no text" ? await nameOddly(card, path) : plain;
    clips.push({ camera, odd, startedAt, path, name });
  }
  return clips;
}

/** What must be seen of an odd clip, or undefined for one that is not odd. */
export async function oddScene(
  clock: SimulatedClock,
  folder: string,
  site: DemoSite,
  { camera, odd, startedAt, path, name }: Clip,
  id: string,
  ask: Ask,
  signal: AbortSignal,
): Promise<(Expectation & { readonly what: string }) | undefined> {
  switch (odd) {
    case "cut off":
      return {
        what: "afgebroken clip, byte voor byte bewaard / cut-off clip, kept byte for byte",
        ...(await openWithStockAge(clock, folder, site, id, path, signal)),
      };
    case "no text": {
      const { segments } = await ask("find", {
        device: camera,
        fromMs: startedAt,
        toMs: startedAt,
      });
      const modifiedAtMs = startedAt + 2 * SECOND_MS;
      const file = { path: name.toString("base64"), bytes: segments[0]?.bytes ?? 0, modifiedAtMs };
      const { known } = await ask("known", { device: camera, files: [file] });
      const shown = printable(name.subarray(name.lastIndexOf("/") + 1));
      return {
        what: "naam die geen tekst is, herkend op zijn bytes / name that is no text, known by its bytes",
        expected: `${shown} ja / yes`,
        seen: `${shown} ${known[0] === true ? "ja / yes" : "nee / no"}`,
      };
    }
    case "came twice":
      return cameTwice(startedAt, camera, ask);
    case undefined:
      return undefined;
    default:
      return odd satisfies never;
  }
}

/** Somebody looks for half past two, and does not know which of the two it was. */
async function cameTwice(
  startedAt: Instant,
  camera: string,
  ask: Ask,
): Promise<Expectation & { readonly what: string }> {
  const date = new Date(startedAt).toISOString().slice(0, 10);
  const window = parseWindow({ date, from: "02:15", to: "02:45" });
  const asked = { device: camera, fromMs: window.from, toMs: window.to };
  const { segments } = await ask("find", asked);
  const both = `${(window.to - window.from) / MINUTE_MS} minuten doorzocht / minutes searched`;
  return {
    what: `find --date ${date} --from 02:15 --to 02:45`,
    expected: `${localTime(new Date(startedAt).toISOString())}; 90 minuten doorzocht / minutes searched`,
    seen: `${segments.map((one) => localTime(one.startedAt)).join(", ")}; ${both}`,
  };
}
