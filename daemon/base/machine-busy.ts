import { BewaardError, systemCode } from "#base/errors";

/** System errors of a machine that has no more of something, for this user or this process. */
const SPENT: Readonly<Record<string, string>> = {
  EAGAIN: "processes",
  EMFILE: "open files",
  ENFILE: "open files",
  ENOBUFS: "memory",
  ENOMEM: "memory",
};

/**
 * MACHINE_BUSY (transient) for a system error that says so; undefined for any other. Whatever was to be
 * connected to or started has no part in it: nobody should go and look there.
 */
export function machineBusy(cause: unknown): BewaardError | undefined {
  const code = systemCode(cause) ?? "";
  const what = Object.hasOwn(SPENT, code) ? SPENT[code] : undefined;
  if (what === undefined) return undefined;
  const message = `this machine has no more ${what} for it (${code})`;
  return new BewaardError("MACHINE_BUSY", message, { transient: true, cause });
}
