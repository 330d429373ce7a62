import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { BewaardError, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import type { Clock } from "#base/time";
import type { CameraAddress } from "./address.ts";
import { isTimeout, within } from "./within.ts";

const PORTS = { "rtsp:": 554, "rtsps:": 322 } as const;
/** How long a camera may take to accept a connection, TLS included. */
const CONNECT_MS = 5000;
const READ_BYTES = 64 * 1024;

/**
 * Connects to a camera, and passes on to `hear` what it sends, in memory that is used again when `hear`
 * returns; of rtsps its certificate has been compared before this returns, and so before a byte
 * of a request goes. The certificate counts as a whole, by its digest: no authority and no name does.
 * @throws BewaardError CAMERA_UNREACHABLE or MACHINE_BUSY (transient), or CAMERA_REFUSED for another certificate.
 */
export async function connectCamera(
  clock: Clock,
  camera: CameraAddress,
  hear: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<Socket> {
  const { protocol, hostname, port: givenPort } = new URL(camera.url);
  if (protocol !== "rtsp:" && protocol !== "rtsps:") throw refused("its url is not rtsp or rtsps");
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const port = givenPort === "" ? PORTS[protocol] : Number(givenPort);
  if (protocol === "rtsp:") {
    const socket = connectTcp({ host, port, noDelay: true, onread: readingTo(hear) });
    await established(clock, socket, "connect", signal);
    return socket;
  }
  if (camera.certificate === undefined) throw refused("rtsps without a pinned certificate");
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const how = { ...servername, rejectUnauthorized: false, onread: readingTo(hear) };
  const socket = connectTls({ host, port, ...how });
  socket.setNoDelay(true);
  await established(clock, socket, "secureConnect", signal);
  if (certificateOf(socket) !== camera.certificate) {
    socket.destroy();
    throw refused("its certificate is not the pinned one");
  }
  return socket;
}

/** A new buffer for each read would be most of what reading costs (test/bench cameras). */
function readingTo(hear: (chunk: Buffer) => void) {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  return {
    buffer,
    callback(bytes: number): boolean {
      hear(buffer.subarray(0, bytes));
      return true;
    },
  };
}

async function established(
  clock: Clock,
  socket: Socket,
  event: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await within(clock, CONNECT_MS, (waiting) => once(socket, event, { signal: waiting }), signal);
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    if (systemCode(error) === undefined && !isTimeout(error)) throw error;
    const busy = machineBusy(error);
    if (busy) throw busy;
    const message = "nothing answers at its address";
    throw new BewaardError("CAMERA_UNREACHABLE", message, { transient: true, cause: error });
  }
}

/** SHA-256 of the certificate in DER. */
function certificateOf(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return createHash("sha256").update(certificate.raw).digest("hex");
}

function refused(why: string): BewaardError {
  return new BewaardError("CAMERA_REFUSED", why);
}
