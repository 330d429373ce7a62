import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { markAnswers, remindOfMarks } from "../daemon/incident-marks.ts";
import { confirmTime } from "../daemon/trust.ts";
import { hold, rowsOf } from "./fakes/medium.ts";
import { CAMERA, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const WINDOW = { fromMs: START, toMs: plus(START, 10 * MINUTE_MS) };

async function openTrusted(): Promise<Rig> {
  const rig = await openRig();
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  return rig;
}

function mark(rig: Rig, change: object = {}) {
  const asked = { number: CAMERA, by: "coordinator", ...WINDOW, ...change };
  return markAnswers(rig.clock, rig.database)["bodycams.mark"](asked, () => undefined);
}

async function marks(rig: Rig) {
  return (await markAnswers(rig.clock, rig.database)["bodycams.marks"]({}, () => undefined)).marks;
}

/** A look each hour for so many days; the days that were reminded of. */
async function remind(rig: Rig, days: number): Promise<readonly number[]> {
  const before = rig.lines.length;
  const turn = turns(rig.clock, days * 24);
  await remindOfMarks(turn.clock, rig.events, rig.database, turn.signal);
  const told = rig.lines.slice(before).map((line): unknown => JSON.parse(line));
  return told.flatMap((one) =>
    typeof one === "object" && one !== null && "day" in one ? [Number(one.day)] : [],
  );
}

describe("an incident that a coordinator marks", () => {
  it("is reminded of on days 7, 14 and 21, and then forgotten: the entry stays (DH-08)", async () => {
    await using rig = await openTrusted();
    await rig.keep("one", named(0));
    rig.clock.move(HOUR_MS);
    assert.equal((await mark(rig)).footage, 1);
    assert.deepEqual(await remind(rig, 6), []);
    assert.deepEqual(await remind(rig, 2), [7]);
    assert.deepEqual(await remind(rig, 12), [14]);
    assert.deepEqual(await remind(rig, 10), [21]);
    assert.deepEqual(await marks(rig), []);
    const [entry] = await rowsOf(rig, "select body from entry where kind = 'incident.marked'");
    assert.match(String(entry?.["body"]), /"by":"coordinator","device":"bc-0101"/);
  });

  it("moves no due moment (DH-06, DH-08)", async () => {
    await using rig = await openTrusted();
    await rig.keep("one", named(0));
    const due = () => rowsOf(rig, "select due_at_ms, state from segment");
    const before = await due();
    await mark(rig);
    await remind(rig, 22);
    assert.deepEqual(await due(), before);
  });

  it("is not reminded of where all of its footage is held, and is where none is known", async () => {
    await using rig = await openTrusted();
    const id = await rig.keep("one", named(0));
    await mark(rig);
    await hold(rig, id);
    assert.deepEqual([(await marks(rig))[0]?.open, (await marks(rig))[0]?.held], [0, 1]);
    await mark(rig, { fromMs: START - 5 * HOUR_MS, toMs: START - 4 * HOUR_MS });
    assert.deepEqual(await remind(rig, 8), [7]);
  });

  it("is not reminded of for days that were over when it was marked", async () => {
    await using rig = await openTrusted();
    await rig.keep("one", named(0));
    rig.clock.move(15 * DAY_MS);
    await mark(rig);
    assert.deepEqual(await remind(rig, 7), [21]);
  });

  it("is neither told of nor forgotten while time is not trusted (invariant 10)", async () => {
    await using rig = await openTrusted();
    await mark(rig);
    rig.clock.jump(60 * DAY_MS);
    assert.deepEqual(await remind(rig, 1), []);
    assert.equal((await marks(rig)).length, 1);
  });

  it("is refused for a camera that is not known, and for hours that cannot be", async () => {
    await using rig = await openTrusted();
    const now = rig.clock.now();
    const wrong = [
      { number: parseDeviceId("bc-9999") },
      { fromMs: now, toMs: now - 1 },
      { fromMs: now + 1, toMs: now + 2 },
      { fromMs: now - 25 * HOUR_MS, toMs: now },
      { fromMs: now - 28 * DAY_MS, toMs: now - 28 * DAY_MS },
    ];
    for (const change of wrong)
      await assert.rejects(mark(rig, change), { code: "CONTROL_REFUSED" }, JSON.stringify(change));
    assert.deepEqual(await marks(rig), []);
  });
});
