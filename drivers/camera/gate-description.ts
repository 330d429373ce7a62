import type { Admitted, Track } from "./admitted.ts";

/**
 * The session description that ffmpeg gets: written from what was understood of the camera's, with nothing
 * copied that was not matched against a list, and with controls that are the gate's own.
 */
export function describeAdmitted({ video, audio }: Admitted): string {
  const lines = [
    "v=0",
    "o=- 0 0 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    "a=control:*",
    ...linesOf(video),
    ...(audio === undefined ? [] : linesOf(audio)),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function linesOf({ kind, payload, encoding, parameters }: Track): string[] {
  const fields = [...parameters].map(([name, value]) => `${name}=${value}`);
  return [
    `m=${kind} 0 RTP/AVP ${payload}`,
    `a=rtpmap:${payload} ${encoding}`,
    ...(fields.length === 0 ? [] : [`a=fmtp:${payload} ${fields.join("; ")}`]),
    `a=control:${kind}`,
  ];
}
