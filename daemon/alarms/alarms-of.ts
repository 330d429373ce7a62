import { MINUTE_MS } from "#base/time";
import type { Config } from "../../config/schema.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { recordSocketPath, wallCameras } from "../places.ts";
import { askStates } from "../record/states-socket.ts";
import type { AskRoomLeft } from "../room-left.ts";
import type { Alarm } from "./alarm.ts";
import { checkpointMissed } from "./checkpoint-missed.ts";
import { diskLeft } from "./disk-left.ts";
import { notRecording } from "./not-recording.ts";
import { rootSession } from "./root-session.ts";
import { uploadLate } from "./upload-late.ts";

/** All alarms of a box, each with what it looks at. */
export function alarmsOf(
  events: Events,
  database: Database,
  askRoomLeft: AskRoomLeft,
  config: Config,
): readonly Alarm[] {
  const { upload_after, disk_left, not_recording_minutes } = config.alarms;
  const ask = (signal: AbortSignal) => askStates(recordSocketPath(config), signal);
  const afterMs = not_recording_minutes * MINUTE_MS;
  return [
    notRecording(events, ask, wallCameras(config), afterMs),
    diskLeft(events, askRoomLeft, disk_left),
    uploadLate(events, database, upload_after),
    checkpointMissed(events, database),
    rootSession(events),
  ];
}
