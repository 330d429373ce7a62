import { BewaardError, systemCode } from "./errors.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);
const REFUSES = new Set([
  "EIO",
  "EROFS",
  "ENOENT",
  "ENODEV",
  "ESTALE",
  "EMFILE",
  "ENFILE",
  "EACCES",
]);

/**
 * What a local disk does in the field, as errors that pass: SPOOL_FULL and SPOOL_IO. Anything else, a bug
 * among them, is given back as it is.
 */
export function diskError(error: unknown, doing: string): unknown {
  const code = systemCode(error);
  if (error instanceof BewaardError || code === undefined) return error;
  const options = { transient: true, cause: error };
  if (FULL.has(code)) return new BewaardError("SPOOL_FULL", `no room left while ${doing}`, options);
  if (!REFUSES.has(code)) return error;
  return new BewaardError("SPOOL_IO", `the disk refuses (${code}) while ${doing}`, options);
}
