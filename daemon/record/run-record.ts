import { atMostEvery } from "#base/at-most-every";
import type { BewaardError } from "#base/errors";
import { type Clock, every, HOUR_MS, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import type { Config } from "../../config/schema.ts";
import { readPassword, secretStamp } from "../../config/secrets.ts";
import { servedFfmpeg } from "../../config/served.ts";
import { openLease } from "../../storage/spool/lease.ts";
import { createIncoming, openSpool } from "../../storage/spool/spool.ts";
import { asker } from "../control/client.ts";
import type { Events } from "../events.ts";
import { settleCutOff } from "../leftovers.ts";
import type { Attendant } from "../notify/attendant.ts";
import { recordLine } from "../notify/record-line.ts";
import { spoolTakes } from "../notify/spool-takes.ts";
import {
  livePath,
  marksPath,
  passwordName,
  recorderFolder,
  recordSocketPath,
  roomPath,
  segmentMs,
  wallCamera,
} from "../places.ts";
import { keepBook, readBook, warnOfRecipients } from "../recipients.ts";
import type { Recorder } from "./attempt.ts";
import { openBacklog } from "./backlog.ts";
import { openBoard } from "./board.ts";
import { type Login, recordCamera } from "./camera.ts";
import { type ChangingTask, changingTasks } from "./changing-tasks.ts";
import { gapTeller } from "./gap-teller.ts";
import { type History, openHistory, settleOrSay } from "./history.ts";
import { type RoomKeeper, roomKeeper } from "./keep-room.ts";
import { openLive, serveLive } from "./live.ts";
import { tellNews } from "./news.ts";
import { openReading } from "./reading.ts";
import { alwaysBy, type ConfigsOf } from "./reload-recorder.ts";
import { openRecordSealing } from "./sealing.ts";
import { tellStates } from "./states-socket.ts";
import type { WallCameraSettings } from "./wall-camera.ts";

const SETTLE_EVERY_MS = SECOND_MS;
/** The most that one step of a loop takes here: a look at a slow disk. Cameras that hang have deadlines of their own. */
const STEP_MS = 5 * MINUTE_MS;
/** Core may be busy for long with making room. */
const CORE_STEP_MS = 30 * MINUTE_MS;
const LAST_TRIES = 3;
const LIVE_PATIENCE_MS = MINUTE_MS;

/**
 * The recorder: sees what cameras in buildings see, knows no catalog. Seals their pictures into incoming/,
 * and tells what is missing. It needs neither core nor vault to go on.
 */
export function runRecord(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  return runRecordBy(clock, events, attendant, config, alwaysBy(config), signal);
}

/** As `runRecord`, with the cameras of each of `configs`, of which `config` is the first; what else they say is not heeded. */
export async function runRecordBy(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  config: Config,
  configs: ConfigsOf,
  signal: AbortSignal,
): Promise<void> {
  const spool = await openSpool(config.spool.path, config.node);
  await using _lease = await openLease(spool, "record");
  const incoming = await createIncoming(spool, "record");
  const unsettled = await settleCutOff(events, incoming);
  const book = await readBook(config.recipients);
  const devices = config.cameras.map(({ number }) => number);
  let cameras = devices.length;
  const tell = gapTeller(clock, config.node, incoming);
  const history = await openHistory(clock, events, marksPath(config), devices, tell);
  const board = openBoard(clock, devices);
  const live = openLive(devices, LIVE_PATIENCE_MS);
  const room = roomKeeper(
    clock,
    asker(roomPath(config), signal),
    () => cameras,
    config.spool.limit,
  );
  const sealing = openRecordSealing(clock, events, config.node, book, incoming);
  const hourly = atMostEvery(clock, HOUR_MS);
  await using reading = await openReading(clock, servedFfmpeg(), () => {
    if (hourly("gate")) events.gateFlooded();
  });
  const recorder: Recorder = {
    clock,
    events,
    reading,
    sealing,
    backlog: openBacklog(),
    history,
    board,
    live,
    segmentMs: segmentMs(config),
    wantRoom: () => room.want(),
  };
  const delayed = (error: BewaardError): void => {
    if (hourly(error.code)) events.gapsDelayed(error);
  };
  const { loop } = attendant;
  const tasks = tasksOf(recorder, attendant, room, configs, recorderFolder(config), (count) => {
    cameras = count;
  });
  attendant.begun("record", {
    conditions: [spoolTakes(spool, "record")],
    line: () => recordLine(clock, board),
  });
  await together(signal, [
    (s) =>
      tellNews(clock, events, recordSocketPath(config), (at, t) => tellStates(at, board, t), s),
    (s) => tellNews(clock, events, livePath(config), (at, t) => serveLive(at, live, t), s),
    loop("gaps", STEP_MS, (c, s) => settle(c, history, delayed, s)),
    loop("leftovers", STEP_MS, (c, s) => unsettled.again(c, s)),
    loop("recipients", STEP_MS, (c, s) => keepBook(c, events, config.recipients, sealing, s)),
    loop("warn", STEP_MS, (c, s) => warnOfRecipients(c, events, sealing, s)),
    (s) => changingTasks(tasks, s),
  ]);
  history.stop();
  for (let left = LAST_TRIES; left > 0; left -= 1) {
    if (await settleOrSay(history, delayed)) return;
  }
}

/** Each camera, and what asks for room for them, of each configuration; `counted` hears how many cameras that has. */
function tasksOf(
  recorder: Recorder,
  { loop }: Attendant,
  room: RoomKeeper,
  configs: ConfigsOf,
  folder: string,
  counted: (cameras: number) => void,
): Parameters<typeof changingTasks>[0] {
  const asking: ChangingTask = {
    name: "room",
    by: null,
    run: loop("room", CORE_STEP_MS, (c, s) => room.run(c, s)),
    left() {},
  };
  return async function* (signal) {
    for await (const { cameras } of configs(signal)) {
      counted(cameras.length);
      const recording = cameras.map((camera) => taskOf(recorder, loop, camera, folder));
      // Who records nothing wants no room, and a box without cameras on walls is to be idle.
      yield cameras.length > 0 ? [asking, ...recording] : recording;
    }
  };
}

function taskOf(
  recorder: Recorder,
  loop: Attendant["loop"],
  by: Config["cameras"][number],
  folder: string,
): ChangingTask {
  const { board, live, history } = recorder;
  const camera = wallCamera(by);
  const { number } = camera;
  const recorded = loop(`camera ${number}`, STEP_MS, (c, s) =>
    recordCamera({ ...recorder, clock: c }, camera, loginOf(camera, folder), s),
  );
  return {
    name: `camera ${number}`,
    by,
    async run(signal) {
      live.add(number);
      await recorded(signal);
    },
    left(why) {
      history.left(number, why);
      if (why === "changed") return;
      board.remove(number);
      live.remove(number);
    },
  };
}

async function settle(
  clock: Clock,
  history: History,
  say: (error: BewaardError) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const _ of every(clock, SETTLE_EVERY_MS, signal)) await settleOrSay(history, say);
}

/** Reading it throws SECRET_MISSING and SECRET_EXPOSED: this camera is not recorded, the others are. */
function loginOf({ number, user }: WallCameraSettings, folder: string): Login {
  const name = passwordName(number);
  if (user === undefined) return { read: async () => undefined, stamp: async () => "" };
  return {
    read: async () => ({ user, password: await readPassword(name, folder) }),
    stamp: () => secretStamp(name, folder),
  };
}
