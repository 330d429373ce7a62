import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { deadline } from "#base/deadline";
import { BewaardError, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import { printableText } from "#base/printable";
import type { Offer } from "./address.ts";
import { type Take, untakeable } from "./boxes.ts";
import { wholes } from "./wholes.ts";

/** ffmpeg at work on one camera. Disposing stops it, and waits until it has ended. */
export interface Remux extends AsyncDisposable {
  readonly pid: number | undefined;
  /**
   * What `take` makes of the fragmented MP4 that comes. To be called once. Ends quietly when ffmpeg ends well,
   * which says nothing of the camera, and once disposed.
   * @throws BewaardError CAMERA_STREAM when ffmpeg gives up, TOOL_MISSING; what `take` throws.
   */
  read<T>(take: Take<T>): AsyncIterable<T>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

// The one place where the recorder runs ffmpeg (docs/decisions/0018). It parses what a camera sends: it may
// write no file, leave no core, and speak to nothing but the gate, whose address is all it is told.
const GUARDS = ["--as=2147483648", "--fsize=0", "--core=0", "--"];
const READ = [
  ..."-nostdin -hide_banner -nostats -loglevel warning".split(" "),
  ..."-protocol_whitelist rtsp,tcp -rtsp_transport tcp -timeout 5000000".split(" "),
];
const WRITE = [
  ..."-dn -sn -c copy -frag_duration 500000 -write_prft wallclock -flush_packets 1".split(" "),
  "-movflags",
  "+frag_keyframe+empty_moov+default_base_moof+skip_trailer+frag_discont",
];
// It would look for what the description says already, for a second; it must where there is sound, or it gives up.
const LOOK_BRIEFLY = "-probesize 32768 -analyzeduration 100000".split(" ");
const WITHOUT_SOUND = ["-an"];
// Sound that is late holds its picture up by no more than a fragment.
const WITH_SOUND = "-map 0:a:0 -max_interleave_delta 500000".split(" ");
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin" };
const COMMAND_NOT_FOUND = 127;
const PATIENCE_MS = 2000;
const SAID_BYTES = 8192;
const SHOWN_CHARACTERS = 400;

/**
 * Has ffmpeg ask for the stream at `url`, and repack it without coding it again (AR-16).
 * @throws BewaardError TOOL_MISSING, or MACHINE_BUSY (transient), when it cannot be started.
 */
export async function openRemux(url: string, offer: Offer, program = "ffmpeg"): Promise<Remux> {
  const child = await started([...GUARDS, program, ...argumentsFor(url, offer)]);
  const ended = Promise.withResolvers<number | NodeJS.Signals>();
  ended.promise.catch(() => undefined);
  child.once("error", ended.reject);
  // Its number is its group's for as long as it is not buried, and anybody's soon after: this is the last
  // moment to end what it left behind, and after it nothing is signalled.
  child.once("exit", () => signalGroup(child.pid, "SIGKILL"));
  child.once("close", (code, signal) => ended.resolve(code ?? signal ?? "SIGKILL"));
  const said = tailOf(child.stderr);
  const stopped = new AbortController();
  return {
    pid: child.pid,
    read: (take) => read(child, ended.promise, said, stopped.signal, take),
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await stop(child);
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/** Without files or processes left there is no child, nor are there streams of it: only its error counts. */
async function started(args: readonly string[]): Promise<Child> {
  try {
    const child: Child = spawn("prlimit", args, {
      detached: true,
      env: ENVIRONMENT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await once(child, "spawn");
    return child;
  } catch (error) {
    const code = systemCode(error);
    throw code === "ENOENT" || code === "EACCES" ? missing(error) : (machineBusy(error) ?? error);
  }
}

function argumentsFor(url: string, offer: Offer): readonly string[] {
  const sound = offer.audio !== undefined;
  return [
    ...READ,
    ...(offer.pictureKnown && !sound ? LOOK_BRIEFLY : []),
    "-allowed_media_types",
    sound ? "video+audio" : "video",
    "-i",
    url,
    "-map",
    "0:v:0",
    ...(sound ? WITH_SOUND : WITHOUT_SOUND),
    ...WRITE,
    // Safari takes H.265 by this name only.
    ...(offer.video === "h265" ? ["-tag:v", "hvc1"] : []),
    // MP4 has no place for G.711; QuickTime, which is built alike, does.
    "-f",
    offer.audio === "pcma" || offer.audio === "pcmu" ? "mov" : "mp4",
    "pipe:1",
  ];
}

async function* read<T>(
  child: Child,
  ended: Promise<number | NodeJS.Signals>,
  said: () => string,
  stopped: AbortSignal,
  take: Take<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* wholes(child.stdout, take);
    const code = await ended;
    if (code === 0 || stopped.aborted) return;
    if (code === COMMAND_NOT_FOUND) throw missing(undefined);
    throw untakeable(`ffmpeg (${code}): ${said()}`);
  } catch (error) {
    // What was being read when it was stopped ends in the middle. A bug is one all the same.
    const cutOff = error instanceof BewaardError || systemCode(error) !== undefined;
    if (!stopped.aborted || !cutOff) throw error;
  }
}

/** The end of what it said, without addresses: the gate's is a key as long as it is open. */
function tailOf(stderr: Readable): () => string {
  let tail = Buffer.alloc(0);
  stderr.on("data", (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-SAID_BYTES);
  });
  return () => {
    const plain = tail
      .toString("utf8")
      // Not any number of letters: of a long word each would be tried as the first.
      .replace(/[a-z]{1,8}:\/\/[^\s'"]*/gi, "<url>")
      .trim();
    return printableText(plain).slice(-SHOWN_CHARACTERS).replaceAll("\n", " / ");
  };
}

/** Asks twice, because the first request only ends a read that it is waiting in; then ends its group. */
async function stop(child: Child): Promise<void> {
  for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"] as const) {
    if (hasEnded(child)) break;
    signalGroup(child.pid, signal);
    await endedWithin(child, PATIENCE_MS);
  }
}

function missing(cause: unknown): BewaardError {
  const message = "ffmpeg or prlimit is not installed: apt-get install ffmpeg util-linux";
  return new BewaardError("TOOL_MISSING", message, { cause });
}

function hasEnded(child: Child): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function endedWithin(child: Child, ms: number): Promise<void> {
  if (hasEnded(child)) return;
  try {
    await once(child, "exit", { signal: deadline(ms, new AbortController().signal) });
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nothing of it is left.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}
