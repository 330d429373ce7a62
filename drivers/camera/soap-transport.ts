import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, IncomingMessage } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { deadline } from "#base/deadline";
import { BewaardError, systemCode } from "#base/errors";

// How a question about a camera reaches it. Not fetch: that follows redirects, keeps connections, and knows
// no certificate but those of the web.

/** For a whole answer, from connecting to its last byte: one that drips ends too. */
const PATIENCE_MS = 5000;
const ANSWER_LIMIT_BYTES = 1024 * 1024;
const HEADER_LIMIT_BYTES = 16 * 1024;

/** What a camera answered, as it came: its status is not looked at. */
export interface SoapAnswer {
  readonly status: number;
  /** Each `WWW-Authenticate` line. */
  readonly challenges: readonly string[];
  /** Empty where the status says that there is nothing to read. */
  readonly text: string;
  /** Address that answered. */
  readonly from: string;
}

/**
 * Sends `envelope` to `url`, which is http, or https with the pinned certificate; on a connection of its own.
 * @throws BewaardError CAMERA_UNREACHABLE, CAMERA_STALLED and CAMERA_LOST, all transient; CAMERA_REFUSED for
 * another certificate and for a redirect; CAMERA_STREAM for what is no XML, or too large.
 */
export async function postSoap(
  url: URL,
  certificate: string | undefined,
  envelope: string,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<SoapAnswer> {
  const whole = deadline(PATIENCE_MS, signal);
  const connection = await connected(url, certificate, whole).catch((error: unknown) => {
    throw failure(error, "CAMERA_UNREACHABLE", "CAMERA_UNREACHABLE", signal, whole);
  });
  try {
    return await exchange(connection, url, envelope, authorization, whole);
  } catch (error) {
    throw failure(error, "CAMERA_STALLED", "CAMERA_LOST", signal, whole);
  } finally {
    connection.destroy();
  }
}

async function connected(
  url: URL,
  certificate: string | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "http:") {
    const socket = connectTcp({ host, port: Number(url.port || 80) });
    return ready(socket, "connect", signal);
  }
  if (certificate === undefined) {
    throw new BewaardError("CAMERA_REFUSED", "https without a certificate to hold it to");
  }
  // No authority signs for a camera: the pinned fingerprint is compared before anything is sent.
  const port = Number(url.port || 443);
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  await ready(socket, "secureConnect", signal);
  const shown = createHash("sha256").update(socket.getPeerCertificate().raw).digest("hex");
  if (shown === certificate) return socket;
  socket.destroy();
  throw new BewaardError("CAMERA_REFUSED", "it shows another certificate than the pinned one");
}

async function ready(socket: Socket, event: string, signal: AbortSignal): Promise<Socket> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function exchange(
  connection: Socket,
  url: URL,
  envelope: string,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<SoapAnswer> {
  const request = httpRequest({
    createConnection: () => connection,
    host: url.hostname,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    method: "POST",
    maxHeaderSize: HEADER_LIMIT_BYTES,
    headers: {
      "Content-Type": "application/soap+xml; charset=utf-8",
      "Content-Length": Buffer.byteLength(envelope),
      Connection: "close",
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    },
    signal,
  });
  // Whoever reads the answer hears of it; without a listener it would end the process as well.
  request.on("error", () => undefined);
  const answered = once(request, "response", { signal });
  request.end(envelope);
  const response: unknown = (await answered)[0];
  if (!(response instanceof IncomingMessage)) throw new TypeError("not a response");
  const { statusCode: status = 0, headersDistinct: headers } = response;
  if (status >= 300 && status < 400) {
    throw new BewaardError("CAMERA_REFUSED", "it sends us on to another address (redirect)");
  }
  const challenges = headers["www-authenticate"] ?? [];
  const from = connection.remoteAddress ?? "";
  // The page that says "log in" in a browser's words is nothing to read.
  if (status === 401 && !isXml(response)) return { status, challenges, text: "", from };
  return { status, challenges, text: await xmlOf(response, status), from };
}

function isXml({ headers }: IncomingMessage): boolean {
  return /^\s*(?:application\/soap\+xml|(?:text|application)\/xml)\s*(?:;|$)/i.test(
    headers["content-type"] ?? "",
  );
}

async function xmlOf(response: IncomingMessage, status: number): Promise<string> {
  if (!isXml(response)) {
    throw new BewaardError("CAMERA_STREAM", `its answer is no XML (HTTP status ${status})`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) throw new TypeError("not a Buffer");
    bytes += chunk.length;
    if (bytes > ANSWER_LIMIT_BYTES) {
      throw new BewaardError("CAMERA_STREAM", "its answer is larger than 1 MiB");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What went wrong, as one of ours; a bug as it is, and when it was us who stopped, that. */
function failure(
  error: unknown,
  late: "CAMERA_STALLED" | "CAMERA_UNREACHABLE",
  lost: "CAMERA_LOST" | "CAMERA_UNREACHABLE",
  signal: AbortSignal,
  whole: AbortSignal,
): unknown {
  if (error instanceof BewaardError) return error;
  if (signal.aborted) return signal.reason;
  const options = { transient: true, cause: error };
  if (whole.aborted) {
    return new BewaardError(late, `no whole answer in ${PATIENCE_MS / 1000} s`, options);
  }
  const code = systemCode(error);
  if (code === undefined) return error;
  if (code.startsWith("HPE_")) {
    return new BewaardError("CAMERA_STREAM", `what answers does not speak HTTP (${code})`);
  }
  return new BewaardError(lost, `the connection failed (${code})`, options);
}
