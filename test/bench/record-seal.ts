import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { z } from "zod";
import { type Figure, figure } from "./figure.ts";
import { option } from "./options.ts";

// The recorder's sealing alone, in real time and as its service runs (systemd/bewaard-record.service).

const run = promisify(execFile);
const CAMERAS = option("cameras", 24);
const SECONDS = option("seconds", 20);
const SIDE = fileURLToPath(new URL("./record-seal-side.ts", import.meta.url));
const FLAGS = ["--max-semi-space-size=2", "--max-old-space-size=256"];

const measured = z.object({
  cpuSeconds: z.number(),
  rssBytes: z.number(),
  closesMs: z.array(z.number()),
});

export async function recordSealBench(): Promise<readonly Figure[]> {
  // On the disk that the working copy is on: a memory file system syncs for nothing.
  const folder = await mkdtemp(join(process.cwd(), ".bench-"));
  try {
    const recipient = await identityToRecipient(await generateHybridIdentity());
    const env = {
      ...process.env,
      NODE_COMPILE_CACHE: join(folder, "compile-cache"),
      MALLOC_ARENA_MAX: "2",
      MALLOC_TRIM_THRESHOLD_: "131072",
    };
    const side = async (cameras: number, seconds: number) => {
      const args = [...FLAGS, SIDE, folder, recipient, String(cameras), String(seconds)];
      const { stdout } = await run(process.execPath, args, { env });
      return measured.parse(JSON.parse(stdout));
    };
    // The first one only fills the compile cache, as every start but the first finds it.
    await side(1, 1);
    const { cpuSeconds, rssBytes, closesMs } = await side(CAMERAS, SECONDS);
    const sorted = closesMs.toSorted((a, b) => a - b);
    const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
    return [
      figure("CPU per camera-minute", (60 * cpuSeconds) / (CAMERAS * SECONDS), "s", "<= 1"),
      figure("resident memory, at most", rssBytes / 1e6, "MB", "<= 150"),
      figure("close, p99", at(0.99), "ms", "<= 250"),
      figure("close, median", at(0.5), "ms", "<= 250"),
      figure("closes", sorted.length, "", ">= 1"),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
