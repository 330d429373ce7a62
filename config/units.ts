const SIZES = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
const RATES = { kbit: 1e3, Mbit: 1e6, Gbit: 1e9 } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Reads `400 GB` as bytes (decimal, as disks are sold); undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(MB|GB|TB)$/.exec(text) ?? [];
  if (unit !== "MB" && unit !== "GB" && unit !== "TB") return undefined;
  return whole(Number(amount) * SIZES[unit]);
}

/** Reads `1.5 days` or `72 hours` as milliseconds; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) (day|hour)s?$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return whole(Number(amount) * (unit === "day" ? DAY_MS : HOUR_MS));
}

/** Reads `40 Mbit/s` as bits a second (decimal, as lines are sold); undefined for anything else. */
export function parseRate(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(kbit|Mbit|Gbit)\/s$/.exec(text) ?? [];
  if (unit !== "kbit" && unit !== "Mbit" && unit !== "Gbit") return undefined;
  return whole(Number(amount) * RATES[unit]);
}

/** Part of a day: minutes since midnight, and the end is no part of it. It may go on past midnight. */
export interface Hours {
  readonly from: number;
  readonly until: number;
}

/** Reads `07:00-19:00` or `22:00-06:00`; undefined for anything else, and for a whole day. */
export function parseHours(text: string): Hours | undefined {
  const [from, until] = text.split("-", 2).map(minuteOf);
  const isHours = from !== undefined && until !== undefined && text.split("-").length === 2;
  // The end of a day is the beginning of the next.
  return isHours && from % DAY_MINUTES !== until % DAY_MINUTES
    ? { from: from % DAY_MINUTES, until: until % DAY_MINUTES }
    : undefined;
}

/** Whether `minute` since midnight is in those hours. */
export function isIn({ from, until }: Hours, minute: number): boolean {
  return from < until ? minute >= from && minute < until : minute >= from || minute < until;
}

const DAY_MINUTES = 24 * 60;

function minuteOf(text: string): number | undefined {
  const [, hour, minute] = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  return minutes <= DAY_MINUTES ? minutes : undefined;
}

/** Bytes as `parseBytes` reads them. */
export function bytesText(bytes: number): string {
  return bytes >= SIZES.GB ? `${bytes / SIZES.GB} GB` : `${bytes / SIZES.MB} MB`;
}

/** Bits a second as `parseRate` reads them. */
export function rateText(bits: number): string {
  return bits >= RATES.Mbit ? `${bits / RATES.Mbit} Mbit/s` : `${bits / RATES.kbit} kbit/s`;
}

/** Milliseconds as `parseDurationMs` reads them: whole days as days, anything else as hours. */
export function durationText(ms: number): string {
  const [amount, unit] = ms % DAY_MS === 0 ? [ms / DAY_MS, "day"] : [ms / HOUR_MS, "hour"];
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}

/** What cannot be counted exactly is no size and no time. */
function whole(amount: number): number | undefined {
  const rounded = Math.round(amount);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
