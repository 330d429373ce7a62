import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { systemClock } from "#base/system-clock";
import type { Clock } from "#base/time";
import type { CameraAddress } from "../../drivers/camera/address.ts";
import { type Gate, openGate } from "../../drivers/camera/gate.ts";

/** Of a deadline that is hurried. */
const STEP_MS = 20;

export const PASSWORD = "geheim-9";

/**
 * A second of a deadline passes in a fifth, but in small steps: a busy machine that holds this process up would
 * otherwise be the silent camera, whose answer is there and is not read before the deadline is over.
 */
export const hurried: Clock = {
  ...systemClock,
  async sleep(ms, signal) {
    for (let leftMs = ms / 5; leftMs > 0; leftMs -= STEP_MS)
      await systemClock.sleep(Math.min(leftMs, STEP_MS), signal);
  },
};

export function address(url: string, more: Partial<CameraAddress> = {}): CameraAddress {
  const login = { user: "user", password: PASSWORD };
  return { url, login, basic: false, certificate: undefined, sound: false, ...more };
}

/** How opening a gate to a camera fails; undefined when it does not. */
export async function refusal(camera: CameraAddress, clock: Clock = systemClock): Promise<unknown> {
  try {
    await using _ = await openGate(clock, camera, new AbortController().signal);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A gate whose reader is this process, such as a client made here. */
export async function openGateForUs(
  clock: Clock,
  camera: CameraAddress,
  signal: AbortSignal,
): Promise<Gate> {
  const gate = await openGate(clock, camera, signal);
  gate.admit(process.pid, () => assert.fail("an intruder"));
  return gate;
}

/** Speaks RTSP to a gate, as plainly as can be. */
export interface Client extends Disposable {
  /** Sends a request for `url` and resolves with what comes until it is answered, or the connection ends. */
  ask(method: string, url: string, headers?: readonly string[]): Promise<string>;
  /** Resolves when `bytes` bytes have come since the last answer, or at the end. */
  frames(bytes: number): Promise<Buffer>;
  /** Reads nothing any more. */
  mute(): void;
  readonly ended: Promise<unknown>;
}

export async function openClient(url: string): Promise<Client> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let got = Buffer.alloc(0);
  let look = (): void => undefined;
  const ended = once(socket, "close");
  socket.on("data", (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
    look();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => look());
  await once(socket, "connect");
  async function until(enough: () => number | undefined): Promise<Buffer> {
    const found = Promise.withResolvers<number>();
    look = () => {
      const end = enough();
      if (end !== undefined) found.resolve(end);
      else if (socket.closed) found.resolve(got.length);
    };
    look();
    const end = await found.promise;
    const part = got.subarray(0, end);
    got = got.subarray(end);
    return part;
  }
  return {
    ended,
    async ask(method, asked, headers = []) {
      socket.write(
        `${[`${method} ${asked} RTSP/1.0`, "CSeq: 1", ...headers].join("\r\n")}\r\n\r\n`,
      );
      const answer = await until(() => {
        const end = got.indexOf("\r\n\r\n");
        if (end < 0) return undefined;
        const length = /Content-Length: (\d+)/.exec(got.toString("latin1", 0, end))?.[1] ?? "0";
        const whole = end + 4 + Number(length);
        return got.length < whole ? undefined : whole;
      });
      return answer.toString("latin1");
    },
    frames: (bytes) => until(() => (got.length < bytes ? undefined : bytes)),
    mute: () => void socket.pause(),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

export const TCP = ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"];
