import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { SECOND_MS } from "#base/time";
import type { DockCore, SlotNews } from "../daemon/docks/dock-core.ts";
import { openSlotBoard, type SlotBoard } from "../daemon/docks/slot-board.ts";
import { tellSlots } from "../daemon/docks/tell-slots.ts";
import { type HandClock, handClock, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const SLOT = "0000:00:14.0/2.1";
const COUNTED = { files: 2, bytes: 4000, filesDone: 0, bytesDone: 0, adopted: 0 };

interface Told {
  readonly second: number;
  readonly slots: readonly SlotNews[];
}

/** What core is told in so many seconds, in which `live` does things to the board. */
async function told(
  seconds: number,
  live: (second: number, board: SlotBoard) => void,
  isAway: (second: number) => boolean = () => false,
): Promise<readonly Told[]> {
  const clock: HandClock = handClock(START);
  const board = openSlotBoard(clock, () => undefined);
  const all: Told[] = [];
  const turn = turns(clock, seconds);
  const second = (): number => Math.round((clock.now() - START) / SECOND_MS);
  const core: DockCore = {
    pairings: async () => [],
    wipe: async () => null,
    async news(slots) {
      if (isAway(second()))
        throw new BewaardError("CONTROL_UNREACHABLE", "away", { transient: true });
      all.push({ second: second(), slots });
    },
  };
  live(0, board);
  const sleeping = {
    ...turn.clock,
    async sleep(ms: number, signal: AbortSignal) {
      await turn.clock.sleep(ms, signal);
      live(second(), board);
    },
  };
  await tellSlots(sleeping, core, board, turn.signal);
  return all;
}

function begin(board: SlotBoard): void {
  board.tell(SLOT, { kind: "seen", docking: "A" });
  board.tell(SLOT, { kind: "recognised", docking: "A", number: parseDeviceId("bc-0101") });
  board.tell(SLOT, { kind: "counted", docking: "A", counted: COUNTED, whole: false, left: null });
}

describe("news of slots", () => {
  it("goes to core at most once a second, when something has changed, and again after half a minute", async () => {
    const all = await told(70, (second, board) => {
      if (second === 5) begin(board);
    });
    assert.deepEqual(
      all.map(({ second }) => second),
      [5, 35, 65],
    );
    assert.deepEqual(
      all.map(({ slots }) => slots.map(({ state }) => state)),
      [["busy"], ["busy"], ["busy"]],
    );
  });

  it("that could not be told is told as soon as core is there again", async () => {
    const all = await told(
      20,
      (second, board) => {
        if (second === 2) begin(board);
      },
      (second) => second < 9,
    );
    assert.deepEqual(
      all.map(({ second }) => second),
      [9],
    );
  });

  it("tells how fast a card is read and how long it will take, of what is read now alone", async () => {
    const all = await told(12, (second, board) => {
      if (second === 0) begin(board);
      if (second !== 10) return;
      const counted = { ...COUNTED, filesDone: 1, bytesDone: 1000 };
      board.tell(SLOT, { kind: "counted", docking: "A", counted, whole: false, left: null });
    });
    const [last] = all.find(({ second }) => second === 10)?.slots ?? [];
    assert.deepEqual([last?.bytesPerSecond, last?.secondsLeft], [100, 30]);
  });
});
