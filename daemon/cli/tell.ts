import { systemCode } from "#base/errors";

/** As a shell says of a program that SIGPIPE has ended. */
const READER_GONE = 141;

/** Writes to standard output. Who reads it may stop early (`… | head`), which is no failure of ours. */
export function tell(text: string): void {
  if (!process.stdout.listeners("error").includes(hungUp)) process.stdout.on("error", hungUp);
  process.stdout.write(text);
}

/** Ends quietly when whoever read standard output has gone; any other failure is thrown on. */
export function hungUp(error: unknown): void {
  if (systemCode(error) !== "EPIPE") throw error;
  process.exitCode = READER_GONE;
}
