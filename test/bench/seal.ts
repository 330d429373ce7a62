import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { type Figure, figure, median } from "./figure.ts";
import { roomiest } from "./roomiest.ts";
import { asService } from "./service.ts";

const run = promisify(execFile);
const SIDE = fileURLToPath(new URL("./seal-side.ts", import.meta.url));
const MIB = 1024 * 1024;
const BYTES = 2048 * MIB;
const ROUNDS = 5;

interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of our own side: from the first byte asked for to the last one safe, without the start of Node. */
  readonly sealSeconds: number;
  /** Only of our own side. */
  readonly rssBytes: number;
}

/** Both sides whole processes, on the same 2 GiB, in turns; medians. In memory where it fits: disks differ. */
export async function sealBench(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(await roomiest(4 * BYTES), "bewaard-bench-"));
  try {
    const recipient = await identityToRecipient(await generateX25519Identity());
    await makeFiles(folder);
    const { flags } = await asService();
    const ours = `exec "${process.execPath}" ${flags.join(" ")} "${SIDE}" "${folder}" ${recipient}`;
    const shell = (hash: string): string =>
      `${hash} "${folder}/0" >/dev/null && age -r ${recipient} -o "${folder}/peer.age" "${folder}/0" && ${hash} "${folder}/peer.age" >/dev/null`;
    const sides = {
      one: `${ours} 0`,
      four: `${ours} 1 2 3 4`,
      openssl: shell("openssl dgst -sha256"),
      coreutils: shell("sha256sum"),
    };
    const runs = { one: [], four: [], openssl: [], coreutils: [] } as Record<
      keyof typeof sides,
      Run[]
    >;
    // The first round only touches the memory that the others then measure in.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const side of turned(["one", "openssl", "four", "coreutils"] as const, round)) {
        const measured = await measure(sides[side], folder);
        if (round > 0) runs[side].push(measured);
        process.stderr.write(
          `round ${round}/${ROUNDS} ${side}: ${measured.wallSeconds.toFixed(2)} s\n`,
        );
      }
    }
    return figures(runs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function figures(
  runs: Readonly<Record<"one" | "four" | "openssl" | "coreutils", readonly Run[]>>,
): Figure[] {
  const cpu = (side: keyof typeof runs): number => median(runs[side].map((one) => one.cpuSeconds));
  const wall = (side: keyof typeof runs): number =>
    median(runs[side].map((one) => one.wallSeconds));
  const seal = (side: "one" | "four"): number => median(runs[side].map((one) => one.sealSeconds));
  const rss = Math.max(...runs.one.concat(runs.four).map((one) => one.rssBytes)) / 1e6;
  return [
    figure(
      "CPU, ours / (openssl dgst; age; openssl dgst)",
      cpu("one") / cpu("openssl"),
      "ratio",
      "<= 1.1",
    ),
    figure(
      "wall, (sha256sum; age; sha256sum) / ours",
      wall("coreutils") / wall("one"),
      "ratio",
      ">= 2",
    ),
    figure("throughput, four streams / one", seal("one") / seal("four"), "ratio", ">= 1.5"),
    figure("resident memory, at most", rss, "MB", "<= 200"),
    figure("one stream", BYTES / 1e6 / seal("one"), "MB/s", ">= 0"),
    figure("four streams", BYTES / 1e6 / seal("four"), "MB/s", ">= 0"),
  ];
}

/** One whole process, its start included; `times` of the shell counts what it and its children used. */
async function measure(command: string, folder: string): Promise<Run> {
  for (const name of ["peer", "0", "1", "2", "3", "4"])
    await rm(join(folder, `${name}.age`), { force: true });
  await warm(folder);
  const started = performance.now();
  // Ours as the service runs. The peers allocate with their own, or hardly at all.
  const { env: allocator } = await asService();
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(folder, "compile-cache"),
    ...allocator,
  };
  const { stdout } = await run("sh", ["-c", `(${command}) && times`], { env });
  const wallSeconds = (performance.now() - started) / 1000;
  const lines = stdout.trim().split("\n");
  const spent = [...(lines.at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuSeconds = spent.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
  const [, rss] = /^rss (\d+)$/m.exec(stdout) ?? [];
  const [, seconds] = /^seconds ([\d.]+)$/m.exec(stdout) ?? [];
  return { wallSeconds, cpuSeconds, sealSeconds: Number(seconds ?? 0), rssBytes: Number(rss ?? 0) };
}

/**
 * Touches as much memory as the run will write. A virtual machine gives freed memory back to its host,
 * and whoever writes first pays for getting it again.
 */
async function warm(folder: string): Promise<void> {
  const path = join(folder, "warm");
  await pipeline(
    Readable.from(blocksOf(Buffer.alloc(8 * MIB), BYTES + 64 * MIB)),
    createWriteStream(path),
  );
  await rm(path);
}

/** Each round begins with another side: none is always the first, or the last. */
function turned<T>(sides: readonly T[], round: number): readonly T[] {
  const first = round % sides.length;
  return [...sides.slice(first), ...sides.slice(0, first)];
}

function* blocksOf(block: Uint8Array, bytes: number): Generator<Uint8Array> {
  for (let made = 0; made < bytes; made += block.length) yield block;
}

async function makeFiles(folder: string): Promise<void> {
  const block = randomBytes(8 * MIB);
  const make = (name: string, bytes: number): Promise<void> =>
    pipeline(Readable.from(blocksOf(block, bytes)), createWriteStream(join(folder, name)));
  await make("0", BYTES);
  for (const name of ["1", "2", "3", "4"]) await make(name, BYTES / 4);
}
