import { spawn } from "node:child_process";
import { BewaardError, systemCode } from "#base/errors";

/** How a recording is packed, as its first bytes show: which decides how its window is. */
export type Container = "mp4" | "avi" | "ts";

// The one place where the desk runs ffmpeg. It parses what somebody else's camera wrote: it may open
// nothing but what the script names, write no file, leave no core, and dies with its group. What it is
// told goes over its standard input, because a command line is for everybody to read (invariant 7).
const GUARDS = ["--as=2147483648", "--fsize=0", "--core=0", "--", "ffmpeg"];
const READ = [
  ..."-nostdin -hide_banner -loglevel quiet -f concat -safe 0".split(" "),
  ..."-protocol_whitelist pipe,http,tcp".split(" "),
  ..."-format_whitelist concat,mov,mpegts,avi,matroska -i pipe:0".split(" "),
  ..."-map 0:v? -map 0:a? -c copy".split(" "),
];
const FRAGMENTED = "-movflags frag_keyframe+empty_moov+default_base_moof".split(" ");
// A transport stream stays one: cut between two of its audio frames it fits in nothing else. AVI has raw
// sound, which MOV takes and MP4 does not.
const WRITE: Readonly<Record<Container, readonly string[]>> = {
  mp4: ["-f", "mp4", ...FRAGMENTED],
  avi: ["-f", "mov", ...FRAGMENTED],
  ts: ["-f", "mpegts"],
};
/** A transport stream has no index: ffmpeg may land behind the keyframe, so it starts before it. */
const EARLIER_MS: Readonly<Record<Container, number>> = { mp4: 0, avi: 0, ts: 5000 };
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin" };
const COMMAND_NOT_FOUND = 127;

/**
 * Cuts the recording at `url` to what was recorded between `fromMs` and `toMs` after its start, from the
 * keyframe before it, and yields it packed for a pipe. Picture and sound are copied, not coded again.
 * @throws BewaardError TOOL_MISSING, CLIP_FAILED when it is no recording that ffmpeg can cut.
 */
export async function* cutClip(
  url: string,
  container: Container,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  signal.throwIfAborted();
  const child = spawn("prlimit", [...GUARDS, ...READ, ...WRITE[container], "pipe:1"], {
    detached: true,
    env: ENVIRONMENT,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = Promise.withResolvers<number | null>();
  ended.promise.catch(() => undefined);
  child.once("error", ended.reject);
  child.once("close", ended.resolve);
  // One that ended early does not read its script; how it ended says why.
  child.stdin.on("error", () => undefined);
  const stop = (): void => stopGroup(child.pid);
  signal.addEventListener("abort", stop, { once: true });
  try {
    child.stdin.end(scriptOf(url, Math.max(0, fromMs - EARLIER_MS[container]), toMs));
    for await (const bytes of child.stdout) if (bytes instanceof Buffer) yield bytes;
    const code = await ended.promise;
    signal.throwIfAborted();
    judge(code);
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw missing(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function scriptOf(url: string, fromMs: number, toMs: number): string {
  return [
    "ffconcat version 1.0",
    `file '${url}'`,
    // What the kernel holds ready has been opened for nothing when ffmpeg turns to another place.
    "option recv_buffer_size 65536",
    `inpoint ${seconds(fromMs)}`,
    `outpoint ${seconds(toMs)}`,
    "",
  ].join("\n");
}

function judge(code: number | null): void {
  if (code === 0) return;
  if (code === COMMAND_NOT_FOUND) throw missing(undefined);
  throw new BewaardError(
    "CLIP_FAILED",
    "hieruit is geen tijdvak te halen, open het geheel / no window can be cut from it: open it whole",
  );
}

function missing(cause: unknown): BewaardError {
  const message = "ffmpeg or prlimit is not installed: apt-get install ffmpeg util-linux";
  return new BewaardError("TOOL_MISSING", message, { cause });
}

function stopGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}
