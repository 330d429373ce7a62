import { execFile } from "node:child_process";
import { mkdir, rename, stat, truncate, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Temporal } from "temporal-polyfill";
import { BewaardError, systemCode } from "#base/errors";
import type { Instant } from "#base/time";

const run = promisify(execFile);
const SECONDS = 2;

/** Makes a short clip with picture and a tone, as a bodycam would have written it at `startedAt`. */
export async function recordClip(
  card: string,
  startedAt: Instant,
  toneHz: number,
): Promise<string> {
  const folder = join(card, "DCIM", "100MEDIA");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${nameOf(startedAt)}.MP4`);
  const input = (source: string): string[] => ["-f", "lavfi", "-t", String(SECONDS), "-i", source];
  const codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"];
  try {
    await run("ffmpeg", [
      "-nostdin",
      "-hide_banner",
      "-loglevel",
      "error",
      "-y",
      ...input("testsrc2=size=640x360:rate=25"),
      ...input(`sine=frequency=${toneHz}`),
      ...codec,
      `file:${path}`,
    ]);
  } catch (cause) {
    const why = systemCode(cause) === "ENOENT" ? "is not installed" : "could not make a clip";
    throw new BewaardError("TOOL_MISSING", `ffmpeg ${why}: apt-get install ffmpeg`, { cause });
  }
  const end = startedAt / 1000 + SECONDS;
  await utimes(path, end, end);
  return path;
}

/** Cuts a clip off in the middle, as when the camera's battery ran out: no player opens it any more. */
export async function cutOff(path: string): Promise<void> {
  const { size, atime, mtime } = await stat(path);
  await truncate(path, Math.floor(size / 2));
  await utimes(path, atime, mtime);
}

/** Gives a clip a name that is no text in UTF-8, as a broken card does; returns it, below the card. */
export async function nameOddly(card: string, path: string): Promise<Buffer> {
  const name = Buffer.concat([
    Buffer.from(path.slice(dirname(path).length + 1, -".MP4".length)),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(".MP4"),
  ]);
  await rename(path, Buffer.concat([Buffer.from(`${dirname(path)}/`), name]));
  return Buffer.concat([Buffer.from(`${dirname(path).slice(card.length + 1)}/`), name]);
}

function nameOf(at: Instant): string {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO("Europe/Amsterdam");
  const day = `${local.year}${two(local.month)}${two(local.day)}`;
  return `${day}_${two(local.hour)}${two(local.minute)}${two(local.second)}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
