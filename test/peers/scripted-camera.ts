import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { systemClock } from "#base/system-clock";
import { HOUR_MS } from "#base/time";
import { answer } from "../../daemon/demo/simulated-answers.ts";
import {
  type CameraSettings,
  type SimulatedCamera,
  startCamera,
} from "../../daemon/demo/simulated-camera.ts";
import { filmed, heard, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { newNonce } from "../../daemon/demo/simulated-login.ts";
import type { Conduct } from "../../daemon/demo/simulated-stream.ts";

export type Fault =
  /** Its encoder hangs, its network does not: RTCP goes on. */
  | "freeze"
  /** Silence, the connection stays: a pulled cable. */
  | "mute"
  /** One in twenty packets is lost. */
  | "loss"
  /** Its clock is an hour behind. */
  | "skew"
  /** The RTP time of the next stream passes 2^32 two seconds after its start. */
  | "wrap"
  /** Another size from now on, with other parameter sets, in band. */
  | "parameters"
  /** 90 seconds without a keyframe from now on. */
  | "long group"
  /** Bytes between frames that are neither RTP nor RTSP. */
  | "garbage"
  /** The hour of its nonce is over: the next request gets a 401. */
  | "expired"
  /** Somebody changed the password. */
  | "password"
  /** Asks for the password as it is. */
  | "basic"
  /** DESCRIBE is answered with another host's address. */
  | "redirect"
  /** The description says to SETUP at another host. */
  | "foreign control"
  /** A transport stream in place of H.264, in which anything may be hidden. */
  | "mp2t"
  /** A header of 2 GB. */
  | "endless header"
  /** A description of 2 GB, announced. */
  | "endless body";

/** A camera that can be told to misbehave while it runs. */
export interface ScriptedCamera extends SimulatedCamera {
  /** One more fault, from now on. */
  turn(fault: Fault): Promise<void>;
  /** No fault any more, for this stream and those to come. */
  heal(): void;
}

export const CAMERA_LOGIN = { user: "bewaard", password: "geheim: 1/2@3" };

/** Another host than the camera, where nobody listens. */
const ELSEWHERE = "rtsp://127.0.0.2:9/stream1";

/** Starts a camera with Digest and sound; its films are made in `folder`. */
export async function openScriptedCamera(
  folder: string,
  changed: Partial<CameraSettings> = {},
): Promise<ScriptedCamera> {
  const video = changed.video ?? (await filmed(folder, SMALL_FILM));
  const sound = await heard(folder, "aac");
  const plain = { scheme: "digest", ...CAMERA_LOGIN, tls: undefined } as const;
  const camera = await startCamera(systemClock, { video, sound, ...plain, ...changed });
  const good: Conduct = { ...camera.conduct };
  const lock = { ...camera.lock };

  const faults: Readonly<Record<Fault, () => void | Promise<void>>> = {
    freeze: () => void (camera.conduct.sends = "reports"),
    mute: () => void (camera.conduct.sends = "nothing"),
    loss: () => void (camera.conduct.loses = (packet) => packet % 20 === 19),
    skew: () => void (camera.conduct.skewMs = -HOUR_MS),
    wrap: () => void (camera.conduct.firstTimestamp = 2 ** 32 - 2 * video.clockHz),
    async parameters() {
      camera.conduct.video = await filmed(folder, { ...SMALL_FILM, size: "320x240" });
    },
    async "long group"() {
      const long = { ...SMALL_FILM, seconds: 90, gop: 10_000, size: "320x180" };
      camera.conduct.video = await filmed(folder, long);
    },
    // Neither a frame nor an answer begins so.
    garbage: () => void (camera.conduct.garbage = Buffer.alloc(100, 0xee)),
    expired: () => void (camera.lock.nonce = newNonce()),
    password: () => void (camera.lock.password = "another"),
    basic: () => void (camera.lock.scheme = "basic"),
    redirect: () =>
      answerDescribe((request) => answer(request, "302 Found", [`Location: ${ELSEWHERE}`])),
    "foreign control": () =>
      void (camera.describes = (sdp) =>
        sdp.replaceAll("control:track", `control:${ELSEWHERE}/track`)),
    mp2t: () =>
      void (camera.describes = (sdp) =>
        sdp
          .replace(/m=video.*/, "m=video 0 RTP/AVP 33")
          .replaceAll(/a=(rtpmap|fmtp):96 .*\r\n/g, "")),
    "endless header": () =>
      answerDescribe((request) => answer(request, "200 OK").slice(0, -2) + "X-Endless: ", endless),
    "endless body": () =>
      answerDescribe(
        (request) => answer(request, "200 OK", [`Content-Length: ${2 ** 31 - 1}`]),
        endless,
      ),
  };

  /** Answers DESCRIBE in the camera's place; `then` may go on from there. */
  function answerDescribe(
    what: (request: Parameters<typeof answer>[0]) => string,
    then: (socket: Socket) => void = () => undefined,
  ): void {
    camera.answers = (request, socket) => {
      if (request.method !== "DESCRIBE") return false;
      socket.write(what(request));
      then(socket);
      return true;
    };
  }

  return Object.assign(camera, {
    turn: async (fault: Fault) => faults[fault](),
    heal() {
      Object.assign(camera.conduct, good);
      Object.assign(camera.lock, lock, { nonce: camera.lock.nonce });
      camera.answers = () => false;
      camera.describes = (sdp) => sdp;
    },
  });
}

/** 2 GB of the same letter, as fast as they are taken. */
function endless(socket: Socket): void {
  const block = Buffer.alloc(64 * 1024, "a");
  function* blocks(): Generator<Buffer> {
    for (let sent = 0; sent < 2 ** 31; sent += block.length) yield block;
  }
  Readable.from(blocks()).pipe(socket);
}
