/** What a simulated camera sends over and over: one picture or piece of sound after the other, ready for RTP. */
export interface Medium {
  readonly kind: "video" | "audio";
  readonly payloadType: number;
  /** Of its RTP timestamps. */
  readonly clockHz: number;
  /** How long one unit lasts, in parts of `clockHz`. */
  readonly ticks: number;
  readonly units: readonly Unit[];
  /** How the SDP describes it: its `a=` lines. */
  readonly lines: readonly string[];
}

/** One access unit: the payloads of the RTP packets that carry it. */
export interface Unit {
  readonly packets: readonly Uint8Array[];
}

/** What a camera answers to DESCRIBE. */
export function describe(media: readonly Medium[]): string {
  const session = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=simulated", "t=0 0", "a=control:*"];
  const blocks = media.flatMap(({ kind, payloadType, lines }, track) => [
    `m=${kind} 0 RTP/AVP ${payloadType}`,
    "c=IN IP4 0.0.0.0",
    ...lines,
    `a=control:track${track}`,
  ]);
  return [...session, ...blocks, ""].join("\r\n");
}
