import { execFile } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "#base/system-clock";
import { dayOf, SECOND_MS } from "#base/time";
import { asker } from "../../daemon/control/client.ts";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { socketPath } from "../../daemon/places.ts";
import { readBook } from "../../daemon/recipients.ts";
import { openSealPool, type SealPool } from "../../storage/seal/pool.ts";
import { recipientFor } from "../../storage/seal/recipients.ts";
import { type RunningBox, startBox } from "./box.ts";
import { cameraOf, openMemoryDocks } from "./docks-cards.ts";
import { openJournal } from "./docks-journal.ts";
import { fillEndless, startSecondRead } from "./docks-second.ts";

// The bench of docks, inside mounts of its own: `docks-side.ts <folder> <rounds> <MiB a file>`. Prints what it measured as JSON.

const run = promisify(execFile);
const [folder = "", rounds = "", mib = ""] = process.argv.slice(2);
const NEVER = new AbortController().signal;
const MIB = 1024 * 1024;

const FOUR = [0, 1, 2, 3];
/** One more, whose card is read a second time meanwhile. */
const FIFTH = 4;
const SIXTEEN = Array.from({ length: 16 }, (_, index) => index);
const FILES = [1, 2, 3].map(() => Number(mib) * MIB);
const MOMENT_MS = 100;
/** Two large ones and many small: what is remembered of files counts as well. */
const MANY_FILES = [32 * MIB, 32 * MIB, ...Array.from({ length: 50 }, () => 4096)];

const site = await makeDemoSite(systemClock, folder, [], 2, NEVER);
const { config } = site;
const docks = await openMemoryDocks(folder, config, SIXTEEN.length);
const ask = asker(socketPath(config), NEVER);
const { recipient } = recipientFor(await readBook(config.recipients), dayOf(systemClock.now()));
const made = join(folder, "made");
await mkdir(made);
let journal = openJournal();

const seconds = {
  docks: new Array<number>(),
  pool: new Array<number>(),
  shell: new Array<number>(),
};
/** Of first reads in which a second one pauses each other moment: what was read in those moments. */
const besides = {
  with: { firstBytes: 0, secondBytes: 0, ms: 0 },
  without: { firstBytes: 0, secondBytes: 0, ms: 0 },
};
await fillEndless(docks, FIFTH);
await roundsOfFour();
const peakBytes = await sixteenAtOnce();
const bytes = FOUR.length * sum(FILES);
process.stdout.write(JSON.stringify({ bytes, seconds, besides, peakBytes }));

async function roundsOfFour(): Promise<void> {
  const core = await start("core");
  const dock = await start("dock");
  await ask("clock.confirm", { timeMs: systemClock.now(), by: "bench" });
  for (const camera of SIXTEEN) await docks.pair(ask, camera);
  await docks.plug(FIFTH);
  await using pool = openSealPool(availableParallelism());
  const sides = {
    docks: () => firstRead(FOUR),
    pool: () => poolAlone(pool),
    shell: inSequence,
  };
  // The first round only warms up.
  for (let round = 0; round <= Number(rounds); round += 1) {
    for (const side of turned(["docks", "pool", "shell"] as const, round)) {
      for (const camera of FOUR) await docks.fill(camera, FILES);
      const took = await sides[side]();
      if (round > 0) seconds[side].push(took);
      process.stderr.write(`round ${round}/${rounds} ${side}: ${took.toFixed(2)} s\n`);
      await throwAway();
    }
    for (const camera of FOUR) await docks.fill(camera, FILES);
    await firstReadBesides(dock);
    await throwAway();
  }
  await dock.stop();
  await core.stop();
}

/** From the first of these cards that is recognised to the last file of theirs that is handed over. */
async function firstRead(cameras: readonly number[], files = FILES.length): Promise<number> {
  journal = openJournal();
  await docks.plug(...cameras);
  const started = await journal.nth("slot-busy", 1);
  const ended = await journal.nth("sealed", cameras.length * files);
  await docks.pull(...cameras);
  return (ended - started) / 1000;
}

/**
 * A first read of four cards while a fifth is read a second time, for `MOMENT_MS` and then not for as long: what
 * else goes on in this machine is the same in both.
 */
