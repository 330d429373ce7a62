import { on } from "node:events";
import { type Command, CommanderError } from "commander";
import { BewaardError } from "#base/errors";
import { printableJson, printableText } from "#base/printable";
import { usageError } from "./command.ts";
import { ERROR_SAYS } from "./error-says.ts";
import { tell, tellSurely } from "./tell.ts";

/** Exit codes (docs/operations.md). 0: done and well. */
const FAILED = 1;
const USAGE = 2;
/** Whether it is well could not be found out. */
const UNCHECKED = 2;
const INTERRUPTED = 130;

/** Aborted by the first SIGINT or SIGTERM: everything stops where it can be taken up again. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

/** Yields at each SIGHUP, until the signal aborts. From the first look on, SIGHUP ends this process no more. */
export async function* hangUps(signal: AbortSignal): AsyncGenerator<void, void, undefined> {
  try {
    for await (const _ of on(process, "SIGHUP", { signal })) yield;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * Runs a command line. A foreseen failure is told in one piece, with its code, which
 * docs/troubleshooting.md explains, or with --json as one object; exit code 1, or 2 for a command that
 * was not understood. A bug throws, with its stack.
 */
export async function runProgram(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      process.exitCode = INTERRUPTED;
      return;
    }
    // Help that was asked for ends this way too.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const failure = error instanceof CommanderError ? usageError(error) : error;
    if (!(failure instanceof BewaardError)) throw error;
    process.stderr.write(told(failure, program.opts<{ json?: boolean }>().json === true));
    process.exitCode = failure.code === "USAGE" || failure.code === "DESK_INPUT" ? USAGE : FAILED;
  }
}

/**
 * `body`'s result. Undefined, and exit code 2, when it could not be found out: no finding is not well.
 */
export async function checked<T>(
  signal: AbortSignal,
  json: boolean,
  body: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (signal.aborted || !(error instanceof BewaardError)) throw error;
    process.stderr.write(told(error, json));
    process.exitCode = UNCHECKED;
    return undefined;
  }
}

function told({ code, message, transient }: BewaardError, json: boolean): string {
  if (json) return `${printableJson({ code, message, transient })}\n`;
  return printableText(`${code}: ${ERROR_SAYS[code]}\n${message}\n(docs/troubleshooting.md)\n`);
}

/** Prints a result: for a person, or as one JSON value for a program. */
export function print(json: boolean, value: unknown, shown: () => string): void {
  tell(printable(json, value, shown));
}

/** As `print`, for what is shown once: resolves when it was. @throws BewaardError USAGE when it could not be. */
export function printSurely(json: boolean, value: unknown, shown: () => string): Promise<void> {
  return tellSurely(printable(json, value, shown));
}

function printable(json: boolean, value: unknown, shown: () => string): string {
  return json ? `${printableJson(value)}\n` : `${printableText(shown())}\n`;
}

/**
 * Reads what somebody typed with the parser of its type.
 * @throws BewaardError DESK_INPUT that says what was expected.
 */
export function typed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    const message = `"${text}" past hier niet / does not fit here: ${cause.message}`;
    throw new BewaardError("DESK_INPUT", message, { cause });
  }
}

/** A whole number that is not negative. @throws RangeError for anything else. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new RangeError("not a whole number");
}
