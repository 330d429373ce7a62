import { BewaardError } from "#base/errors";
import { CLOCK_SLACK_MS } from "#base/term";
import { type Clock, instant } from "#base/time";
import { joined } from "../../drivers/bodycam/card.ts";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import {
  type ClockProfile,
  clockFault,
  measureOffset,
} from "../../drivers/bodycam/clock-offset.ts";
import type { AskForDock } from "../control/producers.ts";
import type { Dock, Sealing } from "../dock.ts";
import type { Events } from "../events.ts";
import { type SeenClock, seenNow } from "../seen-clock.ts";
import { bytesPerHour } from "./bytes-per-hour.ts";
import type { DockCore } from "./dock-core.ts";
import type { Docking, Open } from "./dockings.ts";
import { doubter } from "./doubt-known.ts";
import { type Fair, openFair, rootPortOf } from "./fair.ts";
import { type Identified, identified } from "./identified.ts";
import type { PairedCard } from "./join-slots.ts";
import { clockSetter, SETS_NO_CLOCK } from "./set-clock.ts";
import type { SlotBoard } from "./slot-board.ts";
import type { Counted } from "./slot-state.ts";
import { openTaking } from "./take-card.ts";
import type { OpenCard } from "./work-card.ts";

/** What is read of a profile for a card in a slot. */
export type SlotProfile = Dock["profile"] &
  ClockProfile &
  Pick<Identified, "identity"> & {
    readonly bytes_per_hour: number | null;
    readonly set_time: { readonly path: string; readonly again?: number | null } | null;
  };

/**
 * Opens cards in slots. They are mounted read-only, so nothing there has to settle; one that its camera writes
 * to all the same is read again (docs/design.md, procedure "Seal").
 */
export function cardOpener(
  clock: Clock,
  events: Events,
  ask: AskForDock,
  core: Pick<DockCore, "setTime">,
  sealing: Sealing,
  fair: Fair,
  board: SlotBoard,
  isThere: (record: CardRecord) => Promise<boolean>,
  profileOf: (name: string) => Promise<SlotProfile>,
): Open {
  // What is fetched whole is in memory meanwhile: one file at a time, of however many media devices there are.
  const oneAtATime = openFair(1);
  async function turnOf({ volume }: CardRecord, slot: string, signal: AbortSignal) {
    const port = rootPortOf(slot);
    if (volume.kind !== "mtp") return fair.turn(port, signal);
    using turns = new DisposableStack();
    turns.use(await oneAtATime.turn(port, signal));
    turns.use(await fair.turn(port, signal));
    return turns.move();
  }
  return async ({ slot, id: docking, seenAt }, card) => {
    const profile = fetchable(await profileOf(card.profile), card.record);
    const seenClock = await clockOf(clock, events, profile, card, seenAt);
    const there = () => isThere(card.record);
    let reading: { readonly counted: Counted; readonly path: Buffer } | undefined;
    const tell = (counted: Counted): void =>
      void board.tell(slot, { kind: "counted", docking, counted, whole: false, left: null });
    const taking = openTaking(clock, events, ask, sealing, {
      device: card.number,
      folder: card.folder,
      profile,
      seenClock,
      settleMs: 0,
      isDoubted: doubter(clock, profile.loops_within ?? null),
      isThere: there,
      turn: (signal) => turnOf(card.record, slot, signal),
      tell(counted, file) {
        reading = file && { counted, path: joined(Buffer.from(card.folder), file.path) };
        tell(counted);
      },
    });
    const take = identified(ask, profile, card, there, taking);
    const progress = (): void => {
      const bytes = reading === undefined ? 0 : sealing.pool.bytesRead(reading.path);
      if (reading === undefined || bytes === 0) return;
      const { counted } = reading;
      tell({ ...counted, bytesDone: Math.min(counted.bytes, counted.bytesDone + bytes) });
    };
    const setClock =
      profile.set_time === null
        ? SETS_NO_CLOCK
        : clockSetter(clock, core, docking, card.record, seenClock, profile.set_time.again ?? null);
    // Once a docking: a card may have ten thousand recordings.
    let reckoned: Promise<number | null> | undefined;
    const perHour: OpenCard["bytesPerHour"] = async (files) => {
      if (profile.bytes_per_hour !== null) return profile.bytes_per_hour;
      reckoned ??= bytesPerHour(clock.now(), profile, files);
      return reckoned;
    };
    const isCableBusy = (): boolean => fair.isBusy(rootPortOf(slot));
    const made = { slot, docking, take, progress, setClock, isCableBusy };
    return { ...card, ...made, bytesPerHour: perHour };
  };
}

/** A longer file than can be fetched is not even opened. */
function fetchable(profile: SlotProfile, { largest }: CardRecord): SlotProfile {
  const { limits } = profile;
  return { ...profile, limits: { ...limits, bytes: Math.min(limits.bytes, largest ?? Infinity) } };
}

/** The camera's clock, before anybody sets it; undefined where it cannot be seen. */
async function clockOf(
  clock: Clock,
  events: Events,
  profile: ClockProfile,
  { number, folder, record }: PairedCard,
  seenAt: Docking["seenAt"],
): Promise<SeenClock | undefined> {
  // A dock that was started with the camera in did not see it come; the root helper did.
  const mountedAt = instant(Date.parse(record.at));
  // By another clock: ours was set since, and nobody knows how long ago the camera wrote its file.
  if (mountedAt < clock.now() - clock.uptimeMs() - CLOCK_SLACK_MS) return undefined;
  const dockedAt = mountedAt < seenAt ? mountedAt : seenAt;
  try {
    const offsetMs = await measureOffset(profile, folder, dockedAt);
    if (offsetMs === "not measurable") return undefined;
    const fault = clockFault(offsetMs, profile.zone, dockedAt);
    if (fault !== "right") events.bodycamClock(number, offsetMs, fault);
    return seenNow(clock, offsetMs);
  } catch (error) {
    // It cannot be read, or is gone: whoever takes its files comes upon that too, and says so.
    if (!(error instanceof BewaardError)) throw error;
    return undefined;
  }
}
