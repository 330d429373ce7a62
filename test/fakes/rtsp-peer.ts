import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createTcp, type Socket } from "node:net";
import { createServer as createTls } from "node:tls";

/** A request as the peer got it. */
interface Asked {
  readonly method: string;
  readonly url: string;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** How many of this method there have been, with this one. */
  readonly count: number;
}

/** What a peer answers: text goes as it is, with `CSeq: $` filled in; undefined is silence. */
export type Script = (asked: Asked, socket: Socket) => string | undefined;

export interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Every byte that came, frames too. */
  heard(): Buffer;
  /** Resolves with the first request of `method`, also when it has been. */
  until(method: string, count?: number): Promise<Asked>;
  readonly sockets: ReadonlySet<Socket>;
}

/** A TCP (or TLS) server that answers RTSP requests from a script, and knows nothing else. */
export async function openPeer(script: Script, tls?: { key: string; cert: string }): Promise<Peer> {
  const asked: Asked[] = [];
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      heard.push(chunk);
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        if (rest[0] === 0x24 && rest.length >= 4) {
          rest = rest.subarray(4 + rest.readUInt16BE(2));
          continue;
        }
        const end = rest.indexOf("\r\n\r\n");
        if (end < 0) return;
        const [first = "", ...lines] = rest.toString("latin1", 0, end).split("\r\n");
        rest = rest.subarray(end + 4);
        const [method = "", url = ""] = first.split(" ");
        const headers = new Map(
          lines.map((line): [string, string] => {
            const colon = line.indexOf(":");
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
          }),
        );
        const count = 1 + asked.filter((one) => one.method === method).length;
        const request = { method, url, headers, count };
        asked.push(request);
        for (const look of waiting) look();
        const text = script(request, socket);
        if (text !== undefined && socket.writable) {
          socket.write(text.replace("CSeq: $", `CSeq: ${headers.get("cseq")}`), "latin1");
        }
      }
    });
  };
  const server = tls === undefined ? createTcp(serve) : createTls(tls, serve);
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    port: address.port,
    url: `${tls === undefined ? "rtsp" : "rtsps"}://127.0.0.1:${address.port}/stream`,
    asked,
    sockets,
    heard: () => Buffer.concat(heard),
    async until(method, count = 1) {
      const found = Promise.withResolvers<Asked>();
      const look = (): void => {
        const one = asked.find((request) => request.method === method && request.count === count);
        if (one !== undefined) found.resolve(one);
      };
      waiting.add(look);
      look();
      try {
        return await found.promise;
      } finally {
        waiting.delete(look);
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** An answer with `status`, `headers` and `body`. */
export function answer(status: string, headers: readonly string[] = [], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  return `${[`RTSP/1.0 ${status}`, "CSeq: $", ...headers, ...length].join("\r\n")}\r\n\r\n${body}`;
}

export const H264 = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:trackID=0"];
export const G711 = ["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=control:trackID=1"];
export const AAC = [
  "m=audio 0 RTP/AVP 97",
  "a=rtpmap:97 mpeg4-generic/16000/1",
  "a=fmtp:97 streamtype=5; mode=AAC-hbr; config=1408; sizelength=13; indexlength=3; indexdeltalength=3",
  "a=control:trackID=1",
];

export function sdp(...media: readonly (readonly string[])[]): string {
  const session = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=x", "t=0 0", "a=control:*"];
  return `${[...session, ...media.flat()].join("\r\n")}\r\n`;
}

/** Answers like a camera in order: with `description`, channels as asked for, sessions of four seconds. */
export function camera(description: string): Script {
  return ({ method, headers }) => {
    switch (method) {
      case "OPTIONS":
        return answer("200 OK", ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER"]);
      case "DESCRIBE":
        return answer("200 OK", ["Content-Type: application/sdp"], description);
      case "SETUP":
        return answer("200 OK", [`Transport: ${headers.get("transport")}`, "Session: 7;timeout=4"]);
      default:
        return answer("200 OK", ["Session: 7"]);
    }
  };
}

/** Wants Digest of user `user` with `password` under the nonce that `nonce` gives; then asks `script`. */
export function guarded(
  script: Script,
  password: string,
  nonce: () => string,
  more: readonly string[] = [],
): Script {
  return (asked, socket) => {
    const fields = new Map(
      [...(asked.headers.get("authorization") ?? "").matchAll(/(\w+)="?([^",]*)"?/g)].map(
        ([, name = "", value = ""]) => [name, value],
      ),
    );
    const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
    const secret = md5(`user:cam:${password}`);
    const uri = md5(`${asked.method}:${asked.url}`);
    const wanted = md5(`${secret}:${nonce()}:${uri}`);
    if (fields.get("response") === wanted) return script(asked, socket);
    const stale = fields.has("nonce") && fields.get("nonce") !== nonce() ? ", stale=TRUE" : "";
    const challenge = `WWW-Authenticate: Digest realm="cam", nonce="${nonce()}"${stale}`;
    return answer("401 Unauthorized", [...more, challenge]);
  };
}
