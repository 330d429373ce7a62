import { z } from "zod";
import { type Instant, isoOf } from "#base/time";
import { isIn, parseHours } from "./units.ts";
import { hours, rate } from "./values.ts";

/** How much of the line the vault may take. */
export const uploadSchema = z.strictObject({
  limit: rate
    .optional()
    .describe("The most that goes to the vault. Without it: what the line takes."),
  between: z
    .record(hours, rate)
    .refine(isApart, "no hour twice: two of these overlap")
    .optional()
    .describe("Other limits at hours of the day, in Amsterdam; they may cross midnight."),
  parallel: z.int().min(1).max(16).default(4).describe("So many objects at the same time."),
});

export type UploadSettings = z.output<typeof uploadSchema>;

/** The most that may go to the vault now, in bytes a second; undefined where nothing limits it. */
export function uploadBytesPerSecond(
  upload: UploadSettings | undefined,
  now: Instant,
): number | undefined {
  const minute = minuteInAmsterdam(now);
  const bits =
    Object.entries(upload?.between ?? {}).find(([text]) => {
      const written = parseHours(text);
      return written !== undefined && isIn(written, minute);
    })?.[1] ?? upload?.limit;
  return bits === undefined ? undefined : Math.floor(bits / 8);
}

const WALL = new Intl.DateTimeFormat("nl", {
  timeZone: "Europe/Amsterdam",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function minuteInAmsterdam(now: Instant): number {
  const parts = Object.fromEntries(WALL.formatToParts(now).map(({ type, value }) => [type, value]));
  const minute = Number(parts["hour"]) * 60 + Number(parts["minute"]);
  if (!Number.isInteger(minute)) throw new TypeError(`no time of day: ${isoOf(now)}`);
  return minute;
}

function isApart(between: Readonly<Record<string, number>>): boolean {
  const all = Object.keys(between).flatMap((text) => parseHours(text) ?? []);
  return all.every((one, index) =>
    all.slice(0, index).every((other) => !isIn(one, other.from) && !isIn(other, one.from)),
  );
}
