import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { type Figure, figure, median } from "./figure.ts";
import { option } from "./options.ts";
import { roomiest } from "./roomiest.ts";
import { asService } from "./service.ts";

const run = promisify(execFile);
const SIDE = fileURLToPath(new URL("./docks-side.ts", import.meta.url));
/** As in docks-side.ts. */
const MOMENT_MS = 100;
/** Cards, what is made of them, and that once more in the vault. */
const NEEDED_BYTES = 6 * 1024 ** 3;

const moments = z.object({ firstBytes: z.number(), secondBytes: z.number(), ms: z.number() });
const measured = z.object({
  bytes: z.number(),
  seconds: z.record(z.enum(["docks", "pool", "shell"]), z.array(z.number())),
  besides: z.record(z.enum(["with", "without"]), moments),
  peakBytes: z.number(),
});

/**
 * A box in one process, with cards of memory in its slots, beside its own sealing threads alone and beside
 * `cp; sha256sum; age`, on the same files, in turns; medians. Needs mounts of its own: root, or a machine where
 * everybody may have a namespace.
 */
export async function docksBench(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(await roomiest(NEEDED_BYTES), "bewaard-bench-"));
  try {
    const { flags, env: allocator } = await asService();
    const compiled = { NODE_COMPILE_CACHE: join(folder, "compile-cache") };
    const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const options = [String(option("rounds", 5)), String(option("mib", 64))];
    const side = [process.execPath, ...flags, SIDE, folder, ...options];
    const running = run("unshare", [...asRoot, "--mount", ...side], {
      env: { ...process.env, ...compiled, ...allocator },
    });
    running.child.stderr?.pipe(process.stderr);
    return figures(measured.parse(JSON.parse((await running).stdout)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function figures({ bytes, seconds, besides, peakBytes }: z.output<typeof measured>): Figure[] {
  const { docks, pool, shell } = seconds;
  const rate = (some: readonly number[]): number => bytes / 1e6 / median(some);
  // Of each round by itself: what else a machine does changes from one to the next.
  const ratio = (some: readonly number[], others: readonly number[]): number =>
    median(some.map((one, round) => one / (others[round] ?? Number.NaN)));
  const first = ({ firstBytes, ms }: z.output<typeof moments>): number => firstBytes / ms;
  const slower = first(besides.without) / first(besides.with);
  const second = besides.with.secondBytes / besides.with.ms / 1000;
  return [
    figure("(cp; sha256sum; age) / four docks", ratio(shell, docks), "ratio", ">= 1.5"),
    figure("four docks / sealing alone, throughput", ratio(pool, docks), "ratio", ">= 0.7"),
    figure("four docks, slowed by a second read", slower, "ratio", "<= 1.1"),
    figure("resident memory, sixteen slots", peakBytes / 1e6, "MB", "<= 250"),
    figure("four docks", rate(docks), "MB/s", ">= 0"),
    figure("sealing alone", rate(pool), "MB/s", ">= 0"),
    figure("second read meanwhile", second, "MB/s", ">= 0"),
    figure("moments with it, and as many without", besides.with.ms / MOMENT_MS, "", ">= 20"),
  ];
}
