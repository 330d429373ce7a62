import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PlaintextWindow } from "../../storage/seal/range.ts";

/** Plaintext for one program on this machine, for as long as it is held. */
export interface Served extends AsyncDisposable {
  /** Whoever has it can read the footage: never on a command line, never in a log. */
  readonly url: string;
  /** Why an answer broke off, if one did: the program that asked says less. */
  failure(): unknown;
}

/**
 * Serves `window` on loopback, at a path of 128 random bits, to requests for ranges: only what is asked
 * for is opened, and nothing is written anywhere (invariant 2).
 */
export async function servePlaintext(window: PlaintextWindow): Promise<Served> {
  const path = `/${randomBytes(16).toString("hex")}`;
  let failure: unknown;
  const server = createServer((request, response) => {
    if (request.url !== path || request.method !== "GET") {
      response.writeHead(404).end();
      return;
    }
    void answer(window, request, response).catch((error: unknown) => {
      failure ??= error;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    url: `http://127.0.0.1:${address.port}${path}`,
    failure: () => failure,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  window: PlaintextWindow,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const start = Math.min(Number(from), window.bytes);
  const end = to === "" ? window.bytes : Math.min(Number(to) + 1, window.bytes);
  if (start >= end) {
    response.writeHead(416, { "content-range": `bytes */${window.bytes}` }).end();
    return;
  }
  response.writeHead(206, {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "content-length": end - start,
    "content-range": `bytes ${start}-${end - 1}/${window.bytes}`,
  });
  try {
    await pipeline(Readable.from(window.read(start, end)), response);
  } catch (error) {
    // The program has what it wanted and asks for another place.
    if (!hungUp(error)) throw error;
  }
}

function hungUp(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
