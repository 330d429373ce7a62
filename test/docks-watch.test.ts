import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "mocha";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { shownSlot, slotSays, WHY_SAYS } from "../daemon/cli/shown-slots.ts";
import { barScreen, jsonScreen, lineScreen, watchDocks } from "../daemon/cli/watch-docks.ts";
import type { Ask } from "../daemon/control/client.ts";
import type { SlotNews } from "../daemon/control/dock-questions.ts";
import { READ } from "../daemon/control/protocol.ts";
import { dockCore } from "../daemon/docks/ask-core.ts";
import { SLOT_WHYS } from "../daemon/docks/slot-why.ts";
import { cardRecordOf } from "./fakes/card-records.ts";
import { handClock, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import { WELL } from "./fakes/well.ts";

const ONE: SlotNews = {
  slot: "0000:00:14.0/2.1",
  number: "bc-0101",
  state: "busy",
  why: "reading",
  files: 4,
  filesDone: 1,
  bytes: 4000,
  bytesDone: 1000,
  bytesPerSecond: 24,
  secondsLeft: 125,
  hoursFree: null,
  since: "2026-06-01T10:00:00.000Z",
  readySince: null,
  readyUptimeMs: null,
};
const READY: SlotNews = {
  ...ONE,
  state: "safe",
  why: null,
  filesDone: 4,
  bytesDone: 4000,
  secondsLeft: null,
  hoursFree: 7,
  readySince: "2026-06-01T10:02:00.000Z",
  readyUptimeMs: 120_000,
};
const TWO: SlotNews = {
  ...READY,
  slot: "0000:00:14.0/2.2",
  number: "bc-0102",
  state: "done",
  hoursFree: null,
  readySince: "2026-06-01T10:01:00.000Z",
  readyUptimeMs: 60_000,
};

/** What is written while core answers one after the other, or is away. */
async function watched(
  screen: (write: (text: string) => void) => ReturnType<typeof lineScreen>,
  answers: readonly (readonly SlotNews[] | "away")[],
): Promise<string> {
  let text = "";
  let asked = 0;
  const ask: Ask = async (method) => {
    const slots = answers[asked] ?? [];
    asked += 1;
    if (slots === "away")
      throw new BewaardError("CONTROL_UNREACHABLE", "nothing answers", { transient: true });
    return READ[method](method === "docks" ? { at: null, slots: [...slots], devices: [] } : WELL);
  };
  const turn = turns(handClock(START), answers.length);
  await watchDocks(
    turn.clock,
    ask,
    screen((more) => (text += more)),
    turn.signal,
  );
  return text;
}

/** A terminal so wide, and what was drawn on it. */
function terminal(columns: number) {
  let text = "";
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const begins = () => ((text += "\r"), true);
  const ways = { clearLine: () => true, moveCursor: () => true, cursorTo: begins };
  return { stream: Object.assign(stream, { isTTY: true, columns, ...ways }), drawn: () => text };
}

async function drawnAt(
  columns: number,
  answers: readonly (readonly SlotNews[])[],
): Promise<string> {
  const { stream, drawn } = terminal(columns);
  await watched(() => barScreen(stream), answers);
  return drawn();
}

describe("what a slot says", () => {
  it("is in Dutch and English, for each state", () => {
    assert.equal(
      shownSlot(ONE),
      `${ONE.slot}  bc-0101  bezig, niet verwijderen: wordt gelezen / busy, do not remove: being read  1/4 · nog / left 2:05 min`,
    );
    assert.equal(
      slotSays(READY),
      "veilig, mag mee – nog 7 uur ruimte / safe, may go – room for 7 more hours",
    );
    assert.equal(slotSays(TWO), "veilig, leeg, klaar / safe, empty, done");
    assert.equal(slotSays({ ...ONE, state: "free", why: null }), "slot vrij / slot free");
    assert.equal(
      slotSays({ ...ONE, state: "failed", why: "unpaired" }),
      "niet gelukt, roep beheer: deze camera is hier niet gekoppeld / failed, call an administrator: this camera is not paired here",
    );
    assert.match(
      slotSays({ ...ONE, state: "failed", why: "of-a-newer-release" }),
      /of-a-newer-release/,
    );
  });

  it("has words for each reason, which are not the same in both languages", () => {
    assert.deepEqual(Object.keys(WHY_SAYS).toSorted(), [...SLOT_WHYS].toSorted());
    for (const { nl, en } of Object.values(WHY_SAYS))
      assert.ok(nl !== en && nl !== "" && en !== "");
  });
});

describe("bewaarctl docks watch", () => {
  it("without a terminal writes a line when a slot says something else, and which is ready first", async () => {
    const text = await watched(lineScreen, [[ONE], [ONE], [READY], [READY, TWO]]);
    const lines = text.trimEnd().split("\n");
    assert.equal(lines.length, 5);
    assert.match(lines[1] ?? "", /veilig, mag mee/);
    assert.equal(lines[2], `het eerst klaar / ready first: ${ONE.slot} (bc-0101)`);
    assert.equal(lines[4], `het eerst klaar / ready first: ${TWO.slot} (bc-0102)`);
  });

  it("with --json writes a line each time that anything has changed, with the slot that is ready first", async () => {
    const text = await watched(jsonScreen, [
      [ONE],
      [ONE],
      [{ ...ONE, bytesDone: 2000 }],
      [READY, TWO],
    ]);
    const line = z.object({
      slots: z.array(z.object({ slot: z.string() })),
      first: z.string().nullable(),
    });
    const lines = text
      .trimEnd()
      .split("\n")
      .map((one) => line.parse(JSON.parse(one)));
    assert.deepEqual(
      lines.map(({ first }) => first),
      [null, null, TWO.slot],
    );
  });

  it("on a terminal draws a bar for each slot", async () => {
    const drawn = await drawnAt(300, [[ONE], [READY, TWO]]);
    assert.match(drawn, /bc-0101\s.*100%.*veilig, mag mee/);
    assert.match(drawn, /bc-0102\s.*veilig, leeg, klaar.*het eerst klaar/);
  });

  it("on a terminal has one line a slot, whoever comes into it, and says of one that nobody speaks of that it is free", async () => {
    const came: SlotNews = { ...ONE, number: null, why: "recognising" };
    const drawn = await drawnAt(300, [[came], [ONE], [READY, TWO], []]);
    const [last] = drawn.split("\r").slice(-1);
    const lines = (last ?? "").trimEnd().split("\n");
    assert.equal(lines.length, 2, last);
    for (const line of lines) assert.match(line, /-\s.*slot vrij/);
  });

  it("on a narrow terminal leaves out the bar, and says in Dutch whether the camera may go", async () => {
    const drawn = await drawnAt(60, [[READY]]);
    assert.match(drawn, /bc-0101 {2}100% {2}veilig, mag mee/);
  });

  it("does not hand on what steers a terminal", async () => {
    const { stream, drawn } = terminal(300);
    const screen = barScreen(stream);
    screen.show([{ ...ONE, slot: "x/1\u001b]0;a\u0007", number: "\u001b[2J" }]);
    screen.end();
    assert.match(drawn(), /bezig, niet verwijderen/);
    assert.ok(!drawn().includes("\u001b]0;") && !drawn().includes("\u001b[2J"));
  });

  it("says so while core is away, names nothing as ready then, and goes on when it is back", async () => {
    const text = await watched(lineScreen, [[READY, TWO], "away", "away", [READY, TWO]]);
    const lines = text.trimEnd().split("\n");
    const away = lines.filter((line) => line.includes("de kast antwoordt nu niet"));
    assert.equal(away.length, 2, text);
    for (const line of away) assert.match(line, /bezig, niet verwijderen/);
    assert.match(lines.at(-1) ?? "", /het eerst klaar/);
    await assert.rejects(watched(lineScreen, ["away"]), { code: "CONTROL_UNREACHABLE" });
  });
});

describe("what the dock asks of core about a safe card", () => {
  it("is answered by what its slot then says", async () => {
    const answers = [
      [{ nonce: "a".repeat(32), waiting: 2, forbidden: 0, again: [], why: null }, "wiping"],
      [{ nonce: null, waiting: 2, forbidden: 1, again: [], why: null }, "waits-for-vault"],
      [{ nonce: null, waiting: 0, forbidden: 1, again: [], why: null }, "stays-on-card"],
      [{ nonce: null, waiting: 0, forbidden: 0, again: [], why: null }, null],
      [{ nonce: null, waiting: 0, forbidden: 2, again: [], why: "never" }, "not-wiped-here"],
      [{ nonce: null, waiting: 0, forbidden: 2, again: [], why: "clock" }, "not-wiped-now"],
      [
        { nonce: null, waiting: 0, forbidden: 2, again: [], why: "write-protected" },
        "write-protected",
      ],
    ] as const;
    const record = cardRecordOf({ name: "sdb1", media: "/run/bewaard/media" });
    for (const [answer, why] of answers) {
      const core = dockCore(async (method) =>
        READ[method](method === "docks.wipe" ? answer : WELL),
      );
      const card = { docking: "01KT1A0K5024SJBWQQ2QYGC32R", record, files: [], others: 0 };
      assert.equal(await core.wipe({ ...card, readAgain: () => undefined }), why);
    }
  });
});
