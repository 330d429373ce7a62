import { BewaardError } from "#base/errors";
import { SECOND_MS } from "#base/time";
import type { CameraSession } from "./camera-session.ts";
import type { Message } from "./rtsp-message.ts";

/** Interleaved channels of RTP and RTCP. */
export type Channels = readonly [number, number];

/** What a camera answered to SETUP. */
export interface SetUp {
  readonly channels: Channels;
  /** Goes with every later request. */
  readonly session: string;
  /** How long the camera keeps a session of which it hears nothing: 4 to 600 s. */
  readonly timeoutMs: number;
}

/**
 * Sets up one track over TCP, interleaved, on channels not in `taken`.
 * @throws BewaardError as `ask` does; CAMERA_REFUSED for another transport than was asked for.
 */
export async function setUp(
  session: CameraSession,
  url: string,
  known: SetUp | undefined,
): Promise<SetUp> {
  const first = known === undefined ? 0 : Math.max(...known.channels) + 1;
  const transport = `Transport: RTP/AVP/TCP;unicast;interleaved=${first}-${first + 1}`;
  const headers = known === undefined ? [transport] : [transport, `Session: ${known.session}`];
  const answer = await session.ask("SETUP", url, headers);
  const channels = channelsOf(answer, [first, first + 1]);
  if (known?.channels.some((taken) => channels.includes(taken)) === true) {
    throw refused("the channels of another track");
  }
  // One session for both; many cameras say its time-out only once.
  const { session: id, timeoutMs } = known ?? sessionOf(answer);
  return { channels, session: id, timeoutMs };
}

function channelsOf({ headers }: Message, asked: Channels): Channels {
  const transport = headers.get("transport")?.[0] ?? "";
  if (!/^RTP\/AVP\/TCP\b/i.test(transport)) throw refused("another transport than TCP");
  const [, rtp, rtcp] = /;\s*interleaved=(\d{1,3})-(\d{1,3})\b/i.exec(transport) ?? [];
  if (rtp === undefined || rtcp === undefined) return asked;
  if (rtp === rtcp || Number(rtp) > 255 || Number(rtcp) > 255) throw refused("strange channels");
  return [Number(rtp), Number(rtcp)];
}

function sessionOf({ headers }: Message): { session: string; timeoutMs: number } {
  const [session = "", ...parameters] = (headers.get("session")?.[0] ?? "")
    .split(";")
    .map((one) => one.trim());
  if (!/^[!-+\--:<-~]{1,256}$/.test(session)) throw refused("no session");
  const timeout = parameters.find((one) => /^timeout=\d{1,6}$/i.test(one))?.slice(8) ?? "60";
  return { session, timeoutMs: Math.min(Math.max(Number(timeout), 4), 600) * SECOND_MS };
}

function refused(what: string): BewaardError {
  return new BewaardError("CAMERA_REFUSED", `SETUP is answered with ${what}`);
}
