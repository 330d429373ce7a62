import type { BewaardError, ErrorCode } from "#base/errors";

/** Why a camera was not recorded, in its gaps (docs/format.md), by what failed. */
const CAUSES: Partial<Readonly<Record<ErrorCode, string>>> = {
  CAMERA_LOGIN: "camera-login",
  CAMERA_LOST: "camera-lost",
  CAMERA_REFUSED: "camera-refused",
  CAMERA_STALLED: "camera-stalled",
  CAMERA_STREAM: "camera-stream",
  CAMERA_UNREACHABLE: "camera-unreachable",
  MACHINE_BUSY: "machine-busy",
  SECRET_EXPOSED: "camera-login",
  SECRET_MISSING: "camera-login",
  SPOOL_FULL: "spool-full",
  SPOOL_IO: "spool-io",
  TOOL_MISSING: "tool-missing",
  TOOL_NOT_STARTED: "tool-not-started",
};

/** Recorded, but not to be relied on: a camera, or its network, left something out (decision 0023). */
export const PACKETS_LOST = "packets-lost";

/** The cause of a gap for `error`; undefined for what has no business to fail here: a bug. */
export function causeOf({ code }: BewaardError): string | undefined {
  return CAUSES[code];
}
