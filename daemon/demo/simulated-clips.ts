import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { BewaardError, systemCode } from "#base/errors";
import type { Medium } from "./simulated-medium.ts";
import { aacOf, g711Of } from "./simulated-sound.ts";
import { videoOf } from "./simulated-video.ts";

const run = promisify(execFile);

/** What a simulated camera films. */
export interface Film {
  readonly codec: "h264" | "h265";
  /** As `640x360`. */
  readonly size: string;
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** From one keyframe to the next, in frames. */
  readonly gop: number;
  /** Bits a second, about; undefined: what the encoder makes of it. */
  readonly rate: number | undefined;
}

export const SMALL_FILM: Film = {
  codec: "h264",
  size: "640x360",
  seconds: 4,
  framesPerSecond: 25,
  gop: 25,
  rate: undefined,
};

/** Films `film` with ffmpeg into a file in `folder`; returns its path: Annex B. @throws BewaardError TOOL_MISSING. */
export async function makeFilm(folder: string, film: Film): Promise<string> {
  const { codec, size, seconds, framesPerSecond, gop, rate } = film;
  const extension = codec === "h264" ? "264" : "265";
  const path = join(folder, `${size}-${seconds}-${framesPerSecond}-${gop}.${extension}`);
  const picture = `testsrc2=size=${size}:rate=${framesPerSecond}${rate ? ",noise=alls=18:allf=t" : ""}`;
  const encoder = codec === "h264" ? "libx264" : "libx265";
  const keys = `keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:bframes=0`;
  const rates = rate ? ["-b:v", `${rate}`, "-maxrate", `${rate}`, "-bufsize", `${rate / 2}`] : [];
  const from = ["-f", "lavfi", "-t", `${seconds}`, "-i", picture];
  const how = ["-c:v", encoder, "-preset", "ultrafast", "-pix_fmt", "yuv420p", ...rates];
  const more = [`-${encoder.slice(3)}-params`, `${keys}:log-level=error`];
  await ffmpeg([...from, ...how, ...more, "-f", codec === "h264" ? "h264" : "hevc", path]);
  return path;
}

export async function filmed(folder: string, film: Film): Promise<Medium> {
  return videoOf(await makeFilm(folder, film), film.codec, film.framesPerSecond);
}

/** Four seconds of a tone. @throws BewaardError TOOL_MISSING. */
export async function heard(folder: string, codec: "aac" | "pcma" | "pcmu"): Promise<Medium> {
  const path = join(folder, `tone.${codec}`);
  const tone = ["-f", "lavfi", "-t", "4", "-i", "sine=frequency=440:sample_rate=16000", "-ac", "1"];
  const law = codec === "pcma" ? "alaw" : "mulaw";
  const g711 = ["-ar", "8000", "-c:a", `pcm_${law}`, "-f", law];
  await ffmpeg([...tone, ...(codec === "aac" ? ["-c:a", "aac", "-f", "adts"] : g711), path]);
  return codec === "aac" ? aacOf(path) : g711Of(path, codec);
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  try {
    await run("ffmpeg", ["-nostdin", "-hide_banner", "-loglevel", "error", "-y", ...args]);
  } catch (cause) {
    const why = systemCode(cause) === "ENOENT" ? "is not installed" : "could not make a film";
    throw new BewaardError("TOOL_MISSING", `ffmpeg ${why}: apt-get install ffmpeg`, { cause });
  }
}
