import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a camera may send. */
export type ClipKind = "h264" | "h264-b-frames" | "h265" | "long-gop" | "aac" | "pcma";

const QUIET = "-nostdin -hide_banner -loglevel error -y".split(" ");
const X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -threads 1 -sc_threshold 0";
const TONE = "-f lavfi -i sine=frequency=440:sample_rate=8000";
/** Two seconds from keyframe to keyframe, but for the long one. */
const CODED: Readonly<Record<ClipKind, string>> = {
  h264: `${X264} -g 50 -bf 0`,
  "h264-b-frames": `${X264} -preset veryfast -g 50 -bf 2`,
  h265: "-c:v libx265 -preset ultrafast -x265-params keyint=50:min-keyint=50:scenecut=0:bframes=0:log-level=none",
  "long-gop": `${X264} -g 100000 -bf 0`,
  aac: `${X264} -g 50 -bf 0 -c:a aac -ar 16000`,
  pcma: `${X264} -g 50 -bf 0 -c:a pcm_alaw`,
};
export const SOUND: ReadonlySet<ClipKind> = new Set(["aac", "pcma"]);
/** As the recorder has ffmpeg write them. */
const FRAGMENTED = [
  ..."-c copy -frag_duration 500000 -write_prft wallclock -flush_packets 1 -movflags".split(" "),
  "+frag_keyframe+empty_moov+default_base_moof+skip_trailer+frag_discont",
];

/** Makes a clip of moving noise in `folder` with real ffmpeg; returns its path. */
export function makeClip(folder: string, kind: ClipKind, seconds: number): string {
  const path = join(folder, `${kind}.mov`);
  const picture = "-f lavfi -i testsrc2=size=320x180:rate=25,noise=alls=20:allf=t".split(" ");
  const sound = SOUND.has(kind) ? TONE.split(" ") : [];
  const length = ["-t", String(seconds)];
  run([...picture, ...sound, ...CODED[kind].split(" "), ...length, path]);
  return path;
}

/** The same clip as ffmpeg hands it to the recorder. */
export function fragmented(path: string, kind: ClipKind): Buffer {
  const tag = kind === "h265" ? ["-tag:v", "hvc1"] : [];
  const form = ["-f", kind === "pcma" ? "mov" : "mp4", "pipe:1"];
  return run(["-i", path, ...FRAGMENTED, ...tag, ...form]);
}

/**
 * The pictures of a new clip as they are, without a container. Returns a function that puts more units in
 * before the first of them, and gives the path of what that makes.
 */
export function annexB(
  folder: string,
  kind: "h264" | "h265",
  seconds: number,
): (units: readonly Buffer[]) => string {
  const path = join(folder, `pictures.${kind}`);
  run([
    "-i",
    makeClip(folder, kind, seconds),
    "-c",
    "copy",
    "-bsf:v",
    `${kind === "h264" ? kind : "hevc"}_mp4toannexb`,
    path,
  ]);
  return (units) => {
    const pictures = readFileSync(path);
    const added = join(folder, `more.${kind}`);
    writeFileSync(added, Buffer.concat([...units, pictures]));
    return added;
  };
}

/** A digest for each picture, or stretch of sound, in the order in which it is stored. */
export function frameHashes(path: string, stream: "v" | "a"): readonly string[] {
  const how = ["-map", `0:${stream}:0`, "-c", "copy", "-f", "framemd5", "pipe:1"];
  const lines = run(["-i", path, ...how])
    .toString("latin1")
    .split("\n");
  return lines.flatMap((line) => (/^\d/.test(line) ? [line.split(",").at(5)?.trim() ?? ""] : []));
}

/** Decodes all of it. @throws when there is one error in it. */
export function decode(path: string): void {
  run(["-xerror", "-i", path, "-f", "null", "pipe:1"]);
}

function run(options: readonly string[]): Buffer {
  return execFileSync("ffmpeg", [...QUIET, ...options], { maxBuffer: 256 * 1024 * 1024 });
}
