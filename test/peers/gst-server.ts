import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("./gst-server.py", import.meta.url));

/** What a camera of the server films. `b-frames` and `long` (90 seconds without a keyframe) are H.264. */
type GstFilm = "h264" | "h265" | "b-frames" | "long";

export interface GstCamera {
  readonly film: GstFilm;
  readonly sound: "aac" | "pcma" | undefined;
}

/** Debian's gst-rtsp-server, which others wrote: what it and our own cameras agree on is RTSP. */
export interface GstServer extends AsyncDisposable {
  /** One for each camera, without a login. */
  readonly urls: readonly string[];
  /** The file that each camera plays, in MP4. */
  readonly films: readonly string[];
  readonly pid: number;
}

const ENCODERS: Readonly<Record<GstFilm, readonly string[]>> = {
  h264: ["-c:v", "libx264", "-bf", "0", "-g", "25"],
  h265: [
    "-c:v",
    "libx265",
    "-x265-params",
    "keyint=25:bframes=0:log-level=error",
    "-tag:v",
    "hvc1",
  ],
  "b-frames": ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25"],
  long: ["-c:v", "libx264", "-bf", "0", "-g", "10000", "-sc_threshold", "0"],
};
const SOUNDS = {
  aac: ["-c:a", "aac", "-ar", "16000"],
  pcma: ["-c:a", "pcm_alaw", "-ar", "8000", "-f", "alaw"],
} as const;

/** Films in `folder` and serves it, with Digest where there is a login. */
export async function startGstServer(
  folder: string,
  cameras: readonly GstCamera[],
  login: { readonly user: string; readonly password: string } | undefined,
): Promise<GstServer> {
  const films: string[] = [];
  const served = [];
  for (const [index, { film, sound }] of cameras.entries()) {
    const picture = "testsrc2=size=640x360:rate=25";
    const input = ["-t", film === "long" ? "90" : "4", "-i", picture, "-pix_fmt", "yuv420p"];
    const encoder = ["-preset", "ultrafast", ...ENCODERS[film]];
    const path = await made(folder, `${film}.mp4`, [...input, ...encoder]);
    films.push(path);
    const codec = film === "h265" ? "h265" : "h264";
    served.push({
      path: `/${film}/${index + 1}`,
      codec,
      film: path,
      sound: sound ? { codec: sound, file: await soundOf(folder, sound) } : null,
    });
  }
  const args = [PROGRAM, login?.user ?? "", login?.password ?? ""];
  // Debian's own: only that has the bindings.
  const child = spawn("/usr/bin/python3", args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write(`${JSON.stringify(served)}\n`);
  const port = await portOf(child.stdout);
  return {
    urls: served.map(({ path }) => `rtsp://127.0.0.1:${port}${path}`),
    films,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const closed = once(child, "close");
      child.stdin.end();
      await closed;
    },
  };
}

async function portOf(stdout: Readable): Promise<string> {
  for await (const line of createInterface(stdout)) {
    const [, port] = /^port (\d+)$/.exec(line) ?? [];
    if (port !== undefined) return port;
  }
  throw new Error("gst-rtsp-server does not start: node setup.mjs --peers installs what it needs");
}

function soundOf(folder: string, sound: keyof typeof SOUNDS): Promise<string> {
  const tone = ["-t", "4", "-i", "sine=frequency=440:sample_rate=48000", "-ac", "1"];
  return made(folder, sound === "aac" ? "tone.mp4" : "tone.pcma", [...tone, ...SOUNDS[sound]]);
}

async function made(folder: string, name: string, args: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await run("ffmpeg", ["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", ...args, path]);
  return path;
}
