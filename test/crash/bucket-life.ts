import { renameSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "winston";
import { parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { readConfig } from "../../config/load.ts";
import { type Ask, asker } from "../../daemon/control/client.ts";
import { passUntil, simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import { openEvents } from "../../daemon/events.ts";
import { runCore } from "../../daemon/main.ts";
import { unattended } from "../../daemon/notify/attendant.ts";
import { catalogPath, socketPath } from "../../daemon/places.ts";
import { runDock } from "../../daemon/run-dock.ts";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { answering } from "../fakes/answering.ts";
import { started } from "../fakes/started.ts";
import { holdBoth, isReleased, releaseOne } from "./decide.ts";

// The life of three recordings whose vault is a bucket, in one process that a crash test kills anywhere and
// starts again: docked, stored – one of them in parts –, one held, one held and released, destroyed by this
// box, or by the bucket's own rule. The bucket is another process, and goes by the time that is noted here.

const folder = process.argv[2] ?? "";
const FILES = 3;
const desk = join(folder, "desk");
const config = await readConfig(join(folder, "bewaard.yaml"));
const locked = "s3" in config.vault && config.vault.s3.level === "locked";
const born = instant(Number(await readFile(join(folder, "born"), "utf8")));
const clock = simulatedClock(instant(Number(await readFile(join(folder, "now"), "utf8"))));

/** Whole or not at all: the bucket reads it at any moment. */
function noteTime(ms: number): void {
  writeFileSync(join(folder, "now.new"), String(ms));
  renameSync(join(folder, "now.new"), join(folder, "now"));
}

/** Lets time pass in hops until it is seen. */
async function mustSee(
  what: string,
  hopMs: number,
  limitMs: number,
  seen: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const noted = async (): Promise<boolean> => {
    noteTime(clock.now());
    return seen();
  };
  if (!(await passUntil(clock, hopMs, limitMs, noted, signal)))
    throw new Error(`not seen in time: ${what}`);
}

async function segmentsOf(ask: Ask) {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  return segments.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
}

async function everyBatchIsClosed(): Promise<boolean> {
  await using database = await openDatabase(catalogPath(config));
  const open = await database.aside((sql) =>
    sql.all("select 1 from batch where entry_seq is null"),
  );
  return open.length === 0;
}

function at(id: SegmentId) {
  return { node: config.node, id };
}

async function decide(ask: Ask, signal: AbortSignal): Promise<void> {
  const [, held, released] = (await segmentsOf(ask)).map(({ id }) => parseSegmentId(id));
  if (!held || !released) throw new Error("not three recordings");
  if (!(await isReleased(desk, signal)))
    await holdBoth(clock, desk, [at(held), at(released)], signal);
  const inForce = async () =>
    (await ask("status", {})).holds.inForce === 2 || (await isReleased(desk, signal));
  await mustSee("the holds in force", MINUTE_MS, 3 * HOUR_MS, inForce, signal);
  await releaseOne(clock, desk, at(released), signal);
  const one = async () => (await ask("status", {})).holds.inForce === 1;
  await mustSee("one hold in force", MINUTE_MS, 3 * HOUR_MS, one, signal);
}

async function live(signal: AbortSignal): Promise<void> {
  const ask = asker(socketPath(config), signal);
  await answering(ask, signal);
  await ask("clock.confirm", { timeMs: clock.now(), by: "test" });
  await started(clock, signal);
  const statesOf = async () => (await segmentsOf(ask)).map(({ state }) => state);
  const decided = (await statesOf()).some((state) => state.startsWith("destroy"));
  if (!decided) {
    const stored = async () =>
      (await statesOf()).filter((one) => one === "stored").length === FILES;
    await mustSee("all stored", 5 * SECOND_MS, HOUR_MS, stored, signal);
    await decide(ask, signal);
  }
  // Where locks end, or shortly before the box destroys the first, which is half an hour older than the site: near
  // that, hops are small, for each start takes some.
  const early = locked ? 26 * DAY_MS - HOUR_MS : 28 * DAY_MS - HOUR_MS - 35 * MINUTE_MS;
  const almost = Math.max(0, born + early - clock.now());
  noteTime(clock.now() + almost);
  await clock.pass(almost, signal);
  const gone = async () =>
    (await statesOf()).filter((state) => state === "destroyed").length === FILES - 1;
  const hop = locked ? HOUR_MS / 2 : MINUTE_MS;
  await mustSee("all but one destroyed", hop, 2 * DAY_MS, gone, signal);
  // A sweep more: it closes what a crash left open.
  await mustSee("every batch closed", MINUTE_MS, HOUR_MS, everyBatchIsClosed, signal);
  const { findings } = await ask("verify", { depth: "hashes" });
  const { holds } = await ask("status", {});
  const segments = await segmentsOf(ask);
  const late = clock.now() > born + 28 * DAY_MS;
  process.stdout.write(JSON.stringify({ segments, findings, holds, late }));
}

const finished = new AbortController();
const events = openEvents(createLogger({ silent: true }));
await together(finished.signal, [
  (s) => runCore(clock, events, unattended(clock), config, s),
  (s) => runDock(clock, events, unattended(clock), config, s),
  async (s) => {
    await live(s);
    finished.abort();
  },
]);
