import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Figure, figure, median } from "./figure.ts";
import { flag, option } from "./options.ts";
import { roomiest } from "./roomiest.ts";
import { makeBox, type WaitingBox } from "./vault-box.ts";
import { type OurRun, runOurs, runRclone, type Spent, startRclone } from "./vault-runs.ts";
import { type BenchServer, startOwn, startPeer } from "./vault-servers.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/**
 * The vault in a bucket against `rclone copy` with its defaults, each side a whole process, in turns, on the same
 * files and the same server: one of 1 GiB, and 34 of 30 MB, four at a time. `--rounds N` (5). Then a backlog of
 * `--backlog N` (10,000) segments, alone. `--ceph`: against Ceph as well.
 */
export async function vaultBench(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(await roomiest(4 * GIB), "bewaard-bench-"));
  try {
    const figures: Figure[] = [];
    const one = await boxIn(folder, "one", 1, GIB);
    const many = await boxIn(folder, "many", 34, 30e6);
    const against = async (name: string, server: BenchServer, wanted: boolean): Promise<void> => {
      await using _ending = server;
      figures.push(...(await compared(`1 GiB, ${name}`, one, server, wanted ? 1 : 0)));
      figures.push(...(await compared(`34 × 30 MB, ${name}`, many, server, wanted ? 0.9 : 0)));
    };
    if (option("rounds", 5) > 0) {
      await against("http", await startOwn(folder, false), true);
      await against("https", await startOwn(folder, true), false);
      if (flag("ceph")) await against("Ceph, http", await startPeer(), false);
    }
    const segments = option("backlog", 10_000);
    if (segments > 0) figures.push(...(await drained(folder, segments)));
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function boxIn(folder: string, name: string, segments: number, bytes: number) {
  const own = join(folder, name);
  await mkdir(own);
  return makeBox(own, segments, bytes, segments > 1000);
}

/**
 * Sides in turns, each round begun by the other; the first round of each only warms up. Ours is what it is in a
 * process that has done it once: the service starts once and runs for weeks. What `rclone` needs to start, with an
 * empty folder, is taken off its side. Beside that, our first time in a process just started against all of `rclone`.
 */
async function compared(
  what: string,
  box: WaitingBox,
  server: BenchServer,
  throughput: number,
): Promise<readonly Figure[]> {
  const ours: OurRun[] = [];
  const theirs: Spent[] = [];
  const sides = [
    async () => void ours.push(await runOurs(box, server, ["bench-2", "bench-3"])),
    async () => void theirs.push(await runRclone(box, server)),
  ];
  for (let round = 0; round <= option("rounds", 5); round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side();
    if (round === 0) [ours.length, theirs.length] = [0, 0];
    const [one, other] = [ours.at(-1), theirs.at(-1)];
    if (one === undefined || other === undefined) continue;
    const both = `${said(one.warm)} (at first ${said(one.cold)}); rclone ${said(other)}`;
    process.stderr.write(`${what}: ${both}\n`);
  }
  const start = await startRclone(box, server);
  const copying = theirs.map(({ wallSeconds, cpuSeconds }) => ({
    wallSeconds: wallSeconds - start.wallSeconds,
    cpuSeconds: cpuSeconds - start.cpuSeconds,
  }));
  const warm = ours.map((one) => one.warm);
  const cold = ours.map((one) => one.cold);
  const cpu = (runs: readonly Spent[]) =>
    median(runs.map(({ cpuSeconds }) => cpuSeconds)) / (box.bytes / GIB);
  const rate = (runs: readonly Spent[]) =>
    box.bytes / 1e6 / median(runs.map(({ wallSeconds }) => wallSeconds));
  const ratio = cpu(warm) / cpu(copying);
  const faster = rate(warm) / rate(copying);
  const wanted = throughput > 0;
  return [
    figure(`${what}: CPU per GiB`, cpu(warm), "s", wanted ? "<= 1.3" : ">= 0"),
    figure(`${what}: CPU per GiB of rclone`, cpu(copying), "s", ">= 0"),
    figure(`${what}: CPU, ours / rclone`, ratio, "ratio", wanted ? "<= 0.4" : ">= 0"),
    figure(`${what}: CPU per GiB, at first, with the start`, cpu(cold), "s", ">= 0"),
    figure(`${what}: the same / rclone`, cpu(cold) / cpu(theirs), "ratio", ">= 0"),
    figure(`${what}: throughput`, rate(warm), "MB/s", ">= 0"),
    figure(`${what}: throughput of rclone`, rate(copying), "MB/s", ">= 0"),
    figure(`${what}: throughput, ours / rclone`, faster, "ratio", `>= ${throughput}`),
    figure(`${what}: the same, at first`, rate(cold) / rate(theirs), "ratio", ">= 0"),
    figure(`${what}: resident memory, at most`, mostResident(ours), "MB", "<= 150"),
  ];
}

function said({ wallSeconds, cpuSeconds }: Spent): string {
  return `${wallSeconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s`;
}

function mostResident(runs: readonly OurRun[]): number {
  return Math.max(...runs.map(({ peakBytes }) => peakBytes)) / 1e6;
}

/** Memory is flat where its second half is no higher than its first, but for what the collector leaves lying. */
async function drained(folder: string, segments: number): Promise<readonly Figure[]> {
  await using server = await startOwn(folder, false);
  const box = await boxIn(folder, "backlog", segments, 64 * 1024);
  const run = await runOurs(box, server, ["bench-2"]);
  const { residentBytes } = run;
  const { wallSeconds, cpuSeconds } = run.warm;
  const quarter = (index: number): number => {
    const length = residentBytes.length / 4;
    return median(residentBytes.slice(length * index, length * (index + 1))) / 1e6;
  };
  process.stderr.write(
    `backlog: resident ${residentBytes.map((one) => (one / 1e6).toFixed()).join(" ")} MB\n`,
  );
  const what = `backlog of ${segments}`;
  return [
    figure(`${what}: memory, last quarter less the second`, quarter(3) - quarter(1), "MB", "<= 10"),
    figure(`${what}: resident memory, at most`, mostResident([run]), "MB", "<= 150"),
    figure(`${what}: segments a second`, segments / wallSeconds, "", ">= 0"),
    figure(`${what}: CPU of one`, (cpuSeconds * 1000) / segments, "ms", ">= 0"),
  ];
}
