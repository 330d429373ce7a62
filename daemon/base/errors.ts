import { constants } from "node:os";

/** Stable identifiers. Operators grep for them and docs/troubleshooting.md has a heading for each; never rename one. */
export const ERROR_CODES = [
  "BACKUP_BROKEN",
  "BACKUP_NOT_FOUND",
  "BODYCAM_ALIKE",
  "BODYCAM_REFUSED",
  "CAMERA_LOGIN",
  "CAMERA_LOST",
  "CAMERA_REFUSED",
  "CAMERA_STALLED",
  "CAMERA_STREAM",
  "CAMERA_UNREACHABLE",
  "CARD_MOUNT",
  "CARD_READ",
  "CATALOG_BUSY",
  "CATALOG_DAMAGED",
  "CATALOG_EXISTS",
  "CATALOG_FULL",
  "CATALOG_IO",
  "CATALOG_NESTED_TRANSACTION",
  "CATALOG_RULE",
  "CATALOG_VERSION",
  "CLIP_FAILED",
  "CLOCK_DISAGREES",
  "CONFIG_INVALID",
  "CONFIG_MISSING",
  "CONFIG_UNAPPROVED",
  "CONTROL_REFUSED",
  "CONTROL_UNREACHABLE",
  "DESK_CHAIN_BROKEN",
  "DESK_FORBIDDEN",
  "DESK_INPUT",
  "DESK_KEY",
  "DESK_NOT_FOUND",
  "DESK_TAMPERED",
  "DUTY_NOT_FOUND",
  "HELPER_KEY",
  "LEASE_HELD",
  "LEDGER_BROKEN",
  "LEDGER_DIVERGED",
  "LEDGER_NOT_FOUND",
  "MACHINE_BUSY",
  "MANIFEST_LIES",
  "MEDIUM_DESTROYED",
  "NODE_KEY",
  "ORDER_REFUSED",
  "POLICY_NOT_IN_FORCE",
  "POLICY_WIDENED",
  "PROOF_INVALID",
  "RECIPIENT_INVALID",
  "RECIPIENT_MISSING",
  "RECIPIENT_MIXED",
  "SEAL_BROKEN",
  "SEAL_NOT_FOR_US",
  "SECRET_EXPOSED",
  "SECRET_MISSING",
  "SOURCE_CHANGED",
  "SOURCE_IRREGULAR",
  "SOURCE_TOO_LARGE",
  "SPOOL_FULL",
  "SPOOL_IDENTITY",
  "SPOOL_IO",
  "SPOOL_OWNER",
  "SPOOL_VERSION",
  "TIMESTAMP_REFUSED",
  "TIMESTAMP_UNAVAILABLE",
  "TOOL_MISSING",
  "TOOL_NOT_STARTED",
  "USAGE",
  "VAULT_CONFLICT",
  "VAULT_CORRUPT",
  "VAULT_DENIED",
  "VAULT_FULL",
  "VAULT_HELD",
  "VAULT_IDENTITY",
  "VAULT_LOCKED",
  "VAULT_NOT_FOUND",
  "VAULT_NO_HOLDS",
  "VAULT_OUTSIDE_EEA",
  "VAULT_UNAVAILABLE",
  "VAULT_VERSION",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A failure this program foresaw. Anything else that is thrown is a bug and ends the process. */
export class BewaardError extends Error {
  override readonly name = "BewaardError";
  readonly code: ErrorCode;
  /** True when trying the same thing again later may succeed. */
  readonly transient: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { transient?: boolean; cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.transient = options.transient ?? false;
  }
}

/** Whether it says only that somebody's signal was aborted. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

const UNNAMED = /^Unknown system error -(\d+)$/;

/**
 * The `code` of a system error such as ENOENT, or undefined for anything else that was thrown. What Node has
 * no name for is given its own (EDQUOT, ESTALE), or its number (E117).
 */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  if (typeof error.code !== "string") return undefined;
  const [, number] = UNNAMED.exec(error.code) ?? [];
  if (number === undefined) return error.code;
  const named = Object.entries(constants.errno).find(([, one]) => one === Number(number));
  return named?.[0] ?? `E${number}`;
}
