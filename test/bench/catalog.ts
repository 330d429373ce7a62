import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SegmentId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, plus } from "#base/time";
import { readConfig, readText } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../config/secrets.ts";
import { archiveOnce } from "../../daemon/archive.ts";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { archivePath, catalogPath, originOf, vaultFolder } from "../../daemon/places.ts";
import { segmentsToStore } from "../../storage/catalog/copies.ts";
import {
  countOverdue,
  countStates,
  dueSegments,
  markDestroying,
  recordDestroyed,
} from "../../storage/catalog/due.ts";
import { markStored, spoolBytes } from "../../storage/catalog/evict.ts";
import { findGaps, findSegments } from "../../storage/catalog/find.ts";
import { countHolds, holdsToConfirm } from "../../storage/catalog/holds.ts";
import { migrate } from "../../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../../storage/catalog/sqlite.ts";
import { openTree } from "../../storage/ledger/append.ts";
import { recordPublished, signCheckpoint } from "../../storage/ledger/checkpoint.ts";
import { type NodeKey, parseNodeKey } from "../../storage/ledger/note.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";
import { openDirectoryVault } from "../../storage/vault/directory.ts";
import { startBox } from "./box.ts";
import { hurry } from "./bulk.ts";
import { type Figure, figure, median } from "./figure.ts";
import { CAMERAS, destroyDay, makeDay, makeGaps, makeHolds, pairCameras } from "./made.ts";
import { flag, option, textOption } from "./options.ts";

const NEVER = new AbortController().signal;
const A_DAY = 72_000;
const TERM_DAYS = 28;
const ROUNDS = 15;

/**
 * `--segments N` (3,000,000): a catalog as fifty cameras fill it, then what core asks of it, by core's own
 * functions. `--year [--scale 0.05]`: a year of them, day by day, with the archive, and the same figures.
 * `--folder F`: made there, kept, and only measured the next time.
 */
