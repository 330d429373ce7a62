import { challenge, isLoggedIn, type Lock } from "./simulated-login.ts";
import { describe, type Medium } from "./simulated-medium.ts";
import type { RtspRequest } from "./simulated-requests.ts";
import type { Stream } from "./simulated-stream.ts";

const METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN";

/** What an answer depends on beside the request. */
export interface Asked {
  readonly lock: Lock;
  readonly media: readonly Medium[];
  /** What DESCRIBE answers, in place of the description that is right. */
  readonly describes: (sdp: string) => string;
  readonly stream: Stream;
  readonly session: string;
}

/** Answers one request of RTSP 1.0 (RFC 2326), and does what it asks. */
export function answerTo(request: RtspRequest, asked: Asked): string {
  const { method, uri, headers } = request;
  const { lock, media, stream, session } = asked;
  const authorization = headers["authorization"];
  if (method === "OPTIONS") return answer(request, "200 OK", [`Public: ${METHODS}`]);
  if (!isLoggedIn(lock, method, authorization))
    return answer(request, "401 Unauthorized", [challenge(lock, authorization)]);
  switch (method) {
    case "DESCRIBE": {
      const lines = ["Content-Type: application/sdp", `Content-Base: ${uri.replace(/\/?$/, "/")}`];
      return answer(request, "200 OK", lines, asked.describes(describe(media)));
    }
    case "SETUP": {
      const medium = mediumOf(request, media);
      const channel = /^RTP\/AVP\/TCP.*interleaved=(\d+)/.exec(headers["transport"] ?? "")?.[1];
      if (medium === undefined) return answer(request, "404 Not Found");
      if (channel === undefined) return answer(request, "461 Unsupported Transport");
      stream.add(medium, Number(channel));
      const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${Number(channel) + 1}`;
      const lines = [`Transport: ${transport}`, `Session: ${session};timeout=60`];
      return answer(request, "200 OK", lines);
    }
    case "PLAY": {
      const info = stream
        .starts()
        .map(({ sequence, timestamp }) => `url=${uri};seq=${sequence};rtptime=${timestamp}`);
      stream.play();
      const lines = [`Session: ${session}`, "Range: npt=0.000-", `RTP-Info: ${info.join(",")}`];
      return answer(request, "200 OK", lines);
    }
    default:
      return answer(request, "200 OK", [`Session: ${session}`]);
  }
}

/** Which medium a SETUP is about. */
export function mediumOf({ uri }: RtspRequest, media: readonly Medium[]): Medium | undefined {
  return media[Number(/track(\d+)\/?$/.exec(uri)?.[1] ?? -1)];
}

/** An answer in the form of RTSP. */
export function answer(
  { headers }: RtspRequest,
  status: string,
  lines: readonly string[] = [],
  body = "",
): string {
  const all = [`RTSP/1.0 ${status}`, `CSeq: ${headers["cseq"] ?? 0}`, ...lines];
  if (body !== "") all.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${all.join("\r\n")}\r\n\r\n${body}`;
}
