import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "winston";
import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, isoOf, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { openProgress } from "../cli/progress.ts";
import { localTime } from "../cli/shown.ts";
import { type Ask, asker } from "../control/client.ts";
import { type Events, openEvents } from "../events.ts";
import { runCore } from "../main.ts";
import { unattended } from "../notify/attendant.ts";
import { socketPath } from "../places.ts";
import { runDock } from "../run-dock.ts";
import { answering } from "./answering.ts";
import { openDemoBucket } from "./demo-bucket.ts";
import { dockScene } from "./dock-scene.ts";
import { type GivenBucket, openGivenBucket } from "./given-bucket.ts";
import { CLIPS, type Clip, dayTheClockWentBack, dockClips, oddScene } from "./odd-clips.ts";
import { proveDestroyed } from "./proof-scene.ts";
import { destroyedEverywhere, holdOne, openWithStockAge } from "./scenes.ts";
import { openShow, type Show } from "./show.ts";
import { passUntil, type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
import { type DemoSite, makeDemoSite } from "./site.ts";
import { vaultScene } from "./vault-scene.ts";
import { realTime, simulatedTime } from "./vault-time.ts";
import { wallScene } from "./wall-scene.ts";

/** Which clip an incident is about. */
const HELD = 1;

/**
 * Shows the whole life of footage with the real program on real video, in a folder of its own; only
 * cameras and the 28 days are simulated. Exit code 0 only when everything promised was seen.
 */
export async function demo(
  keep: boolean,
  given: GivenBucket | undefined,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bewaard-demo-"));
  const show = openShow();
  try {
    const events = openEvents(createLogger({ silent: true }));
    await wallScene(join(folder, "wall"), events, show, signal);
    await mkdir(join(folder, "docks"));
    await dockScene(join(folder, "docks"), events, show, signal);
    await mkdir(join(folder, "bucket"));
    await inBucket(join(folder, "bucket"), events, show, given, signal);
    const clock = simulatedClock(dayTheClockWentBack(systemClock.now()));
    const site = await makeDemoSite(clock, folder, ["bc-0101", "bc-0102"], 40, signal);
    const finished = new AbortController();
    await together(AbortSignal.any([signal, finished.signal]), [
      (s) => runCore(clock, events, unattended(clock), site.config, s),
      (s) => runDock(clock, events, unattended(clock), site.config, s),
      async (s) => {
        await play(clock, folder, site, show, s);
        finished.abort();
      },
    ]);
  } finally {
    if (keep) show.say(`Bewaard in / kept in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  if (!show.end()) process.exitCode = 1;
}

/** In a bucket of our own days pass; in one somewhere they come as they come. */
async function inBucket(
  folder: string,
  events: Events,
  show: Show,
  given: GivenBucket | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (given !== undefined) {
    await using bucket = await openGivenBucket(given, show);
    await vaultScene(folder, events, show, bucket, realTime, signal);
    return;
  }
  const ofServer = simulatedClock(systemClock.now());
  await using bucket = await openDemoBucket(ofServer);
  const time = simulatedTime(simulatedClock(ofServer.now()), ofServer);
  await vaultScene(folder, events, show, bucket, time, signal);
}

async function play(
  clock: SimulatedClock,
  folder: string,
  site: DemoSite,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  const ask = asker(socketPath(site.config), signal);
  await answering(ask, signal);
  await ask("clock.confirm", { timeMs: clock.now(), by: "demo" });

  show.say(
    `Het is / it is ${localTime(isoOf(clock.now()))}: vannacht ging de klok terug / went back`,
  );
  show.say("Twee bodycams worden in het dock gezet / two bodycams are docked");
  const clips = await dockClips(clock, site);
  const everything = { device: null, fromMs: clock.now() - 40 * DAY_MS, toMs: clock.now() };
  const segments = async () => (await ask("find", everything)).segments;
  const stored = async () =>
    (await segments()).filter(({ state }) => state === "stored").length === CLIPS.length;
  show.expect("verzegeld en bewaard / sealed and stored", {
    expected: `${CLIPS.length} van / of ${CLIPS.length}`,
    seen: (await passUntil(clock, SECOND_MS, 10 * MINUTE_MS, stored, signal))
      ? `${CLIPS.length} van / of ${CLIPS.length}`
      : "niet alles / not all",
  });
  show.table(await segments());

  const idOf = async (clip: Clip | undefined): Promise<string> =>
    (await segments()).find(({ startedAt }) => clip && startedAt === isoOf(clip.startedAt))?.id ??
    "";
  const clip = clips[HELD];
  const held = await idOf(clip);
  // The ledger is published within the hour; the desk reads it there.
  await passUntil(clock, 5 * MINUTE_MS, 2 * HOUR_MS, published(ask), signal);
  show.expect(
    "geopend met `age -d` / opened with `age -d`",
    await openWithStockAge(clock, folder, site, held, clip?.path ?? "", signal),
  );
  for (const odd of clips) {
    const seen = await oddScene(clock, folder, site, odd, await idOf(odd), ask, signal);
    if (seen) show.expect(seen.what, seen);
  }
  show.expect("veiliggesteld / held", await holdOne(clock, site, held, ask, signal));

  const ages = await letPass(clock, segments, signal);
  for (const expectation of await destroyedEverywhere(
    site,
    ask,
    held,
    ages,
    CLIPS.length,
    signal,
  )) {
    show.expect(expectation.what, expectation);
  }
  show.table(await segments());

  const gone = (await segments()).find(({ state }) => state === "destroyed")?.id ?? "";
  for (const expectation of await proveDestroyed(clock, folder, gone, ask, signal)) {
    show.expect(expectation.what, expectation);
  }
}

/** Lets 28 days pass; returns at what age each segment was first seen destroyed. */
async function letPass(
  clock: SimulatedClock,
  segments: () => Promise<readonly { id: string; state: string; startedAt: string }[]>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const ages = new Map<string, number>();
  const days = 28;
  const progress = openProgress("28 dagen / days", days);
  const start = clock.now();
  while (clock.now() < start + days * DAY_MS) {
    await clock.pass(30 * MINUTE_MS, signal);
    for (const { id, state, startedAt } of await segments()) {
      if (state === "destroyed" && !ages.has(id)) ages.set(id, clock.now() - Date.parse(startedAt));
    }
    progress.update(Math.floor((clock.now() - start) / DAY_MS));
  }
  progress.end();
  return ages;
}

function published(ask: Ask): () => Promise<boolean> {
  return async () => {
    const { checkpoint } = await ask("status", {});
    return checkpoint !== null && checkpoint.publishedAt !== null && checkpoint.size > CLIPS.length;
  };
}
