import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { systemClock } from "#base/system-clock";
import { dayOf, SECOND_MS } from "#base/time";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { GOOD_CAMERA } from "../fakes/configuration.ts";
import { residentBytes, treeCpuMs } from "./processes.ts";

const BEWAARD = fileURLToPath(new URL("../../daemon/cli/bewaard.ts", import.meta.url));
const NO_GATE = new URL("./no-gate.ts", import.meta.url).href;
const NEVER = new AbortController().signal;
/** What a start connects and compiles is not recording yet. */
const SETTLE_MS = 15 * SECOND_MS;
const SAMPLE_MS = 2 * SECOND_MS;
/** As where real footage is kept. */
const SEGMENT_SECONDS = 60;

export type Side = "ffmpeg" | "relay" | "direct";

/** One side at work for a while, started and settled before it is measured. */
export interface Spell {
  readonly cpuSeconds: number;
  readonly minutes: number;
  /** Of the recorder's own process, every two seconds. */
  readonly resident: readonly number[];
}

/** What the recorder left: `incoming/record`, and the key to it. */
export interface Kept {
  readonly incoming: string;
  readonly identity: string;
}

/** `ffmpeg -f segment`, one process a camera, straight to disk. */
export async function ffmpegAlone(
  folder: string,
  urls: readonly string[],
  minutes: number,
): Promise<Spell> {
  const children = urls.map((url, index) => {
    const input = ["-rtsp_transport", "tcp", "-i", url];
    const how = ["-c", "copy", "-f", "segment", "-segment_time", `${SEGMENT_SECONDS}`];
    const path = join(folder, `${index}-%04d.mp4`);
    const args = ["-nostdin", "-loglevel", "error", ...input, ...how, path];
    return spawn("ffmpeg", args, { stdio: ["ignore", "ignore", "inherit"] });
  });
  return measured(children, minutes);
}

/** `bewaard run record` as the service runs it, with the gate or without its relay. */
export async function recorder(
  folder: string,
  urls: readonly string[],
  minutes: number,
  side: Exclude<Side, "ffmpeg">,
): Promise<Spell & Kept> {
  const { config } = await makeDemoSite(systemClock, folder, [], 2, NEVER, {
    site: { name: "demo-bench", demo: true, segment_seconds: SEGMENT_SECONDS },
    policy: "arnhem",
    cameras: urls.map((url, index) => ({
      ...GOOD_CAMERA,
      user: undefined,
      number: numberOf(index),
      url,
    })),
  });
  const identity = await generateX25519Identity();
  const today = dayOf(systemClock.now());
  await writeFile(config.recipients, `${today} ${await identityToRecipient(identity)}\n`);
  // As systemd/bewaard-record.service has it.
  const options = ["--max-semi-space-size=2", "--max-old-space-size=256"];
  const hook = side === "direct" ? ["--import", NO_GATE] : [];
  const command = [BEWAARD, "-c", join(folder, "bewaard.yaml"), "run", "record"];
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(folder, "..", "compile-cache"),
    NODE_ENV: "production",
    MALLOC_ARENA_MAX: "2",
    MALLOC_TRIM_THRESHOLD_: "131072",
  };
  const child = spawn(process.execPath, [...options, ...hook, ...command], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  // What the journal would have; a bench is told what is worse than a notice.
  createInterface(child.stderr).on("line", (line) => {
    if (!/^<[567]>/.test(line)) process.stderr.write(`${line}\n`);
  });
  const spell = await measured([child], minutes);
  return { ...spell, identity, incoming: join(config.spool.path, "incoming", "record") };
}

export function numberOf(index: number): string {
  return `cam-${String(index + 1).padStart(4, "0")}`;
}

async function measured(children: readonly ChildProcess[], minutes: number): Promise<Spell> {
  const pids = children.map(({ pid }) => pid ?? 0);
  const cpuMs = async (): Promise<number> => {
    const all = await Promise.all(pids.map(treeCpuMs));
    return all.reduce((sum, ms) => sum + ms, 0);
  };
  const resident: number[] = [];
  await systemClock.sleep(SETTLE_MS, NEVER);
  const started = performance.now();
  const before = await cpuMs();
  while (performance.now() - started < minutes * 60_000) {
    await systemClock.sleep(SAMPLE_MS, NEVER);
    const ended = children.find(({ exitCode, signalCode }) => exitCode ?? signalCode);
    if (ended) throw new Error(`ended by itself: ${ended.spawnfile} ${ended.exitCode}`);
    resident.push(await residentBytes(pids[0] ?? 0));
  }
  const cpuSeconds = ((await cpuMs()) - before) / 1000;
  const lasted = (performance.now() - started) / 60_000;
  await Promise.all(
    children.map(async (child) => {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    }),
  );
  return { cpuSeconds, minutes: lasted, resident };
}
