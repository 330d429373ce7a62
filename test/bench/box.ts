import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/system-clock";
import type { Config } from "../../config/schema.ts";
import { asker } from "../../daemon/control/client.ts";
import { socketPath } from "../../daemon/places.ts";
import { readBytes } from "./processes.ts";
import { asService } from "./service.ts";

const BEWAARD = fileURLToPath(new URL("../../daemon/cli/bewaard.ts", import.meta.url));
const NEVER = new AbortController().signal;

/** A box as it runs: the real process, with Node as the service has it. */
export interface RunningBox {
  /** From the start of the process to its first answer. */
  readonly readySeconds: number;
  /** Milliseconds of CPU since its start. */
  cpuMs(): Promise<number>;
  /** Bytes that it has read, of files and of all else. */
  readBytes(): Promise<number>;
  /** The most memory it ever had resident. */
  peakBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** `heard` is told each line of its journal as it comes. */
export async function startBox(
  folder: string,
  config: Config,
  parts: readonly string[] = [],
  heard?: (line: string) => void,
): Promise<RunningBox> {
  const service = await asService();
  const compiled = { NODE_COMPILE_CACHE: join(folder, "compile-cache") };
  const env = { ...process.env, ...service.env, ...compiled };
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [...service.flags, BEWAARD, "-c", join(folder, "bewaard.yaml"), "run", ...parts],
    { env, stdio: ["ignore", "ignore", heard === undefined ? "ignore" : "pipe"] },
  );
  if (heard !== undefined && child.stderr !== null)
    createInterface({ input: child.stderr }).on("line", heard);
  await answers(child, config);
  const readySeconds = (performance.now() - started) / 1000;
  return {
    readySeconds,
    async cpuMs() {
      const stat = await readFile(`/proc/${child.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      // utime and stime, in hundredths of a second on Linux.
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    readBytes: () => readBytes(child.pid),
    async peakBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    },
    async stop() {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    },
  };
}

async function answers(child: ChildProcess, config: Config): Promise<void> {
  const ask = asker(socketPath(config), NEVER);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the box ended with ${child.exitCode}`);
    try {
      await ask("status", {});
      return;
    } catch {
      await systemClock.sleep(20, NEVER);
    }
  }
}
