import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { type Clock, DAY_MS, type Instant, MINUTE_MS } from "#base/time";
import { readProfile } from "../../config/load.ts";
import { sleepOrHint } from "../../drivers/bodycam/look-again.ts";
import { type Bodycam, readBodycams, recordSeen } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { steady } from "../steady.ts";
import { timeTrust } from "../trust.ts";
import type { Board } from "./board.ts";
import { newJumps } from "./counters.ts";
import { type LookInSlots, type Recognised, recognise } from "./in-slots.ts";
import type { PairedNote } from "./paired-note.ts";

/**
 * Each five minutes, and when something moved in the slots, until the signal aborts: keeps the root helper's list as the catalog has it, and says what
 * may be missing of paired bodycams: a card that is another, numbers that jump. Which are in no slot is for the alarm `bodycam-away`.
 */
export async function watchBodycams(
  clock: Clock,
  events: Events,
  database: Database,
  lookInSlots: LookInSlots,
  note: PairedNote,
  board: Pick<Board, "moved" | "miss">,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "bodycams");
  const daily = atMostEvery(clock, DAY_MS);
  for await (const now of looks(clock, board, signal)) {
    await turn(() => note.catchUp());
    let paired: readonly Bodycam[] = [];
    await turn(async () => {
      paired = await inService(database);
      // Where nobody pairs, looking at the bus each five minutes is for nothing.
      if (paired.length === 0) {
        board.miss([]);
        return;
      }
      const present = recognise(await lookInSlots(), paired);
      const docked = present.flatMap(({ number }) => (number === null ? [] : [number]));
      // What another card may miss counts from when its own was last here.
      const read = present.flatMap(({ number, unread }) =>
        number && unread === null ? [number] : [],
      );
      await recordSeen(database, now, read, (await timeTrust(clock, database)).trusted);
      tellChanged(events, daily, paired, present);
      board.miss(paired.filter(({ device }) => !docked.includes(device)));
    });
    for (const camera of paired) {
      await turn(() => tellJumps(events, daily, database, camera, now));
    }
  }
}

/** A camera that is in for a minute, as one that recorded nothing is, must be seen too. */
async function* looks(
  clock: Clock,
  board: Pick<Board, "moved">,
  signal: AbortSignal,
): AsyncGenerator<Instant, void, undefined> {
  while (!signal.aborted) {
    const moved = board.moved();
    yield clock.now();
    await sleepOrHint(clock, 5 * MINUTE_MS, moved, signal);
  }
}

async function inService(database: Database): Promise<readonly Bodycam[]> {
  const all = await database.transaction(readBodycams);
  return all.filter(({ retiredAt }) => retiredAt === undefined);
}

type Daily = (what: string) => boolean;

function tellChanged(
  events: Events,
  daily: Daily,
  paired: readonly Bodycam[],
  present: readonly Recognised[],
): void {
  for (const { slot, number, unread, volume } of present) {
    const known = paired.find(({ device }) => device === number);
    if (unread === "volume-changed" && known && daily(`volume ${known.device} ${volume}`))
      events.bodycamVolumeChanged(known.device, slot, known.volume, volume, known.seenAt);
    if (unread === "same-identity" && daily(`alike ${slot}`)) events.bodycamsAlike(slot);
  }
}

/** A profile of the site's own may be gone, or wrong, any day: that must not end core. */
async function readable(
  events: Events,
  daily: Daily,
  device: DeviceId,
  profile: string,
): Promise<Awaited<ReturnType<typeof readProfile>> | undefined> {
  try {
    return await readProfile(profile);
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    if (daily(`profile ${device}`)) events.bodycamProfileUnread(device, error);
    return undefined;
  }
}

async function tellJumps(
  events: Events,
  daily: Daily,
  database: Database,
  { device, profile }: Bodycam,
  now: Instant,
): Promise<void> {
  const known = await readable(events, daily, device, profile);
  if (known === undefined) return;
  const jumps = await newJumps(database, device, known, now);
  for (const { after, before, missing } of jumps ?? [])
    events.bodycamCounterJumped(device, after, before, missing);
}
