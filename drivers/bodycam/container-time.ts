import { execFile } from "node:child_process";
import { constants, type FileHandle, open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ffmpeg from "fluent-ffmpeg";
import { askServed } from "./served-ffprobe.ts";

// The only file that starts ffprobe, and the only one that imports fluent-ffmpeg (docs/decisions/0009). In a service it is
// systemd that starts it (served-ffprobe.ts, docs/decisions/0033).

/** What a container says of itself, as written. Nothing in it is true because it is there. */
export interface Container {
  /** `2026-11-22T16:03:09.000000Z`, whose zone is often a lie. */
  readonly createdAt: string | undefined;
  readonly durationMs: number | undefined;
}

/** `absent`: no ffprobe here. `late`: past its deadline. `refused`: not a container that we let it read. */
export type Unread = "absent" | "late" | "refused";

/** `own`, `none`: ffprobe reaches no network. `shared`: only its whitelists keep it off. `absent`: no ffprobe. */
export type Confinement = "own" | "none" | "shared" | "absent";

/** Asks ffprobe of an open film, by one of two ways. */
export type AskFfprobe = (file: FileHandle) => Promise<Container | Unread>;

const CONFINED = fileURLToPath(new URL("./ffprobe-confined", import.meta.url));
/** What our cameras' containers are called; anything else is not worth a process. */
const EXTENSIONS = /\.(?:mp4|m4v|mov|3gp|avi|ts|mts|mkv|webm)$/i;

/** Whether a file with this name is worth asking: text and thumbnails lie on cards in thousands. */
export function mayBeContainer(path: Uint8Array): boolean {
  return EXTENSIONS.test(Buffer.from(path).toString("latin1"));
}

/**
 * Asks ffprobe, confined, what the container at `source` says. Costs a process and some 0.1 s; resolves
 * within 10 s whatever the file is, and never throws because of it. `source` is bytes and reaches no
 * command line: ffprobe is given the open file, or its bytes.
 */
export async function readContainer(
  source: Uint8Array,
  ask = startsFfprobe(),
): Promise<Container | Unread> {
  await using file = await openRegular(source);
  return file ? await ask(file) : "refused";
}

/** Asks the ffprobe that systemd runs behind the socket `path`; without one, an ffprobe that is started here. */
export function asksFfprobe(path: string | undefined): AskFfprobe {
  if (path === undefined) return startsFfprobe();
  return async (file) => {
    const answer = await askServed(file, path);
    if (typeof answer === "string") return answer;
    const format = at(answer?.said, "format");
    return format === undefined ? "refused" : containerOf(answer?.said);
  };
}

/** Starts `program` for each film: the script that confines ffprobe as far as this process may. */
export function startsFfprobe(program = CONFINED): AskFfprobe {
  return async (file) => {
    try {
      return containerOf(await probed(`/proc/${process.pid}/fd/${file.fd}`, program));
    } catch (error) {
      const said = error instanceof Error ? error.message : "";
      if (said.startsWith("ffprobe exited with code 127")) return "absent";
      // 137: killed at the deadline, or for the time it took of the processor.
      return said.startsWith("ffprobe exited with code 137") ? "late" : "refused";
    }
  };
}

/** How ffprobe is kept from the network on this machine. */
export async function confinement(signal: AbortSignal): Promise<Confinement> {
  const asked = { env: {}, signal };
  const { stdout } = await promisify(execFile)(CONFINED, ["--confinement"], asked);
  const level = (["own", "none", "shared"] as const).find((one) => one === stdout.trim());
  return level ?? "absent";
}

async function openRegular(source: Uint8Array): Promise<FileHandle | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const file = await open(Buffer.from(source), flags);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  } catch {
    // The card was taken out, or is broken: the file was sealed already, and only its time is missing.
    return undefined;
  }
}

function probed(path: string, program: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const command = ffmpeg(path);
    command.setFfprobePath(program);
    command.ffprobe((error: unknown, found: unknown) => {
      if (error instanceof Error) reject(error);
      else resolve(found);
    });
  });
}

function containerOf(found: unknown): Container {
  const format = at(found, "format");
  // A number of fluent-ffmpeg's, and in ffprobe's own JSON a text.
  const durationMs = Math.round(Number(at(format, "duration") ?? 0) * 1000);
  const createdAt = at(at(format, "tags"), "creation_time");
  return {
    createdAt: typeof createdAt === "string" ? createdAt : undefined,
    durationMs: durationMs > 0 && Number.isSafeInteger(durationMs) ? durationMs : undefined,
  };
}

/** The types of fluent-ffmpeg promise more of a hostile file than it keeps. */
function at(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
