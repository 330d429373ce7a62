import { systemClock } from "#base/system-clock";
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import type { Rules } from "../config/configuration.ts";
import type { Config } from "../config/schema.ts";
import type { Reserve } from "../storage/catalog/reserve.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { NodeKey } from "../storage/ledger/note.ts";
import type { Spool } from "../storage/spool/spool.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { adopt, type Box } from "./adopt.ts";
import { alarmsOf } from "./alarms/alarms-of.ts";
import { watchAlarms } from "./alarms/watch-alarms.ts";
import { archive, archiving } from "./archive.ts";
import { backup } from "./backup/backup.ts";
import { checkCatalog } from "./check-catalog.ts";
import { checkpoint } from "./checkpoint.ts";
import { chrony } from "./chrony.ts";
import { duties } from "./duties.ts";
import type { Events } from "./events.ts";
import { findBreaches } from "./find-breaches.ts";
import { followSeen } from "./follow-seen.ts";
import { heeder } from "./heed.ts";
import { remindOfMarks } from "./incident-marks.ts";
import { keepTime } from "./keep-time.ts";
import type { Attendant } from "./notify/attendant.ts";
import type { AskHistory } from "./one-history.ts";
import type { Bodycams } from "./open-bodycams.ts";
import {
  archivePath,
  authorityOf,
  backupOf,
  covertPeriods,
  deskOf,
  ringLimits,
  separateCopy,
  uploadOf,
} from "./places.ts";
import { readBook } from "./recipients.ts";
import { replenish } from "./replenish.ts";
import { retain } from "./retain.ts";
import { type MakeRoom, ring } from "./ring.ts";
import type { AskRoomLeft } from "./room-left.ts";
import { type Medium, secure } from "./secure.ts";
import { store } from "./store.ts";
import { sweepVault } from "./sweep-vault.ts";
import { timestamp } from "./timestamp.ts";

/** The most that one step of a loop takes here: a few large transactions before its own, on a slow disk. */
const STEP_MS = 15 * MINUTE_MS;
/** A bucket that hangs is given up after minutes, each time. */
const BUCKET_STEP_MS = HOUR_MS;
/** A share that hangs, hangs whoever looks at it until it is back, and no start of ours mends it. */
const SHARE_STEP_MS = DAY_MS;
/** The file is read in one step: gigabytes. */
const FILE_CHECK_MS = 6 * HOUR_MS;

/** What core has opened. */
export interface Opened {
  readonly rules: Rules;
  readonly box: Box;
  readonly key: NodeKey;
  readonly spool: Spool;
  readonly database: Database;
  readonly reserve: Reserve;
  /** The catalog for what must be written on a full disk as well. */
  readonly sure: Database;
  readonly vault: Vault;
  readonly medium: Medium | undefined;
  readonly paired: Bodycams;
  readonly makeRoom: MakeRoom;
  readonly mayDestroy: () => Promise<boolean>;
  readonly askHistory: AskHistory;
  readonly askRoomLeft: AskRoomLeft;
}

/** All that core does by itself, each a loop until the signal aborts. */
export function coreLoops(
  clock: Clock,
  events: Events,
  { loop }: Attendant,
  config: Config,
  opened: Opened,
): readonly ((signal: AbortSignal) => Promise<void>)[] {
  const { rules, box, key, spool, database, reserve, sure, vault, medium, paired } = opened;
  const { makeRoom, mayDestroy, askHistory, askRoomLeft } = opened;
  const { node, term } = box;
  const upload = uploadOf(config, rules.policy);
  const desk = deskOf(config);
  const heedDesk = heeder(clock, events, database, vault, node, desk);
  const separate = separateCopy(rules.policy);
  const archived = archiving(node, archivePath(config), () => readBook(config.recipients));
  const limits = ringLimits(config);
  const alarms = alarmsOf(
    clock,
    events,
    database,
    vault.level,
    askRoomLeft,
    paired,
    heedDesk,
    term.longestUndockedMs,
    config,
  );
  const sources = [chrony(systemClock, config.time.sources)];
  const farMs = "s3" in config.vault ? BUCKET_STEP_MS : SHARE_STEP_MS;
  return [
    loop("adopt", STEP_MS, (c, s) => adopt(c, events, database, spool, box, s)),
    loop("store", farMs, (c, s) => store(c, events, database, spool, vault, node, upload, s)),
    loop("retain", farMs, (c, s) =>
      retain(c, events, sure, spool, vault, node, term, heedDesk, askHistory, s),
    ),
    loop("secure", SHARE_STEP_MS, (c, s) =>
      secure(c, events, sure, spool, vault, node, medium, separate, mayDestroy, s),
    ),
    loop("checkpoint", farMs, (c, s) =>
      checkpoint(c, events, database, vault, node, key, askHistory, s),
    ),
    loop("timestamp", farMs, (c, s) =>
      timestamp(c, events, database, vault, node, authorityOf(config), askHistory, s),
    ),
    loop("ring", STEP_MS, (c, s) => ring(c, events, makeRoom, limits, s)),
    loop("replenish", STEP_MS, (c, s) => replenish(c, events, reserve, s)),
    loop("check-catalog", FILE_CHECK_MS, (c, s) => checkCatalog(c, events, database, s)),
    loop("wipes", STEP_MS, paired.settleWipes),
    loop("set-times", STEP_MS, paired.settleTimes),
    loop("follow-seen", farMs, (c, s) => followSeen(c, events, sure, vault, node, desk, s)),
    loop("archive", farMs, (c, s) => archive(c, events, database, vault, archived, askHistory, s)),
    loop("backup", SHARE_STEP_MS, (c, s) =>
      backup(c, events, database, vault, backupOf(config, key, term.termMs), askHistory, s),
    ),
    loop("sweep-vault", SHARE_STEP_MS, (c, s) =>
      sweepVault(c, events, database, vault, node, medium?.vault, askHistory, s),
    ),
    loop("find-breaches", HOUR_MS, (c, s) => findBreaches(c, events, database, spool, term, s)),
    loop("bodycams", STEP_MS, paired.watch),
    loop("marks", STEP_MS, (c, s) => remindOfMarks(c, events, database, s)),
    loop("duties", STEP_MS, (c, s) => duties(c, events, database, covertPeriods(config), s)),
    loop("alarms", STEP_MS, (c, s) => watchAlarms(c, events, sure, alarms, s)),
    loop("keep-time", STEP_MS, (c, s) => keepTime(c, events, database, sources, s)),
  ];
}
