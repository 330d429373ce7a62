import { execFileSync } from "node:child_process";
import { openSync } from "node:fs";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { openGate } from "../../drivers/camera/gate.ts";
import { openRemux } from "../../drivers/camera/remux.ts";
import { address } from "./gate-client.ts";
import { camera, H264, openPeer, sdp } from "./rtsp-peer.ts";

// A process of its own, whose machine runs out of something at the moment that it is told. It prints what
// that fails with.

const NEVER = new AbortController().signal;
const NOBODY = 65_534;

function limit(what: "nofile" | "nproc", most: number): void {
  execFileSync("prlimit", ["--pid", String(process.pid), `--${what}=${most}:${most}`]);
}

/** Takes every file that is left. */
function takeFiles(): void {
  try {
    for (;;) openSync("/dev/null", "r");
  } catch {
    // That was the last.
  }
}

async function remux(): Promise<void> {
  const offer = {
    video: "h264",
    audio: undefined,
    soundOffered: false,
    pictureKnown: false,
  } as const;
  await using opened = await openRemux("rtsp://127.0.0.1:9/", offer);
  for await (const _ of opened.read((bytes, give) => give(bytes)));
}

async function gate(when: "before" | "DESCRIBE"): Promise<void> {
  const answer = camera(sdp(H264));
  await using peer = await openPeer((asked, socket) => {
    if (asked.method === when) takeFiles();
    return answer(asked, socket);
  });
  if (when === "before") takeFiles();
  await using _ = await openGate(systemClock, address(peer.url), NEVER);
}

const MOMENTS: Readonly<Record<string, () => Promise<void>>> = {
  async "starting ffmpeg without files"() {
    takeFiles();
    await remux();
  },
  async "starting ffmpeg without processes"() {
    limit("nproc", 1);
    // For root there is no such limit.
    if (process.getuid?.() === 0) process.setuid?.(NOBODY);
    await remux();
  },
  "connecting to a camera without files": () => gate("before"),
  "opening a gate without files": () => gate("DESCRIBE"),
};

limit("nofile", 200);
try {
  await MOMENTS[process.argv[2] ?? ""]?.();
  console.log("nothing failed");
} catch (error) {
  console.log(error instanceof BewaardError ? `${error.code} ${error.transient}` : String(error));
}
