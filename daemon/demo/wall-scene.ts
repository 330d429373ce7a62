import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { parseSegmentId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { dayOf, instantOf, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { openSpool, segmentPath } from "../../storage/spool/spool.ts";
import { shownFound } from "../cli/shown-found.ts";
import { asker } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { dayIdentity } from "../desk/open.ts";
import { openStation } from "../desk/station.ts";
import type { Events } from "../events.ts";
import { runCore } from "../main.ts";
import { unattended } from "../notify/attendant.ts";
import { socketPath } from "../places.ts";
import { runRecord } from "../record/run-record.ts";
import { answering } from "./answering.ts";
import type { Show } from "./show.ts";
import type { DemoSite } from "./site.ts";
import { GUARDED, HEARING, openWallSite, type WallSite } from "./wall-site.ts";

const PATIENCE_MS = 40 * SECOND_MS;
/** So long one of the cameras has no power. */
const WITHOUT_POWER_MS = 6 * SECOND_MS;

type Found = Result<"find">;

/**
 * Records two simulated cameras on a wall with the real recorder, in real time; cuts one of them off, and
 * shows the gap, and that the other's sound was not even asked for.
 */
export async function wallScene(
  folder: string,
  events: Events,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  await using wall = await openWallSite(systemClock, folder, signal);
  const { config } = wall.site;
  const finished = new AbortController();
  await together(AbortSignal.any([signal, finished.signal]), [
    (s) => runCore(systemClock, events, unattended(systemClock), config, s),
    (s) => runRecord(systemClock, events, unattended(systemClock), config, s),
    async (s) => {
      await play(wall, show, s);
      finished.abort();
    },
  ]);
}

async function play(wall: WallSite, show: Show, signal: AbortSignal): Promise<void> {
  const { site, guarded, hearing } = wall;
  const ask = asker(socketPath(site.config), signal);
  await answering(ask, signal);
  await ask("clock.confirm", { timeMs: systemClock.now(), by: "demo" });
  const from = plus(systemClock.now(), -MINUTE_MS);
  const window = () => ({ from, to: plus(systemClock.now(), MINUTE_MS) });
  const find = () => ask("find", { device: null, fromMs: window().from, toMs: window().to });

  show.say(
    "Twee camera's aan de wand, elke 5 tellen een bestand / two cameras on a wall, a file each 5 seconds",
  );
  const both = await until(
    find,
    (found) => count(found, GUARDED) > 1 && count(found, HEARING) > 1,
    signal,
  );
  show.expect("nemen op / record", {
    expected: `${GUARDED}, ${HEARING}`,
    seen: [GUARDED, HEARING].filter((device) => count(both, device) > 1).join(", "),
  });

  show.say(`${GUARDED} zonder stroom / without power`);
  const before = count(await find(), GUARDED);
  await guarded.unplug();
  await systemClock.sleep(WITHOUT_POWER_MS, signal);
  await guarded.plugIn();
  // The segment that was cut off is one more; what comes after the gap another.
  const after = await until(
    find,
    (found) => found.gaps.length > 0 && count(found, GUARDED) > before + 1,
    signal,
  );
  show.say("");
  show.say(
    shownFound(
      after,
      { ...window(), cameTwice: false, remarks: [] },
      { camera: undefined, place: undefined },
    ),
  );
  show.say("");
  show.expect("het gat in `bewaarctl find` / the gap in `bewaarctl find`", {
    expected: `${GUARDED}, camera-unreachable, ja / yes`,
    seen: after.gaps.map(shownGap).join("; "),
  });

  show.expect(`${HEARING} biedt geluid; gevraagd is / offers sound; asked for was`, {
    expected: "video",
    seen: [...new Set(hearing.setups)].join(", "),
  });
  const last = after.segments.findLast(({ device }) => device === HEARING);
  show.expect("met `age -d` en `ffprobe`: sporen / with `age -d` and `ffprobe`: tracks", {
    expected: "video",
    seen: last === undefined ? "" : await tracksOf(site, last),
  });
}

function count({ segments }: Found, camera: string): number {
  return segments.filter(({ device }) => device === camera).length;
}

/** Whose gap, why, and whether it is about as long as the camera was away: it may take a second or two to notice. */
function shownGap({ device, cause, startedAt, endedAt }: Found["gaps"][number]): string {
  const longMs = instantOf(endedAt) - instantOf(startedAt);
  const right =
    longMs >= WITHOUT_POWER_MS - SECOND_MS && longMs < WITHOUT_POWER_MS + 30 * SECOND_MS;
  return `${device}, ${cause}, ${right ? "ja / yes" : `${longMs} ms`}`;
}

/** Asks until `seen`, or until patience ends; returns what was found last. */
async function until(
  find: () => Promise<Found>,
  seen: (found: Found) => boolean,
  signal: AbortSignal,
): Promise<Found> {
  const end = systemClock.uptimeMs() + PATIENCE_MS;
  for (;;) {
    const found = await find();
    if (seen(found) || systemClock.uptimeMs() > end) return found;
    await systemClock.sleep(SECOND_MS / 4, signal);
  }
}

/** What stock tools find in a sealed segment: no plaintext touches the disk. */
async function tracksOf(
  { config, desk, officerKey }: DemoSite,
  { id, arrivedAt, startedAt }: Found["segments"][number],
): Promise<string> {
  await using station = await openStation(desk);
  const identity = await dayIdentity(station, dayOf(instantOf(startedAt)), officerKey);
  const spool = await openSpool(config.spool.path, config.node);
  const sealed = segmentPath(spool, parseSegmentId(id), instantOf(arrivedAt));
  const age = spawn("age", ["-d", "-i", "-", sealed], { stdio: ["pipe", "pipe", "inherit"] });
  // Counting makes it read to the end: it would hang up on age otherwise.
  const show = [
    "-v",
    "error",
    "-count_packets",
    "-show_entries",
    "stream=codec_type",
    "-of",
    "csv=p=0",
    "pipe:0",
  ];
  const ffprobe = spawn("ffprobe", show, { stdio: ["pipe", "pipe", "inherit"] });
  age.stdin.end(`${identity}\n`);
  const [, shown] = await Promise.all([pipeline(age.stdout, ffprobe.stdin), text(ffprobe.stdout)]);
  return shown.trim().split("\n").join(", ");
}
