import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import type { Message } from "./rtsp-message.ts";

/** What the gate lets its one reader ask. */
export interface Offered {
  readonly description: string;
  /** Interleaved channels by the last part of a control, `video` or `audio`. */
  readonly channels: ReadonlyMap<string, readonly [number, number]>;
  /** Starts the camera. Frames may go to the reader once it has been answered. */
  play(tracks: readonly string[]): Promise<void>;
  /** Called when that is so. */
  readonly begin: (reader: Socket) => void;
}

/** Answers one request: for everything (``), or for the track `asked`. */
type Answer = (request: Message, asked: string) => Promise<void>;

/** The answers for the one reader, on `socket`. To be called in turn. */
export function openAnswers(socket: Socket, offered: Offered): Answer {
  const session = randomBytes(8).toString("hex");
  const tracks = new Set<string>();
  return async (request, asked) => {
    const reply = (status: string, headers: readonly string[] = [], body = ""): void => {
      const number = /^\d{1,10}$/.exec(request.headers.get("cseq")?.[0] ?? "")?.[0] ?? "0";
      const lines = [`RTSP/1.0 ${status}`, `CSeq: ${number}`, ...headers];
      if (socket.writable) socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    };
    const inSession = `Session: ${session};timeout=60`;
    switch (request.method) {
      case "OPTIONS":
        reply("200 OK", ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"]);
        return;
      case "DESCRIBE": {
        const length = `Content-Length: ${Buffer.byteLength(offered.description)}`;
        reply("200 OK", ["Content-Type: application/sdp", length], offered.description);
        return;
      }
      case "SETUP": {
        const channels = offered.channels.get(asked);
        const tcp = /^RTP\/AVP\/TCP\b/i.test(request.headers.get("transport")?.[0] ?? "");
        if (channels === undefined) reply("404 Not Found");
        else if (!tcp) reply("461 Unsupported Transport");
        else {
          tracks.add(asked);
          const between = `interleaved=${channels.join("-")}`;
          reply("200 OK", [`Transport: RTP/AVP/TCP;unicast;${between}`, inSession]);
        }
        return;
      }
      case "PLAY":
        try {
          await offered.play([...tracks]);
        } catch (error) {
          if (!(error instanceof BewaardError)) throw error;
          reply("503 Service Unavailable");
          socket.end();
          return;
        }
        reply("200 OK", [inSession]);
        offered.begin(socket);
        return;
      case "GET_PARAMETER":
        reply("200 OK", [inSession]);
        return;
      case "TEARDOWN":
        reply("200 OK", [inSession]);
        socket.end();
        return;
      default:
        reply("501 Not Implemented");
    }
  };
}
