import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "#base/time";
import { firstReady } from "../daemon/cli/shown-slots.ts";
import { METHODS } from "../daemon/control/protocol.ts";
import type { DockCore, SlotNews } from "../daemon/docks/dock-core.ts";
import { openSlotBoard, type SlotBoard } from "../daemon/docks/slot-board.ts";
import { tellSlots } from "../daemon/docks/tell-slots.ts";
import { openBoard } from "../daemon/pairing/board.ts";
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
    setTime: async () => ({ why: null, over: true }),
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

function begin(board: SlotBoard, slot = SLOT): void {
  board.tell(slot, { kind: "seen", docking: "A" });
  board.tell(slot, { kind: "recognised", docking: "A", number: parseDeviceId("bc-0101") });
  board.tell(slot, { kind: "counted", docking: "A", counted: COUNTED, whole: false, left: null });
}

/** One whose only camera may go. */
function boardOfSafe(clock: HandClock): SlotBoard {
  const board = openSlotBoard(clock, () => undefined);
  begin(board);
  end(board);
  return board;
}

function end(board: SlotBoard, slot = SLOT): void {
  const counted = { ...COUNTED, filesDone: 2, bytesDone: 4000, adopted: 2 };
  board.tell(slot, { kind: "counted", docking: "A", counted, whole: true, left: null });
}

describe("news of slots", () => {
  it("goes to core at most once a second, when something has changed, and again after half a minute", async () => {
    const all = await told(70, (second, board) => {
      if (second === 5) begin(board);
    });
    assert.deepEqual(
      all.map(({ second }) => second),
      [0, 5, 35, 65],
    );
    assert.deepEqual(
      all.map(({ slots }) => slots.map(({ state }) => state)),
      [[], ["busy"], ["busy"], ["busy"]],
    );
  });

  it("comes from a dock without a camera too: what the one before it said is over", async () => {
    const all = await told(70, () => undefined);
    assert.deepEqual(
      all.map(({ second, slots }) => [second, slots.length]),
      [
        [0, 0],
        [30, 0],
        [60, 0],
      ],
    );
  });

  it("of a dock that is not heard any more says of no camera that it may go, by uptime", () => {
    const clock = handClock(START);
    const board = openBoard(clock);
    const [slot] = boardOfSafe(clock).news();
    assert.ok(slot);
    board.news([slot]);
    clock.jump(-DAY_MS);
    clock.move(MINUTE_MS);
    assert.deepEqual(board.read().slots, [slot]);
    clock.move(SECOND_MS);
    const [now] = board.read().slots;
    assert.deepEqual([now?.state, now?.why, now?.readySince], ["failed", "dock-away", null]);
    board.news([slot]);
    assert.deepEqual(board.read().slots, [slot]);
  });

  it("names the slot that is ready first by uptime: the clock of the box may be set back before the next one is", () => {
    const clock = handClock(START);
    const board = boardOfSafe(clock);
    const next = "0000:00:14.0/2.2";
    begin(board, next);
    clock.move(MINUTE_MS);
    clock.jump(-DAY_MS);
    end(board, next);
    const slots = METHODS["docks.news"].params.parse({ slots: board.news() }).slots;
    assert.equal(firstReady(slots)?.slot, SLOT);
    board.tell(SLOT, { kind: "gone", docking: "A" });
    assert.equal(firstReady(board.news())?.slot, next);
    clock.move(MINUTE_MS);
    begin(board);
    end(board);
    assert.equal(firstReady(board.news())?.slot, next);
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

  it("is never such that core refuses it: also not while files are read once more (invariant 1)", async () => {
    const all = await told(12, (second, board) => {
      const done = (files: number, whole: boolean) => {
        const counted = { ...COUNTED, filesDone: files, bytesDone: files * 2000, adopted: files };
        board.tell(SLOT, { kind: "counted", docking: "A", counted, whole, left: null });
      };
      if (second === 0) begin(board);
      if (second === 3) done(2, true);
      // The second read of both differed.
      if (second === 6) done(0, false);
      if (second === 9) done(1, false);
    });
    const news = METHODS["docks.news"].params;
    for (const { slots } of all)
      assert.ok(news.safeParse({ slots }).success, JSON.stringify(slots));
    const [last] = all.find(({ second }) => second === 9)?.slots ?? [];
    assert.deepEqual([last?.bytesPerSecond, last?.secondsLeft], [667, 3]);
  });

  it("tells no time that is left by a first file of a few bytes, nor once all is read", async () => {
    const all = await told(12, (second, board) => {
      const done = (bytesDone: number) => {
        const counted = { ...COUNTED, bytes: 4e9, filesDone: 1, bytesDone };
        board.tell(SLOT, { kind: "counted", docking: "A", counted, whole: false, left: null });
      };
      if (second === 0) begin(board);
      if (second === 1) done(0);
      if (second === 2) done(100);
      if (second === 5) done(16e6);
      if (second === 9) done(4e9);
    });
    const left = (at: number) =>
      all.findLast(({ second }) => second <= at)?.slots[0]?.secondsLeft ?? null;
    assert.deepEqual([left(4), left(11)], [null, null]);
    assert.equal(left(8), 1992);
  });

  it("is refused by core where no dock could have said so", () => {
    const [one] = boardOfSafe(handClock(START)).news();
    const news = METHODS["docks.news"].params;
    assert.ok(news.safeParse({ slots: [one] }).success);
    for (const wrong of [
      { slot: "\u001b[2J/1" },
      { number: "x".repeat(100_000) },
      { number: "bc-0101\nhet eerst klaar" },
      { why: "\u001b[2J" },
    ])
      assert.ok(!news.safeParse({ slots: [{ ...one, ...wrong }] }).success, JSON.stringify(wrong));
    assert.ok(!news.safeParse({ slots: Array.from({ length: 10_000 }, () => one) }).success);
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
