/**
 * The socket behind which systemd runs ffprobe for this service, as its unit says (docs/decisions/0033); undefined where this
 * process is to start it itself.
 */
export function servedFfprobe(): string | undefined {
  return process.env["BEWAARD_FFPROBE"];
}
