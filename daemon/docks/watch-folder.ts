import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import { lookAgain } from "../../drivers/bodycam/look-again.ts";
import type { AskForDock } from "../control/producers.ts";
import type { Dock, Sealing } from "../dock.ts";
import type { Events } from "../events.ts";
import { newDockingId } from "../new-id.ts";
import { doubter } from "./doubt-known.ts";
import type { Fair } from "./fair.ts";
import { folderSlot } from "./folder-slot.ts";
import type { SlotBoard } from "./slot-board.ts";
import type { Counted } from "./slot-state.ts";
import { whyOf } from "./slot-why.ts";
import { type Look, openTaking } from "./take-card.ts";

const LOOK_EVERY_MS = 30 * SECOND_MS;
/** While something is on its way. Core adopts within a second, and within five when it was quiet. */
const LOOK_WHILE_BUSY_MS = 5 * SECOND_MS;
/** A file that did not change for this long is not being copied in any more. */
const SETTLE_MS = 2 * SECOND_MS;
/** A folder that did not change for this long has all that is copied into it. */
const QUIET_MS = 10 * SECOND_MS;

/**
 * Takes what is in the folder that stands for a camera, and says on the board how far it is as of a slot, until the
 * signal aborts. Its docking is from the first file to the last: the folder stays. Nobody saw when its camera was put
 * in, so its clock is not measured; and the root helper removes nothing there.
 */
export async function watchFolder(
  clock: Clock,
  events: Events,
  ask: AskForDock,
  sealing: Sealing,
  fair: Fair,
  board: SlotBoard,
  one: Dock,
  signal: AbortSignal,
): Promise<void> {
  const shown = openFolder(clock, board, one.device);
  const take = openTaking(clock, events, ask, sealing, {
    ...one,
    settleMs: SETTLE_MS,
    isDoubted: doubter(clock, one.profile.loops_within ?? null),
    isThere: async () => true,
    turn: (s) => fair.turn(one.folder, s),
    tell: shown.taking,
  });
  for await (const _ of lookAgain(clock, one.folder, shown.pace, signal)) {
    try {
      shown.looked(await take(signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BewaardError)) throw error;
      events.dockDelayed(one.device, error);
      shown.refused(error);
    }
  }
}

/** What the board shows of a folder. */
interface ShownFolder {
  readonly taking: (counted: Counted) => void;
  readonly looked: (look: Look | "gone") => void;
  readonly refused: (error: BewaardError) => void;
  /** When to look again. */
  readonly pace: () => number;
}

function openFolder(clock: Clock, board: SlotBoard, number: Dock["device"]): ShownFolder {
  const slot = folderSlot(number);
  let docking: string | undefined;
  let last = "";
  let changedAtMs = 0;

  function begun(): string {
    if (docking !== undefined) return docking;
    docking = newDockingId(clock.now());
    board.tell(slot, { kind: "seen", docking });
    board.tell(slot, { kind: "recognised", docking, number });
    return docking;
  }

  function end(): void {
    if (docking !== undefined) board.tell(slot, { kind: "gone", docking });
    docking = undefined;
  }

  /** Whether what is there is what was there a while ago. */
  function isQuiet({ counted: { files, bytes }, files: there }: Look): boolean {
    const newest = there.reduce((latest, { modifiedAt }) => Math.max(latest, modifiedAt), 0);
    const now = `${files} ${bytes} ${newest}`;
    if (now !== last) changedAtMs = clock.uptimeMs();
    last = now;
    return clock.uptimeMs() - changedAtMs >= QUIET_MS;
  }

  return {
    taking(counted) {
      board.tell(slot, { kind: "counted", docking: begun(), counted, whole: false, left: null });
    },
    looked(look) {
      if (look === "gone" || (look.files.length === 0 && look.left === undefined)) {
        end();
        return;
      }
      const { counted, left } = look;
      const whole = left === undefined && isQuiet(look);
      const why = left === undefined ? null : whyOf(left);
      const stays = why === "core-away" ? null : why;
      const id = begun();
      const now = board.tell(slot, { kind: "counted", docking: id, counted, whole, left: stays });
      if (why === "core-away") board.tell(slot, { kind: "delayed", docking: id, why });
      if (now.state !== "safe") return;
      board.tell(slot, { kind: "kept", docking: id, hoursFree: null, why: "not-wiped-here" });
    },
    refused({ code }) {
      const why = whyOf(code);
      const happened = { docking: begun(), why };
      if (why === "core-away") board.tell(slot, { kind: "delayed", ...happened });
      else board.tell(slot, { kind: "failed", ...happened });
    },
    pace: () => (board.read(slot).state === "busy" ? LOOK_WHILE_BUSY_MS : LOOK_EVERY_MS),
  };
}
