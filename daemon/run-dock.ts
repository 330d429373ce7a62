import { availableParallelism } from "node:os";
import { type Clock, MINUTE_MS } from "#base/time";
import { together } from "#base/together";
import { readRules } from "../config/configuration.ts";
import { readProfile } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { servedFfprobe } from "../config/served.ts";
import { asksFfprobe } from "../drivers/bodycam/container-time.ts";
import { openSealPool } from "../storage/seal/pool.ts";
import { openLease } from "../storage/spool/lease.ts";
import { createIncoming, openSpool } from "../storage/spool/spool.ts";
import { asker } from "./control/client.ts";
import type { AskForDock } from "./control/producers.ts";
import { dock } from "./dock.ts";
import { openFair } from "./docks/fair.ts";
import { type Machine, thisMachine } from "./docks/ground.ts";
import { keptProfile } from "./docks/kept-profile.ts";
import { openSlots } from "./docks/slots.ts";
import type { Events } from "./events.ts";
import type { Attendant } from "./notify/attendant.ts";
import { dockLine } from "./notify/dock-line.ts";
import { spoolTakes } from "./notify/spool-takes.ts";
import { knownPath, namedBy } from "./places.ts";
import { keepBook, readBook } from "./recipients.ts";
import { containerReader } from "./recording-times.ts";

/** The most that one step of a loop takes here. */
const STEP_MS = 5 * MINUTE_MS;

/** The dock: sees footage, knows no catalog. Seals what cameras bring into incoming/. */
export function runDock(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  return runDockOn(clock, events, attendant, config, thisMachine(clock, events), signal);
}

/** As `runDock`, with the slots of `machine`. */
export async function runDockOn(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  config: Config,
  machine: Machine,
  signal: AbortSignal,
): Promise<void> {
  const spool = await openSpool(config.spool.path, config.node);
  await using _lease = await openLease(spool, "dock");
  const incoming = await createIncoming(spool, "dock");
  const book = await readBook(config.recipients);
  const threads = availableParallelism();
  await using pool = openSealPool(threads);
  const fair = openFair(threads);
  const ask: AskForDock = asker(knownPath(config), signal);
  const { policy } = await readRules(namedBy(config));
  const profileOf = async (name: string) => keptProfile(policy.keeps, await readProfile(name));
  const docks = await Promise.all(
    config.bodycams.map(async ({ number, folder, profile }) => ({
      device: number,
      folder,
      profile: await profileOf(profile),
    })),
  );
  const readContainer = containerReader(events, asksFfprobe(servedFfprobe()));
  const sealing = { node: config.node, book, pool, incoming, readContainer };
  const slots = openSlots(clock, events, attendant, ask, sealing, fair, machine, profileOf);
  attendant.begun("dock", {
    conditions: [spoolTakes(spool, "dock")],
    line: () => dockLine(slots.board),
  });
  await together(signal, [
    (s) => dock(clock, events, attendant, ask, sealing, fair, docks, slots, s),
    attendant.loop("recipients", STEP_MS, (c, s) =>
      keepBook(c, events, config.recipients, sealing, s),
    ),
  ]);
}
