import type { Looks } from "../../storage/catalog/bodycams.ts";

// What makers write where a serial belongs (field experience): a row of keys of the keyboard, one digit over
// and over, or that there is none.
const ROWS = ["0123456789ABCDEF", "1234567890ABCDEF", "9876543210"].map((row) => row.repeat(2));
const WORDS =
  /^(?:NONE|N\/?A|NULL|DEFAULT|UNKNOWN|SERIAL ?(?:NUMBER|NO)?|TO BE FILLED.*|DISK|USB.*)$/;

/** Whether `serial` is one that every camera of a model may have. */
export function isPlaceholder(serial: string | null): boolean {
  const text = (serial ?? "").trim().toUpperCase();
  // Three characters tell a thousand cameras apart at most, and are mostly a version.
  if (text.length < 4) return true;
  if (WORDS.test(text)) return true;
  const digits = text.replace(/[^0-9A-Z]/g, "");
  return /^(.)\1*$/.test(digits) || ROWS.some((row) => row.includes(digits));
}

/** Whether anything at all tells this camera from another of its model. */
export function isItself({ serial, volume }: Pick<Looks, "serial" | "volume">): boolean {
  return !isPlaceholder(serial) || (volume !== null && /[^0-]/.test(volume));
}
