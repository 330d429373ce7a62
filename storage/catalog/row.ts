import { type Instant, instant } from "#base/time";
import type { SqlRow } from "./sqlite.ts";

// SQL rows are parsed once, here, on the way in. A wrong type is a bug in a query, so these throw TypeError.

export function text(row: SqlRow | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} is not text`);
  return value;
}

export function number(row: SqlRow | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== "number") throw new TypeError(`column ${column} is not a number`);
  return value;
}

export function moment(row: SqlRow | undefined, column: string): Instant {
  return instant(number(row, column));
}

export function bytes(row: SqlRow | undefined, column: string): Buffer {
  const value = row?.[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} is not a blob`);
  return Buffer.from(value);
}

/** `read`'s value, or undefined where the column is null. */
export function optional<T>(
  row: SqlRow | undefined,
  column: string,
  read: (row: SqlRow | undefined, column: string) => T,
): T | undefined {
  return row?.[column] === null ? undefined : read(row, column);
}