async function firstReadBesides(dock: RunningBox): Promise<void> {
  const second = await startSecondRead(folder, config, docks, FIFTH, `${cameraOf(FIFTH).disk}1`);
  const over = new AbortController();
  const read = firstRead(FOUR).finally(() => over.abort());
  await journal.nth("slot-busy", 1);
  for (let moment = 0; !over.signal.aborted; moment += 1) {
    const isWith = moment % 2 === 0;
    if (isWith) second.resume();
    else second.pause();
    const before = [await dock.readBytes(), await second.readBytes(), performance.now()] as const;
    await systemClock.sleep(MOMENT_MS, NEVER);
    const after = [await dock.readBytes(), await second.readBytes(), performance.now()] as const;
    // Its end is not full of reading, and its beginning not yet.
    if (over.signal.aborted || moment < 2) continue;
    const total = besides[isWith ? "with" : "without"];
    total.firstBytes += after[0] - before[0];
    total.secondBytes += after[1] - before[1];
    total.ms += after[2] - before[2];
  }
  await second.stop();
  await read;
}

async function poolAlone(pool: SealPool): Promise<number> {
  const paths = (await Promise.all(FOUR.map(filesOf))).flat();
  const started = performance.now();
  await Promise.all(
    paths.map((path) =>
      pool.seal(Buffer.from(path), join(made, `${basename(path)}.age`), [recipient], NEVER),
    ),
  );
  return (performance.now() - started) / 1000;
}

/** What a careful administrator would do, a card at a time. */
async function inSequence(): Promise<number> {
  const steps = FOUR.map((camera) => {
    const card = join(docks.cardOf(camera), "DCIM/100MEDIA");
    return `cp "${card}"/*.MP4 "${made}" && sha256sum "${made}"/*.MP4 >"${made}/sums" && for one in "${made}"/*.MP4; do age -r ${recipient} -o "$one.age" "$one"; done && rm "${made}"/*.MP4`;
  });
  const started = performance.now();
  await run("sh", ["-c", steps.join(" && ")]);
  return (performance.now() - started) / 1000;
}

/** The most memory that a box just started ever had, with sixteen cards that were read at once. */
async function sixteenAtOnce(): Promise<number> {
  const box = await start("core", "dock");
  for (const camera of SIXTEEN) await docks.fill(camera, MANY_FILES);
  await docks.pull(FIFTH);
  const took = await firstRead(SIXTEEN, MANY_FILES.length);
  process.stderr.write(`sixteen slots: ${took.toFixed(2)} s\n`);
  const peak = await box.peakBytes();
  await box.stop();
  return peak;
}

function start(...parts: string[]): Promise<RunningBox> {
  return startBox(folder, config, parts, (line) => journal.hear(line));
}

async function filesOf(camera: number): Promise<readonly string[]> {
  const media = join(docks.cardOf(camera), "DCIM/100MEDIA");
  return (await readdir(media))
    .filter((name) => name.endsWith(".MP4"))
    .map((name) => join(media, name));
}

/** Waits until core is done with all of it, and lets go of the memory. */
async function throwAway(): Promise<void> {
  for (;;) {
    const { states } = await ask("status", {});
    if (
      (states["sealed"] ?? 0) === 0 &&
      (await readdir(join(config.spool.path, "incoming/dock"))).length === 0
    )
      break;
    await systemClock.sleep(SECOND_MS / 10, NEVER);
  }
  for (const where of [made, join(config.spool.path, "segments"), join(folder, "vault/footage")]) {
    for (const name of await sealedIn(where)) await rm(join(where, name));
  }
}

async function sealedIn(where: string): Promise<readonly string[]> {
  try {
    return (await readdir(where, { recursive: true })).filter((name) => name.endsWith(".age"));
  } catch {
    // Nothing was ever kept there.
    return [];
  }
}

/** Each round begins with another side: none is always the first, or the last. */
function turned<T>(sides: readonly T[], round: number): readonly T[] {
  const first = round % sides.length;
  return [...sides.slice(first), ...sides.slice(0, first)];
}

function sum(all: readonly number[]): number {
  return all.reduce((total, one) => total + one, 0);
}
