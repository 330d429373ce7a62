import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** A request as it passes, before anything of it is sent on. */
export interface Passing {
  readonly method: string;
  /** Path and query as they were sent: `/bucket/key?versionId=…`. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** What goes wrong with one request. */
export type Fault =
  /** Comes later. */
  | { readonly kind: "late"; readonly ms: number }
  /** Is never answered, nor passed on. */
  | { readonly kind: "silence" }
  /** The connection breaks once this many bytes of the request's body have passed. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Answered here; the server never hears of it. */
  | { readonly kind: "answer"; readonly status: number; readonly code: string }
  /** The server does it, and nobody hears that it did. */
  | { readonly kind: "answer lost" }
  /** The server does it, and its answer arrives otherwise. */
  | { readonly kind: "altered"; alter(answer: Answer): Answer };

/** Stands between a vault and its server. */
export interface S3Proxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Every request that came. */
  readonly passed: Passing[];
  /** Asked for each request; undefined lets it pass. Set by the test, and changed as it goes on. */
  fault: (passing: Passing) => Fault | undefined;
}

/** Passes everything on to `target`, an http origin on this machine, but for what `fault` says. */
export async function openS3Proxy(target: string): Promise<S3Proxy> {
  const passed: Passing[] = [];
  const proxy: { fault: S3Proxy["fault"] } = { fault: () => undefined };
  const server = createServer((asked, told) => {
    const { method = "GET", url = "/", headers, socket } = asked;
    const passing = { method, url, headers };
    passed.push(passing);
    const fault = proxy.fault(passing);
    // Whoever breaks off, here or there, is told of it by his own connection.
    handle(target, asked, told, fault).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${address.port}`,
    passed,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

async function handle(
  target: string,
  asked: IncomingMessage,
  told: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind === "silence") return;
  if (fault?.kind === "late") await sleep(fault.ms);
  if (fault?.kind === "answer") {
    asked.resume();
    told.writeHead(fault.status, { "content-type": "application/xml", connection: "close" });
    told.end(asked.method === "HEAD" ? undefined : errorXml(fault.code));
    return;
  }
  const { method, headers } = asked;
  // The Host stays the one that was signed.
  const onward = request(`${target}${asked.url}`, { method, headers, agent: false });
  const answered = once(onward, "response").then(([answer]) => {
    assert.ok(answer instanceof IncomingMessage);
    return answer;
  });
  // Where the request is broken off on purpose nobody waits for its answer.
  answered.catch(() => undefined);
  if (fault?.kind === "reset") await passSome(asked, onward, fault.afterBytes);
  else asked.pipe(onward);
  const answer = await answered;
  if (fault?.kind === "answer lost") {
    await buffer(answer);
    asked.socket.destroy();
  } else if (fault?.kind === "altered") {
    const { statusCode: status = 500, headers: plain } = answer;
    const altered = fault.alter({ status, headers: plain, body: await buffer(answer) });
    told.writeHead(altered.status, { ...altered.headers, connection: "close" });
    told.end(method === "HEAD" ? undefined : altered.body);
  } else {
    told.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(told);
  }
}

async function passSome(
  asked: IncomingMessage,
  onward: NodeJS.WritableStream & { destroy(): unknown },
  bytes: number,
): Promise<never> {
  let left = bytes;
  for await (const chunk of asked as AsyncIterable<Buffer>) {
    onward.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break;
  }
  onward.destroy();
  throw new Error("reset, as asked");
}

function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>as asked</Message></Error>`;
}
