import { BewaardError } from "#base/errors";
import { type Clock, HOUR_MS, type Instant, SECOND_MS } from "#base/time";
import { countBreaches } from "../../storage/catalog/breaches.ts";
import { countStates } from "../../storage/catalog/due.ts";
import { spoolBytes } from "../../storage/catalog/evict.ts";
import { countHolds } from "../../storage/catalog/holds.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { oldestWaiting } from "../../storage/catalog/waiting.ts";
import { newestCheckpoint } from "../../storage/ledger/checkpoint.ts";
import type { VaultLevel } from "../../storage/vault/vault.ts";
import { ALARM_NAMES } from "../alarms/alarm.ts";
import { readRaised } from "../alarms/raised.ts";
import { newestBackup } from "../backup/known.ts";
import { deskReadTo } from "../heed.ts";
import { wantedBy } from "../lock.ts";
import type { Shown } from "../record/board.ts";
import type { WallCameraSettings } from "../record/wall-camera.ts";
import { type AskRoomLeft, hoursLeft, type RoomLeft } from "../room-left.ts";
import { timeTrust } from "../trust.ts";
import { type Metric, plainMetric, type Sample } from "./metric.ts";

/** What is measured. */
export interface Measured {
  readonly database: Database;
  /** Of the vault. */
  readonly level: VaultLevel;
  readonly limitBytes: number;
  readonly askRoomLeft: AskRoomLeft;
  readonly askStates: (signal: AbortSignal) => Promise<readonly Shown[]>;
  readonly cameras: readonly Pick<WallCameraSettings, "number" | "service">[];
}

/** Measures everything now: a few rows of the catalog and a word of the recorder, for whoever is on this machine may ask often. */
export async function measure(
  clock: Clock,
  { database, level, limitBytes, askRoomLeft, askStates, cameras }: Measured,
  signal: AbortSignal,
): Promise<readonly Metric[]> {
  const raised = await readRaised(database);
  const states = await countStates(database);
  const holds = await countHolds(database);
  const { trusted } = await timeTrust(clock, database);
  const oldest = await oldestWaiting(database, wantedBy(level, clock.now()), clock.bootId());
  const published = (await newestCheckpoint(database))?.publishedAt;
  return [
    {
      name: "bewaard_alarm_raised",
      samples: ALARM_NAMES.map((alarm) => ({
        labels: { alarm },
        value: raised.filter((one) => one.alarm === alarm).length,
      })),
    },
    plainMetric("bewaard_backup_timestamp_seconds", inSeconds(await newestBackup(database))),
    plainMetric("bewaard_breaches", await countBreaches(database)),
    {
      name: "bewaard_camera_recording",
      samples: await recordingOf(clock, askStates, cameras, signal),
    },
    plainMetric("bewaard_checkpoint_timestamp_seconds", inSeconds(published)),
    plainMetric("bewaard_clock_trusted", trusted ? 1 : 0),
    plainMetric(
      "bewaard_desk_heard_timestamp_seconds",
      inSeconds((await deskReadTo(database))?.heardAtMs),
    ),
    plainMetric("bewaard_disk_left_seconds", secondsLeft(await askRoomLeft())),
    {
      name: "bewaard_holds",
      samples: [
        { labels: { state: "requested" }, value: holds.requested },
        { labels: { state: "in force" }, value: holds.inForce },
      ],
    },
    plainMetric("bewaard_ring_bytes", await spoolBytes(database)),
    plainMetric("bewaard_ring_limit_bytes", limitBytes),
    {
      name: "bewaard_segments",
      samples: (["sealed", "stored", "destroying", "destroyed"] as const).map((state) => ({
        labels: { state },
        value: states[state] ?? 0,
      })),
    },
    plainMetric("bewaard_upload_oldest_timestamp_seconds", inSeconds(oldest?.at)),
  ];
}

function secondsLeft(room: RoomLeft): number | undefined {
  const hours = hoursLeft(room);
  return hours === undefined ? undefined : (hours * HOUR_MS) / SECOND_MS;
}

function inSeconds(at: Instant | number | undefined): number | undefined {
  return at === undefined ? undefined : at / SECOND_MS;
}

/** Of each camera in service. When the recorder does not answer, nobody knows of any that it is recorded. */
async function recordingOf(
  clock: Clock,
  askStates: Measured["askStates"],
  cameras: Measured["cameras"],
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const wanted = cameras.filter(({ service }) => service(clock.now()) === "in service");
  if (wanted.length === 0) return [];
  const states = await askStates(signal).catch((error: unknown) => {
    if (signal.aborted || !(error instanceof BewaardError)) throw error;
    return [];
  });
  return wanted.map(({ number }) => ({
    labels: { device: number },
    value: states.some(({ device, state }) => device === number && state === "recording") ? 1 : 0,
  }));
}
