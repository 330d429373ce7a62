import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { deadline } from "#base/deadline";
import { BewaardError, isAbort, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import { printableText } from "#base/printable";
import { untakeable } from "./boxes.ts";
import type { StartFfmpeg } from "./ffmpeg.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;

// It parses what a camera sends: it may write no file, leave no core, and is told nothing but its words.
const GUARDS = ["--as=2147483648", "--fsize=0", "--core=0", "--"];
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin" };
const COMMAND_NOT_FOUND = 127;
const PATIENCE_MS = 2000;
const SAID_BYTES = 8192;
const SHOWN_CHARACTERS = 400;

/** Starts ffmpeg as a process of ours (docs/decisions/0018), or another program in its place. */
export function spawnsFfmpeg(program = "ffmpeg"): StartFfmpeg {
  return async (words) => {
    const child = await started([...GUARDS, program, ...words]);
    const ended = Promise.withResolvers<number | NodeJS.Signals>();
    ended.promise.catch(() => undefined);
    child.once("error", ended.reject);
    // Its number is its group's for as long as it is not buried, and anybody's soon after: this is the last
    // moment to end what it left behind, and after it nothing is signalled.
    child.once("exit", () => signalGroup(child.pid, "SIGKILL"));
    child.once("close", (code, signal) => ended.resolve(code ?? signal ?? "SIGKILL"));
    const said = tailOf(child.stderr);
    const why = ended.promise.then((code) => {
      if (code === 0) return undefined;
      return code === COMMAND_NOT_FOUND
        ? missing(undefined)
        : untakeable(`ffmpeg (${code}): ${said()}`);
    });
    why.catch(() => undefined);
    return {
      reader: child.pid,
      output: child.stdout,
      ended: why,
      async stop() {
        await stop(child);
        child.stderr.destroy();
      },
    };
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
    if (!isAbort(error)) throw error;
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
