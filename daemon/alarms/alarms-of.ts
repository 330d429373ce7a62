import { type Clock, MINUTE_MS } from "#base/time";
import type { Config } from "../../config/schema.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { VaultLevel } from "../../storage/vault/vault.ts";
import type { Events } from "../events.ts";
import type { Heeder } from "../heed.ts";
import type { Bodycams } from "../open-bodycams.ts";
import { recordSocketPath, wallCameras } from "../places.ts";
import { askStates } from "../record/states-socket.ts";
import type { AskRoomLeft } from "../room-left.ts";
import type { Alarm } from "./alarm.ts";
import { backupOld } from "./backup-old.ts";
import { bodycamAway } from "./bodycam-away.ts";
import { breachesLast } from "./breaches-last.ts";
import { checkpointMissed } from "./checkpoint-missed.ts";
import { clockUntrusted } from "./clock-untrusted.ts";
import { deskUnreadable } from "./desk-unreadable.ts";
import { diskLeft } from "./disk-left.ts";
import { heldNowhereAlarm } from "./held-nowhere.ts";
import { notRecording } from "./not-recording.ts";
import { rootSession } from "./root-session.ts";
import { uploadLate } from "./upload-late.ts";
import { vaultOutside } from "./vault-outside.ts";

/** All alarms of a box whose vault is of this level, each with what it looks at. `longestUndockedMs` is the policy's. */
export function alarmsOf(
  clock: Clock,
  events: Events,
  database: Database,
  level: VaultLevel,
  askRoomLeft: AskRoomLeft,
  { missing }: Pick<Bodycams, "missing">,
  { unread }: Pick<Heeder, "unread">,
  longestUndockedMs: number,
  config: Config,
): readonly Alarm[] {
  const { upload_after, disk_left, not_recording_minutes } = config.alarms;
  const ask = (signal: AbortSignal) => askStates(recordSocketPath(config), signal);
  const afterMs = not_recording_minutes * MINUTE_MS;
  return [
    notRecording(events, ask, wallCameras(config), afterMs),
    diskLeft(events, askRoomLeft, disk_left),
    heldNowhereAlarm(events, database),
    uploadLate(clock, events, database, level, upload_after),
    clockUntrusted(clock, events, database),
    bodycamAway(clock, events, database, missing, longestUndockedMs),
    breachesLast(clock, events, database),
    checkpointMissed(clock, events, database),
    deskUnreadable(clock, events, database, unread),
    vaultOutside(events, database, bucketsOf(config)),
    rootSession(events),
    backupOld(clock, events, database, config.backup !== undefined),
  ];
}

function bucketsOf({ vault, secured }: Config) {
  return [vault, secured].flatMap((place) =>
    place !== undefined && "s3" in place ? [place.s3] : [],
  );
}
