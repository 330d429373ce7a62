import { systemClock } from "#base/system-clock";
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import { together } from "#base/together";
import { readRules } from "../config/configuration.ts";
import type { Config } from "../config/schema.ts";
import { readSecret } from "../config/secrets.ts";
import { recordNothingWriting } from "../storage/catalog/copies.ts";
import { recordPaired } from "../storage/catalog/devices.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { recordPlaces } from "../storage/catalog/place.ts";
import { openOnReserve, openReserve, withReserve } from "../storage/catalog/reserve.ts";
import { parseNodeKey, parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { recordStarted } from "../storage/ledger/started.ts";
import { openLease } from "../storage/spool/lease.ts";
import { rememberSpool } from "../storage/spool/remember.ts";
import { createIncoming, openSpool } from "../storage/spool/spool.ts";
import { acceptConfiguration } from "./accept-configuration.ts";
import { adopt } from "./adopt.ts";
import { answers } from "./answers.ts";
import { archive, archiving } from "./archive.ts";
import { declarationsOf } from "./bucket-of.ts";
import { checkCatalog } from "./check-catalog.ts";
import { checkpoint } from "./checkpoint.ts";
import { chrony } from "./chrony.ts";
import { control } from "./control/server.ts";
import { duties } from "./duties.ts";
import type { Events } from "./events.ts";
import { findBreaches } from "./find-breaches.ts";
import { followSeen } from "./follow-seen.ts";
import { heeder } from "./heed.ts";
import { remindOfMarks } from "./incident-marks.ts";
import { keepTime } from "./keep-time.ts";
import { mayDestroyNow } from "./may-destroy.ts";
import type { Attendant } from "./notify/attendant.ts";
import { coreLine } from "./notify/core-line.ts";
import { ledgerStands } from "./notify/ledger-stands.ts";
import { spoolTakes } from "./notify/spool-takes.ts";
import { historyOf } from "./one-history.ts";
import { type CoreMachine, openBodycams } from "./open-bodycams.ts";
import { openMedium } from "./open-medium.ts";
import { lookInSlotsOf } from "./pairing/look.ts";
import { withPairedProfiles } from "./pairing/paired-profiles.ts";
import {
  archivePath,
  authorityOf,
  boxOf,
  catalogPath,
  covertPeriods,
  deskOf,
  devicesOf,
  namedBy,
  originOf,
  PRODUCERS,
  placesOf,
  REPORTS,
  reservePath,
  ringLimits,
  separateCopy,
  socketPath,
  uploadOf,
} from "./places.ts";
import { recoverQuarantine } from "./quarantine.ts";
import { readBook } from "./recipients.ts";
import { replenish } from "./replenish.ts";
import { retain } from "./retain.ts";
import { ring, roomMaker } from "./ring.ts";
import { secure } from "./secure.ts";
import { steady } from "./steady.ts";
import { store } from "./store.ts";
import { sweepVault } from "./sweep-vault.ts";
import { timestamp } from "./timestamp.ts";
import { lookBack } from "./trust.ts";
import { openVaultOfBox } from "./vault-of-box.ts";

const ASKER_PATIENCE_MS = 10 * MINUTE_MS;

/** The most that one step of a loop takes here: a few large transactions before its own, on a slow disk. */
const STEP_MS = 15 * MINUTE_MS;
/** A bucket that hangs is given up after minutes, each time. */
const BUCKET_STEP_MS = HOUR_MS;
/** A share that hangs, hangs whoever looks at it until it is back, and no start of ours mends it. */
const SHARE_STEP_MS = DAY_MS;
/** The file is read in one step: gigabytes. */
const FILE_CHECK_MS = 6 * HOUR_MS;

/**
 * Core: the only one that opens catalog, ledger and node key. Opens in order of dependency, closes in
 * reverse, runs its loops until the signal aborts or one of them fails.
 */
export function runCore(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  return runCoreOn(clock, events, attendant, config, thisMachine(), signal);
}

function thisMachine(): CoreMachine {
  return { look: lookInSlotsOf(systemClock), reports: REPORTS, owner: 0 };
}

/** As `runCore`, with the slots of `machine`. */
export async function runCoreOn(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  config: Config,
  machine: CoreMachine,
  signal: AbortSignal,
): Promise<void> {
  const rules = await readRules(namedBy(config));
  const box = boxOf(config, rules.policy);
  const { node, term } = box;
  const spool = await openSpool(config.spool.path, node);
  await using _lease = await openLease(spool, "core");
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  const reserve = openReserve(reservePath(config));
  await using database = await openOnReserve(catalogPath(config), reserve, events.catalogFull);
  const sure = withReserve(database, reserve, events.catalogFull);
  await migrate(sure);
  await rememberSpool(sure, spool);
  await lookBack(clock, sure);
  const decided = await withPairedProfiles(sure, rules);
  await acceptConfiguration(clock, events, sure, config, decided);
  for (const declaration of declarationsOf(config)) events.vaultDeclared(declaration);
  const atStart = steady(clock, events, "start");
  await atStart(() => recordStarted(database, clock.now(), clock.bootId()));
  await using vault = await openVaultOfBox(clock, events, database, config);
  await using medium = await openMedium(clock, database, config, events);

  // On a full disk it is core that makes room.
  await atStart(async () => {
    for (const producer of PRODUCERS) await createIncoming(spool, producer);
  });
  await recordNothingWriting(sure, clock.now());
  await recoverQuarantine(sure, spool, term, clock.now());
  const verifier = parseVerifier(verifierText(key));
  const askHistory = historyOf(clock, events, database, vault, node, verifier);
  const history = () => askHistory(signal);
  const paired = await openBodycams(clock, events, sure, config, rules, box, key, machine, history);
  await recordPaired(sure, clock.now(), devicesOf(config));
  await recordPlaces(sure, clock.now(), placesOf(config));

  const limits = ringLimits(config);
  const heedDesk = heeder(clock, events, database, vault, node, deskOf(config));
  const mayDestroy = mayDestroyNow(clock, database, history);
  const makeRoom = roomMaker(clock, events, sure, spool, limits, mayDestroy);
  const kept = { database, spool, vault, node, verifier, secured: medium };
  const boxAnswers = answers(clock, config, kept, makeRoom, askHistory, signal);
  const answered = { ...boxAnswers, ...paired.answers };

  const separate = separateCopy(rules.policy);
  const archived = archiving(node, archivePath(config), () => readBook(config.recipients));

  const { loop } = attendant;
  const farMs = "s3" in config.vault ? BUCKET_STEP_MS : SHARE_STEP_MS;
  attendant.begun("core", {
    conditions: [spoolTakes(spool, "core"), ledgerStands(clock, events, database)],
    line: () => coreLine(clock, database, limits.limitBytes),
  });
  await together(signal, [
    (s) => control(socketPath(config), answered, ASKER_PATIENCE_MS, s),
    loop("adopt", STEP_MS, (c, s) => adopt(c, events, database, spool, box, s)),
    loop("store", farMs, (c, s) =>
      store(c, events, database, spool, vault, node, uploadOf(config, rules.policy), s),
    ),
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
    loop("follow-seen", farMs, (c, s) =>
      followSeen(c, events, sure, vault, node, deskOf(config), s),
    ),
    loop("archive", farMs, (c, s) => archive(c, events, database, vault, archived, askHistory, s)),
    loop("sweep-vault", SHARE_STEP_MS, (c, s) =>
      sweepVault(c, events, database, vault, node, medium?.vault, askHistory, s),
    ),
    loop("find-breaches", HOUR_MS, (c, s) => findBreaches(c, events, database, spool, term, s)),
    loop("bodycams", STEP_MS, paired.watch),
    loop("marks", STEP_MS, (c, s) => remindOfMarks(c, events, database, s)),
    loop("duties", STEP_MS, (c, s) => duties(c, events, database, covertPeriods(config), s)),
    loop("keep-time", STEP_MS, (c, s) =>
      keepTime(c, events, database, [chrony(systemClock, config.time.sources)], s),
    ),
  ]);
}
