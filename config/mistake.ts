import { BewaardError, type ErrorCode } from "#base/errors";
import { printable } from "#base/printable";

/** Something in a file of the configuration that is not as it should be. */
export interface Mistake {
  readonly code: Extract<ErrorCode, "CONFIG_INVALID" | "CONFIG_MISSING" | "POLICY_WIDENED">;
  readonly file: string;
  /** From 1, as editors count. */
  readonly line: number;
  readonly column: number;
  /** The key, dotted; empty for the file as a whole. */
  readonly where: string;
  /** What is wrong and what to write instead. Never a value: it may be a secret in the wrong place. */
  readonly what: string;
}

/** More than this many say no more than this many. */
const SHOWN = 100;

/** `file:line:column: where: what`, one a line, in the order of the files. */
export function shownMistakes(mistakes: readonly Mistake[]): string {
  const lines = mistakes.slice(0, SHOWN).map(({ file, line, column, where, what }) => {
    const key = where === "" ? "" : `${printable(Buffer.from(where))}: `;
    return `${printable(Buffer.from(file))}:${line}:${column}: ${key}${what}`;
  });
  const more = mistakes.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join("\n");
}

/** The value that has no mistakes. @throws BewaardError with all of them, under the code of the first. */
export function accepted<T>({
  value,
  mistakes,
}: {
  readonly value: T | undefined;
  readonly mistakes: readonly Mistake[];
}): T {
  const [first] = mistakes;
  if (first) throw new BewaardError(first.code, shownMistakes(mistakes));
  if (value === undefined) throw new TypeError("what has no mistakes has a value");
  return value;
}
