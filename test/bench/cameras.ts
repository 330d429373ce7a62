import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { makeFilm } from "../../daemon/demo/simulated-clips.ts";
import { frameHashes } from "../peers/frames.ts";
import { handOverMs, stretches, wrongFrames } from "./cameras-kept.ts";
import { ffmpegAlone, type Kept, recorder, type Side, type Spell } from "./cameras-sides.ts";
import { type Figure, figure } from "./figure.ts";
import { option } from "./options.ts";

const SOURCE = fileURLToPath(new URL("./cameras-source.ts", import.meta.url));
const ROUNDS = 2;
/** Frames are compared of so many cameras: a round of the film is looked at in each of them. */
const LOOKED_AT = 8;
/** Before that a slope is the warming up of Node. */
const LONG_MINUTES = 5;

const FILM = {
  codec: "h264",
  size: "1920x1080",
  seconds: 20,
  framesPerSecond: 25,
  gop: 50,
  rate: 4_000_000,
} as const;

/** What is measured, over all rounds. */
interface Measured {
  readonly spells: Readonly<Record<Side, Spell[]>>;
  readonly waits: number[];
  frames: number;
  wrong: number;
  cuts: number;
}

/**
 * `--cameras` (8) of 1080p25 and 4 Mbit/s, `--minutes` (2) on each side, in two turns: ffmpeg alone, the
 * recorder, the recorder without the gate's relay.
 */
export async function camerasBench(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "bewaard-bench-"));
  const count = option("cameras", 8);
  const minutes = option("minutes", 2) / ROUNDS;
  const measured: Measured = {
    spells: { ffmpeg: [], relay: [], direct: [] },
    waits: [],
    frames: 0,
    wrong: 0,
    cuts: 0,
  };
  try {
    const path = await makeFilm(folder, FILM);
    const film = await frameHashes("h264", "-i", path);
    const source = spawn(process.execPath, [SOURCE, path, `${count}`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    try {
      const urls = await addressesOf(source.stdout);
      await startOnce(join(folder, "first"), urls);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const side of ["ffmpeg", "relay", "direct"] as const)
          await playSpell(side, folder, film, urls, minutes, measured);
      }
    } finally {
      source.stdin.end();
    }
    return figures(measured, count);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the first start after an update compiles is kept; that start alone has the compiler in memory. */
async function startOnce(folder: string, urls: readonly string[]): Promise<void> {
  await mkdir(folder);
  await recorder(folder, urls.slice(0, 1), 0, "relay");
  await rm(folder, { recursive: true });
}

async function playSpell(
  side: Side,
  folder: string,
  film: readonly string[],
  urls: readonly string[],
  minutes: number,
  measured: Measured,
): Promise<void> {
  const own = join(folder, side);
  await mkdir(own);
  if (side === "ffmpeg") measured.spells.ffmpeg.push(await ffmpegAlone(own, urls, minutes));
  else {
    const spell = await recorder(own, urls, minutes, side);
    measured.spells[side].push(spell);
    await look(own, film, urls.length, spell, measured);
  }
  const { cpuSeconds = 0 } = measured.spells[side].at(-1) ?? {};
  process.stderr.write(`${side}: ${cpuSeconds.toFixed(1)} s of CPU in ${minutes} minutes\n`);
  await rm(own, { recursive: true });
}

/** Adds what lies in incoming to what was measured. */
async function look(
  folder: string,
  film: readonly string[],
  cameras: number,
  kept: Kept,
  measured: Measured,
): Promise<void> {
  const all = await stretches(kept);
  if (all.length !== cameras) throw new Error(`${all.length} of ${cameras} cameras recorded`);
  for (const stretch of all) measured.waits.push(...handOverMs(stretch));
  for (const stretch of all.slice(0, LOOKED_AT)) {
    const { frames, wrong } = await wrongFrames(film, folder, kept, stretch);
    measured.frames += frames;
    measured.wrong += wrong;
    measured.cuts += stretch.segments.length - 1;
  }
}

function figures(measured: Measured, cameras: number): readonly Figure[] {
  const { spells, waits, frames, wrong, cuts } = measured;
  const cpu = (side: Side): number => {
    const seconds = spells[side].reduce((sum, one) => sum + one.cpuSeconds, 0);
    return seconds / cameras / spells[side].reduce((sum, one) => sum + one.minutes, 0);
  };
  const each = "s / camera-minute";
  const resident = spells.relay.flatMap((one) => one.resident);
  const long = (spells.relay.at(-1)?.minutes ?? 0) >= LONG_MINUTES;
  const slope = slopeOf(spells.relay.at(-1)?.resident ?? []);
  return [
    figure("CPU, ffmpeg -f segment alone", cpu("ffmpeg"), each, ">= 0"),
    figure("CPU, recorder without the gate's relay", cpu("direct"), each, ">= 0"),
    figure("CPU, recorder", cpu("relay"), each, ">= 0"),
    figure("without the relay / ffmpeg", cpu("direct") / cpu("ffmpeg"), "ratio", "<= 1.35"),
    figure("recorder / ffmpeg", cpu("relay") / cpu("ffmpeg"), "ratio", "<= 1.7"),
    figure("cuts looked at", cuts, "", ">= 10"),
    figure("frames looked at", frames, "", ">= 1"),
    figure("frames lost, doubled or strange", wrong, "", "<= 0"),
    figure("next fragment to manifest, p99", p99(waits), "ms", "<= 250"),
    figure(`resident, ${cameras} cameras, at most`, Math.max(...resident) / 1e6, "MB", "<= 150"),
    figure("slope of that", slope / 1e6, "MB / minute", long ? "<= 0.5" : "<= 1000"),
  ];
}

/** Of the second half, in bytes a minute: least squares over samples two seconds apart. */
function slopeOf(samples: readonly number[]): number {
  const half = samples.slice(samples.length / 2);
  const middle = (half.length - 1) / 2;
  const mean = half.reduce((sum, one) => sum + one, 0) / half.length;
  const over = half.reduce((sum, one, index) => sum + (index - middle) * (one - mean), 0);
  const under = half.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  return (over / under) * 30;
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}

async function addressesOf(stdout: NodeJS.ReadableStream): Promise<readonly string[]> {
  for await (const line of createInterface(stdout))
    return z.array(z.string()).parse(JSON.parse(line));
  throw new Error("the cameras do not start");
}