export async function catalogBench(): Promise<readonly Figure[]> {
  const kept = textOption("folder");
  const folder = kept ?? (await mkdtemp(join(tmpdir(), "bewaard-bench-")));
  try {
    const config = (await configIn(folder)) ?? (await make(folder));
    const figures = [...(await started(folder, config))];
    await using database = await openDatabase(catalogPath(config));
    // Of a kept one the thousand that were due have been destroyed; an hour on there are more.
    return [...figures, ...(await asked(database, plus(systemClock.now(), HOUR_MS)))];
  } finally {
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function configIn(folder: string): Promise<Config | undefined> {
  const path = join(folder, "bewaard.yaml");
  return existsSync(path) ? readConfig(path) : undefined;
}

async function make(folder: string): Promise<Config> {
  const began = performance.now();
  const { config } = await makeDemoSite(systemClock, folder, ["bc-0101"], 2, NEVER);
  await mkdir(config.state, { recursive: true });
  // The box's own: it goes on signing this ledger, and `verify` checks the signatures.
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  const now = systemClock.now();
  await using database = await openDatabase(catalogPath(config));
  await migrate(database);
  await hurry(database);
  if (flag("year")) await liveAYear(database, config, now, key, A_DAY * option("scale", 0.05));
  else await fill(database, now, key, option("segments", 3_000_000));
  process.stderr.write(`made in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  return config;
}

/** Forty-two days: two thirds kept, one third destroyed, and the thousand that are due next. */
async function fill(database: Database, now: Instant, key: NodeKey, all: number): Promise<void> {
  await pairCameras(database, instant(now - 60 * DAY_MS));
  const days = 42;
  const segments = Math.round(all / days);
  const due = new Map<number, readonly SegmentId[]>();
  for (let day = days; day > 0; day -= 1) {
    const from = instant(now - day * DAY_MS);
    const destroyed = destroyedOf(day, segments);
    const ids = await makeDay(database, { from, segments, destroyed, inSpool: day <= 3 });
    due.set(day, ids.slice(0, destroyed));
    if (day === 20) await makeHolds(database, from, ids);
    await destroyDay(database, plus(from, DAY_MS), due.get(day + TERM_DAYS) ?? []);
    due.delete(day + TERM_DAYS);
    await sign(database, plus(from, DAY_MS), key);
    if (day % 7 === 0) process.stderr.write(`${days - day} of ${days} days\n`);
  }
  await makeGaps(database, instant(now - 42 * DAY_MS), 10_000);
}

/** How many segments of the day `day` days ago are destroyed by now: all that were due, but a thousand. */
function destroyedOf(day: number, segments: number): number {
  if (day <= TERM_DAYS) return 0;
  return Math.max(0, segments - (day === TERM_DAYS + 1 ? 1000 : 0));
}

async function sign(database: Database, at: Instant, key: NodeKey): Promise<void> {
  const signed = await signCheckpoint(database, at, key);
  if (signed) await recordPublished(database, signed.size, at);
}

/** A year that ends now. Rows leave a day after their destruction here, not 400 days. */
async function liveAYear(
  database: Database,
  config: Config,
  now: Instant,
  key: NodeKey,
  aDay: number,
): Promise<void> {
  const readBook = async () => parseRecipientBook(await readText(config.recipients));
  await using vault = await openDirectoryVault(vaultFolder(config.vault));
  const box = { node: config.node, path: archivePath(config), readBook, afterMs: DAY_MS };
  await pairCameras(database, instant(now - 400 * DAY_MS));
  const due = new Map<number, readonly SegmentId[]>();
  let archives = 0;
  for (let day = 365; day > 0; day -= 1) {
    const from = instant(now - day * DAY_MS);
    const end = plus(from, DAY_MS);
    const destroyed = destroyedOf(day, aDay);
    const ids = await makeDay(database, { from, segments: aDay, destroyed, inSpool: day <= 3 });
    due.set(day, ids.slice(0, destroyed));
    await destroyDay(database, end, due.get(day + TERM_DAYS) ?? []);
    due.delete(day + TERM_DAYS);
    await sign(database, end, key);
    const clock = { ...systemClock, now: () => end };
    while (await archiveOnce(clock, database, vault, box, end, NEVER)) archives += 1;
    if (day % 30 === 0) process.stderr.write(`day ${365 - day}, ${archives} archives\n`);
  }
}

/** The real process: from its start to its first answer, and its memory a while later. */
async function started(folder: string, config: Config): Promise<readonly Figure[]> {
  // The first start fills the cache of compiled code, as the first one of a box does.
  await (await startBox(folder, config, ["core"])).stop();
  const seconds: number[] = [];
  let peak = 0;
  for (let round = 0; round < 3; round += 1) {
    const box = await startBox(folder, config, ["core"]);
    seconds.push(box.readySeconds);
    await systemClock.sleep(5000, NEVER);
    peak = Math.max(peak, await box.peakBytes());
    await box.stop();
  }
  return [
    figure("start to first answer", median(seconds), "s", "<= 3"),
    figure("resident memory of core, at most", peak / 1e6, "MB", "<= 200"),
  ];
}

async function asked(database: Database, now: Instant): Promise<readonly Figure[]> {
  const device = CAMERAS[7];
  const at = instant(now - 10 * DAY_MS);
  const window = { device, from: at, to: plus(at, HOUR_MS) };
  const figures = [
    await timed("find, a camera and an hour", "<= 20", () => findSegments(database, window)),
    await timed("find, all cameras, ten minutes", "<= 100", () =>
      findSegments(database, { device: undefined, from: at, to: plus(at, 10 * MINUTE_MS) }),
    ),
    await timed("gaps, a camera and an hour", "<= 20", () => findGaps(database, window)),
    await timed("what is to be stored", "<= 20", () =>
      segmentsToStore(database, { dueAfter: now, provisional: true, except: [] }, 50),
    ),
    await timed("holds to confirm", "<= 20", () => holdsToConfirm(database, "", 500)),
    await timed("what the ring may overwrite", "<= 100", () => markStored(database, now, 1)),
    await timed("counts for status", "<= 20", async () => {
      await countStates(database);
      await countHolds(database);
      await spoolBytes(database);
    }),
    await timed("count of what is overdue", "<= 100", () => countOverdue(database, now)),
    await timed("the ledger's head", "<= 5", () => database.transaction(openTree)),
  ];
  return [...figures, ...(await swept(database, now))];
}

/** A sweep: finds what is due, marks it. Once only: afterwards nothing is due. */
async function swept(database: Database, now: Instant): Promise<readonly Figure[]> {
  const due = await dueSegments(database, now, 1000);
  const sweep = await timed(`a sweep that finds ${due.length} due`, "<= 100", () =>
    dueSegments(database, now, 1000),
  );
  const found = performance.now();
  const marked = await markDestroying(
    database,
    now,
    due.map(({ id }) => id),
    0,
  );
  const done = performance.now();
  await recordDestroyed(
    database,
    now,
    marked.map((id) => ({ id, versions: 1, missing: false, by: "box", markers: 0 })),
  );
  return [
    sweep,
    figure("marking them, with their ledger entry", done - found, "ms", "<= 300"),
    figure("recording them destroyed", performance.now() - done, "ms", "<= 300"),
  ];
}

/** The median of some rounds after a first one; the slowest and the CPU of one are printed beside it. */
async function timed(name: string, target: string, body: () => Promise<unknown>): Promise<Figure> {
  await body();
  const wall: number[] = [];
  const cpu = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    await body();
    wall.push(performance.now() - began);
  }
  const used = process.cpuUsage(cpu);
  const cpuMs = (used.user + used.system) / 1000 / ROUNDS;
  const most = Math.max(...wall);
  process.stderr.write(`${name}: at most ${most.toFixed(1)} ms, CPU ${cpuMs.toFixed(1)} ms\n`);
  return figure(name, median(wall), "ms", target);
}
