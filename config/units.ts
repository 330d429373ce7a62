const SIZES: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 };

/** Reads `400 GB` as bytes (decimal, as disks are sold); undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(MB|GB|TB)$/.exec(text) ?? [];
  const size = SIZES[unit ?? ""];
  return size === undefined ? undefined : Math.round(Number(amount) * size);
}

/** Reads `1.5 days` or `72 hours` as milliseconds; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) (day|hour)s?$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return Math.round(Number(amount) * (unit === "day" ? 24 : 1) * 3_600_000);
}
