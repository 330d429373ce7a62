const SIZES = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
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

/** Bytes as `parseBytes` reads them. */
export function bytesText(bytes: number): string {
  return bytes >= SIZES.GB ? `${bytes / SIZES.GB} GB` : `${bytes / SIZES.MB} MB`;
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
