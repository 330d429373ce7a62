import { BewaardError } from "#base/errors";
import type { DeviceId, NodeId } from "#base/ids";
import { type Clock, every, HOUR_MS, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import type { CameraProfile } from "../drivers/bodycam/profile.ts";
import type { SealPool } from "../storage/seal/pool.ts";
import type { RecipientBook } from "../storage/seal/recipients.ts";
import type { AskForDock } from "./control/producers.ts";
import type { Fair } from "./docks/fair.ts";
import type { SlotBoard } from "./docks/slot-board.ts";
import { watchFolder } from "./docks/watch-folder.ts";
import type { Events } from "./events.ts";
import { settleLeftovers } from "./leftovers.ts";
import type { Attendant } from "./notify/attendant.ts";
import { warnOfRecipients } from "./recipients.ts";
import type { ReadContainer } from "./recording-times.ts";
import type { SeenClock } from "./seen-clock.ts";

/** The most that one step of a loop takes here, where only the disk is asked. */
const STEP_MS = 10 * MINUTE_MS;
/** A file waits for its turn, after those of every card that is in, is of 4 GB, and may be on a share. */
const FOLDER_STEP_MS = 6 * HOUR_MS;

/** A bodycam and where it docks. */
export interface Dock {
  readonly device: DeviceId;
  readonly folder: string;
  readonly profile: CameraProfile & { readonly clock: "synchronised" | "unknown" };
  /** The camera's clock as it was seen at this docking; left out where it cannot be seen. */
  readonly seenClock?: SeenClock | undefined;
}

export interface Sealing {
  readonly node: NodeId;
  /** As its file now is. */
  book: RecipientBook;
  readonly pool: SealPool;
  /** `incoming/dock` of the spool. */
  readonly incoming: string;
  readonly readContainer: ReadContainer;
}

/** The slots of this machine, beside the folders of the configuration. */
export interface Slots {
  /** What slots show, and folders as well. */
  readonly board: SlotBoard;
  /** The cards that are mounted now. */
  readonly mounted: () => Promise<readonly Pick<Dock, "device" | "folder">[]>;
  /** Takes what cameras in slots bring, until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** Takes what docked cameras bring, in folders and in slots, until the signal aborts. */
export async function dock(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  ask: AskForDock,
  sealing: Sealing,
  fair: Fair,
  docks: readonly Dock[],
  slots: Slots,
  signal: AbortSignal,
): Promise<void> {
  const docked = [...docks, ...(await slots.mounted())];
  const unsettled = await settleLeftovers(events, sealing.incoming, docked);
  await coreAnswers(clock, ask, signal);
  await together(signal, [
    ...docks.map((one) =>
      attendant.loop(`folder ${one.device}`, FOLDER_STEP_MS, (c, s) =>
        watchFolder(c, events, ask, sealing, fair, slots.board, one, s),
      ),
    ),
    (s) => slots.run(s),
    attendant.loop("warn", STEP_MS, (c, s) => warnOfRecipients(c, events, sealing, s)),
    attendant.loop("leftovers", STEP_MS, (c, s) => unsettled.again(c, s)),
  ]);
}

/** Both start together: without core's word on what it has, everything would be taken again. */
async function coreAnswers(clock: Clock, ask: AskForDock, signal: AbortSignal): Promise<void> {
  for await (const _ of every(clock, SECOND_MS, signal)) {
    try {
      await ask("docks.pairings", {});
      return;
    } catch (error) {
      if (!(error instanceof BewaardError && error.transient) && !signal.aborted) throw error;
    }
  }
}
