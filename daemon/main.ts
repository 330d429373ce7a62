import { systemClock } from "#base/system-clock";
import { type Clock, MINUTE_MS } from "#base/time";
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
import { openSpool } from "../storage/spool/spool.ts";
import { acceptConfiguration } from "./accept-configuration.ts";
import { answers } from "./answers.ts";
import { declarationsOf } from "./bucket-of.ts";
import { ASKED_BY_DOCK, ASKED_BY_RECORDER, askedModestly } from "./control/producers.ts";
import { EVERY_METHOD } from "./control/protocol.ts";
import { control } from "./control/server.ts";
import { coreLoops } from "./core-loops.ts";
import type { Events } from "./events.ts";
import { mayDestroyNow } from "./may-destroy.ts";
import { tellMetrics } from "./metrics/tell-metrics.ts";
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
  catalogPath,
  devicesOf,
  knownPath,
  namedBy,
  originOf,
  placesOf,
  REPORTS,
  reservePath,
  ringLimits,
  roomPath,
  socketPath,
  termOf,
} from "./places.ts";
import { makeProducersRoom, readProducers } from "./producers.ts";
import { recoverQuarantine } from "./quarantine.ts";
import { roomMaker } from "./ring.ts";
import { openRoomLeft } from "./room-left.ts";
import { steady } from "./steady.ts";
import { lookBack } from "./trust.ts";
import { openVaultOfBox } from "./vault-of-box.ts";

const ASKER_PATIENCE_MS = 10 * MINUTE_MS;

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
  const { node } = config;
  const term = termOf(rules.policy);
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
  await using vault = await openVaultOfBox(clock, database, config);
  await using medium = await openMedium(clock, database, config, events);

  // On a full disk it is core that makes room.
  await atStart(() => makeProducersRoom(spool));
  const configured = devicesOf(config);
  const box = { node, term, producers: await readProducers(spool), configured };
  await recordNothingWriting(sure, clock.now());
  await recoverQuarantine(sure, spool, term, clock.now());
  const verifier = parseVerifier(verifierText(key));
  const askHistory = historyOf(clock, events, database, vault, node, verifier);
  const history = () => askHistory(signal);
  const paired = await openBodycams(clock, events, sure, config, rules, box, key, machine, history);
  await recordPaired(sure, clock.now(), configured);
  await recordPlaces(sure, clock.now(), placesOf(config));

  const mayDestroy = mayDestroyNow(clock, database, history);
  const makeRoom = roomMaker(clock, events, sure, spool, ringLimits(config), mayDestroy);
  const kept = { database, spool, vault, node, verifier, secured: medium };
  const boxAnswers = answers(clock, config, kept, makeRoom, askHistory, signal);
  const answered = { ...boxAnswers, ...paired.answers };
  const modest = askedModestly(answered, config.spool.limit);

  attendant.begun("core", {
    conditions: [spoolTakes(spool, "core"), ledgerStands(clock, events, database)],
    line: () => coreLine(clock, database, config.spool.limit),
  });
  const askRoomLeft = openRoomLeft(clock, database, spool, ringLimits(config));
  const may = { makeRoom, mayDestroy, askHistory, askRoomLeft };
  const opened = { ...kept, rules, box, key, reserve, sure, paired, medium, ...may };
  await together(signal, [
    (s) => control(socketPath(config), EVERY_METHOD, answered, ASKER_PATIENCE_MS, s),
    (s) => control(knownPath(config), ASKED_BY_DOCK, modest, ASKER_PATIENCE_MS, s),
    (s) => control(roomPath(config), ASKED_BY_RECORDER, modest, ASKER_PATIENCE_MS, s),
    (s) => tellMetrics(clock, events, database, vault.level, askRoomLeft, config, s),
    ...coreLoops(clock, events, attendant, config, opened),
  ]);
}
