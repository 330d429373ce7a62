import { BewaardError } from "#base/errors";

/** Aborted by the first SIGINT or SIGTERM: everything stops where it can be taken up again. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

/**
 * Runs a command line. A foreseen failure is told in one piece, with its code, which
 * docs/troubleshooting.md explains, and exit code 1. A bug throws, with its stack.
 */
export async function runProgram(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      process.exitCode = 130;
      return;
    }
    if (!(error instanceof BewaardError)) throw error;
    tell(error);
    process.exitCode = 1;
  }
}

function tell(error: BewaardError): void {
  process.stderr.write(`${error.code}: ${error.message}\n(docs/troubleshooting.md)\n`);
}

/** `body`'s result. Undefined, and exit code 2, when it could not be found out: no finding is not well. */
export async function checked<T>(
  signal: AbortSignal,
  body: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (signal.aborted || !(error instanceof BewaardError)) throw error;
    tell(error);
    process.exitCode = 2;
    return undefined;
  }
}

/** Prints a result: for a person, or as one JSON value for a program. */
export function print(json: boolean, value: unknown, shown: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${shown()}\n`);
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
    throw new BewaardError("DESK_INPUT", cause.message, { cause });
  }
}
