import { BewaardError, systemCode } from "#base/errors";

/** As a shell says of a program that SIGPIPE has ended. */
const READER_GONE = 141;

/** Writes to standard output. Who reads it may stop early (`… | head`), which is no failure of ours. */
export function tell(text: string): void {
  if (!process.stdout.listeners("error").includes(hungUp)) process.stdout.on("error", hungUp);
  process.stdout.write(text);
}

/**
 * As `tell`, for what is shown once: resolves when the system has taken all of it.
 * @throws BewaardError USAGE when it has not, as when nobody reads any more.
 */
export async function tellSurely(text: string): Promise<void> {
  const written = Promise.withResolvers<void>();
  // It comes as an event as well, which would end us.
  process.stdout.once("error", written.reject);
  process.stdout.write(text, (error) => (error ? written.reject(error) : written.resolve()));
  try {
    await written.promise;
  } catch (cause) {
    const message = `niet te tonen / cannot be shown (${systemCode(cause)}): standard output`;
    throw new BewaardError("USAGE", message, { cause });
  }
}

/** Ends quietly when whoever read standard output has gone; any other failure is thrown on. */
export function hungUp(error: unknown): void {
  if (systemCode(error) !== "EPIPE") throw error;
  process.exitCode = READER_GONE;
}
