// What systemd runs for a service, and where, as its unit says (docs/decisions/0033).

/** The socket behind which ffprobe is; undefined where this process is to start it itself. */
export function servedFfprobe(): string | undefined {
  return process.env["BEWAARD_FFPROBE"];
}

/** Where core answers the dock, and where the recorder; undefined where that is beside its control socket (docs/decisions/0035). */
export function servedKnown(): string | undefined {
  return process.env["BEWAARD_KNOWN"];
}
export function servedRoom(): string | undefined {
  return process.env["BEWAARD_ROOM"];
}

/** ffmpeg behind a socket of its own, and where it finds what it is to read. */
export interface ServedFfmpeg {
  readonly socket: string;
  /** The number of an open file: a socket that listens; undefined when none came along. */
  readonly gate: number | undefined;
}

/** systemd hands files over from this number on (sd_listen_fds(3)). */
const FIRST = 3;

/** Undefined where this process is to start ffmpeg itself. */
export function servedFfmpeg(): ServedFfmpeg | undefined {
  const socket = process.env["BEWAARD_FFMPEG"];
  if (socket === undefined) return undefined;
  const isOurs = process.env["LISTEN_PID"] === String(process.pid);
  const names = (process.env["LISTEN_FDNAMES"] ?? "").split(":");
  const nth = isOurs ? names.indexOf("gate") : -1;
  return { socket, gate: nth < 0 ? undefined : FIRST + nth };
}
