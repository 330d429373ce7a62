import { BewaardError, systemCode } from "./errors.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);
/** What the kernel answers a program that is wrong: a file it had closed, a name that it gave away twice. */
const OUR_OWN = new Set(["EBADF", "EEXIST", "EFAULT"]);
/** As the kernel names them, and as Node does where it looked first; Node's other ones (ERR_…) are bugs. */
const SYSTEM = /^(?:ERR_FS_)?E[A-Z0-9]+$/;

/** Whether a disk answered that it has no room: it may have some again soon. */
export function isFull(error: unknown): boolean {
  if (error instanceof BewaardError) return error.code === "SPOOL_FULL";
  return FULL.has(systemCode(error) ?? "");
}

/**
 * What a local disk does in the field, as errors that pass: SPOOL_FULL and SPOOL_IO. A disk has more ways to
 * refuse than anybody lists, and none of them may end recording. Anything else, a bug, is given back as it is.
 */
export function diskError(error: unknown, doing: string): unknown {
  const code = systemCode(error);
  if (error instanceof BewaardError || code === undefined) return error;
  const options = { transient: true, cause: error };
  if (FULL.has(code)) return new BewaardError("SPOOL_FULL", `no room left while ${doing}`, options);
  if (!SYSTEM.test(code) || OUR_OWN.has(code)) return error;
  return new BewaardError("SPOOL_IO", `the disk refuses (${code}) while ${doing}`, options);
}
