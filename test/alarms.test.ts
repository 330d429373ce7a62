import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { type Alarm, once, type Sign } from "../daemon/alarms/alarm.ts";
import { readRaised } from "../daemon/alarms/raised.ts";
import { AT_REST, type Rule, type Standing, standingAfter } from "../daemon/alarms/standing.ts";
import { uploadLate } from "../daemon/alarms/upload-late.ts";
import { watchAlarms } from "../daemon/alarms/watch-alarms.ts";
import { confirmTime } from "../daemon/trust.ts";
import type { VaultLevel } from "../storage/vault/vault.ts";
import { NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const RULE: Rule = { raiseAfterMs: 5 * MINUTE_MS, clearAfterMs: 2 * MINUTE_MS, stage: once };

/** What is told minute by minute: `#` bad, `.` good. */
function toldOf(looks: string, rule: Rule = RULE, before: Standing = AT_REST): string {
  let standing = before;
  return Array.from(looks)
    .map((look, minute) => {
      const at = minute * MINUTE_MS;
      const after = standingAfter(rule, standing, look === "#", plus(START, at), at);
      ({ standing } = after);
      return { raised: "R", still: "S", over: "o", nothing: "-" }[after.told];
    })
    .join("");
}

describe("an alarm", () => {
  it("is raised once it was bad for long enough, and over once it was good for long enough", () => {
    assert.equal(toldOf("..########..."), "-------R----o");
    assert.equal(toldOf("#####...."), "---------");
    assert.equal(toldOf("#######.#.#...###"), "-----R-------o---");
  });

  it("takes a spell that is shorter than that for none", () => {
    assert.equal(toldOf("###.##.##"), "-----R---");
    assert.equal(toldOf("###...###"), "---------");
  });

  it("is raised and over at once where that is its rule", () => {
    const atOnce = { raiseAfterMs: 0, clearAfterMs: 0, stage: once };
    assert.equal(toldOf(".##.#", atOnce), "-R-oR");
  });

  it("is told again with each stage of its lasting, also over a clock that is set back", () => {
    const hourly = {
      raiseAfterMs: 0,
      clearAfterMs: 0,
      stage: (ms: number) => Math.floor(ms / HOUR_MS),
    };
    assert.equal(toldOf("#".repeat(125), hourly).replaceAll("-", ""), "RSS");
    const raised = { at: plus(START, 3 * HOUR_MS), stage: 0 };
    assert.equal(toldOf("##", hourly, { ...AT_REST, raised }), "S-");
  });

  it("goes on being told by a clock that was set back, from that moment, however late its stage was (invariant 10)", () => {
    const hourly = {
      raiseAfterMs: 0,
      clearAfterMs: 0,
      stage: (ms: number) => Math.floor(ms / HOUR_MS),
    };
    const raised = { at: plus(START, 2 * HOUR_MS), stage: 5 };
    const told = toldOf("#".repeat(125), hourly, { ...AT_REST, raised });
    assert.deepEqual(
      [...told.matchAll(/S/g)].map(({ index }) => index),
      [0, 60, 120],
    );
  });

  it("goes on being told by a clock that was set ahead and back while it lasted (invariant 10)", () => {
    const hourly = {
      raiseAfterMs: 0,
      clearAfterMs: 0,
      stage: (ms: number) => Math.floor(ms / HOUR_MS),
    };
    // Told by a clock that was three years ahead, and would not be again for as long.
    const toldAt = plus(START, 3 * 365 * DAY_MS);
    const raised = { at: plus(START, -HOUR_MS), stage: 3 * 365 * 24 + 1, toldAt };
    const told = toldOf("#".repeat(125), hourly, { ...AT_REST, raised });
    assert.deepEqual(
      [...told.matchAll(/S/g)].map(({ index }) => index),
      [0, 60, 120],
    );
  });
});

/** Goes through `count` minutes. */
async function minutes(rig: Rig, alarms: readonly Alarm[], count: number): Promise<void> {
  const { clock, signal } = turns(rig.clock, count);
  await watchAlarms(clock, rig.events, rig.database, alarms, signal);
}

/** About what `bad` has; it tells what events there are of another alarm, which stand in for its own. */
function alarmAbout(rig: Rig, bad: Set<string>, look?: Alarm["look"]): Alarm {
  const signs = (): readonly Sign[] =>
    [...bad].map((about) => ({ about, tell: () => rig.events.uploadLate(START) }));
  return {
    name: "upload-late",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: look ?? (async () => signs()),
    tellOver: () => rig.events.uploadLateOver(START),
  };
}

describe("the watch over alarms", () => {
  it("tells each thing by itself, once, also over a restart, and once that it is over", async () => {
    await using rig = await openRig();
    const bad = new Set(["cam-0001", "cam-0002"]);
    const alarm = alarmAbout(rig, bad);
    await minutes(rig, [alarm], 3);
    await minutes(rig, [alarm], 3);
    assert.deepEqual(rig.said, ["upload-late", "upload-late"]);
    assert.deepEqual(
      (await readRaised(rig.database)).map(({ about }) => about),
      ["cam-0001", "cam-0002"],
    );
    bad.delete("cam-0001");
    await minutes(rig, [alarm], 1);
    await minutes(rig, [alarm], 2);
    assert.deepEqual(rig.said.slice(2), ["upload-late-over"]);
    bad.clear();
    await minutes(rig, [alarm], 2);
    assert.deepEqual(rig.said.slice(3), ["upload-late-over"]);
    assert.deepEqual(await readRaised(rig.database), []);
  });

  it("changes nothing while nobody can tell, and looks at the others all the same", async () => {
    await using rig = await openRig();
    const bad = new Set(["cam-0001"]);
    await minutes(rig, [alarmAbout(rig, bad)], 1);
    await minutes(rig, [alarmAbout(rig, bad, async () => undefined)], 5);
    assert.deepEqual(rig.said, ["upload-late"]);
    const fails = alarmAbout(rig, bad, () =>
      Promise.reject(new BewaardError("CATALOG_BUSY", "busy", { transient: true })),
    );
    let looked = 0;
    const other = alarmAbout(rig, bad, async () => {
      looked += 1;
      return undefined;
    });
    await minutes(rig, [fails, other], 2);
    assert.deepEqual([rig.said, looked], [["upload-late", "turn-failed"], 2]);
  });

  it("forgets nothing that it has told when the catalog cannot take it for a while", async () => {
    await using rig = await openRig();
    const bad = new Set(["cam-0001"]);
    let writes = 0;
    const refusing = {
      ...rig.database,
      transaction: async <T>(body: Parameters<typeof rig.database.transaction<T>>[0]) => {
        writes += 1;
        if (writes > 1 && writes < 5)
          throw new BewaardError("CATALOG_FULL", "full", { transient: true });
        return rig.database.transaction(body);
      },
    };
    const { clock, signal } = turns(rig.clock, 6);
    await watchAlarms(clock, rig.events, refusing, [alarmAbout(rig, bad)], signal);
    assert.deepEqual(rig.said, ["upload-late", "turn-failed"]);
    assert.equal((await readRaised(rig.database)).length, 1);
  });
});

describe("footage that waits for the vault", () => {
  it("is told when it waits longer than the site allows, and when nothing waits half as long", async () => {
    await using rig = await openRig();
    const alarm = uploadLate(rig.clock, rig.events, rig.database, "directory", 6 * HOUR_MS);
    await rig.record("beeld");
    await rig.adoptOnce();
    await minutes(rig, [alarm], 6 * 60);
    assert.deepEqual(rig.said.splice(0), ["adopted"]);
    await minutes(rig, [alarm], 3);
    assert.deepEqual(rig.said, ["upload-late"]);
    await rig.storeOnce();
    await minutes(rig, [alarm], 7);
    assert.deepEqual(rig.said, ["upload-late", "stored", "upload-late-over"]);
  });

  it("is told as long as something waits for more than half of that", async () => {
    await using rig = await openRig();
    const alarm = uploadLate(rig.clock, rig.events, rig.database, "directory", 6 * HOUR_MS);
    const first = await rig.record("beeld");
    await rig.adoptOnce();
    rig.clock.move(2 * HOUR_MS);
    await rig.record("later beeld", named(1));
    await rig.adoptOnce();
    rig.said.splice(0);
    rig.clock.move(4 * HOUR_MS + MINUTE_MS);
    await minutes(rig, [alarm], 2);
    assert.deepEqual(rig.said, ["upload-late"]);
    // The first waits no more, and the other has for four hours.
    const change = "update segment set time_trust = 'overdue' where id = $id";
    await rig.database.transaction((sql) => sql.run(change, { $id: first }));
    await minutes(rig, [alarm], 10);
    assert.deepEqual(rig.said, ["upload-late"]);
  });

  it("is measured by uptime while time is not trusted, by which a clock that is wrong has it neither told nor over (invariant 10)", async () => {
    await using rig = await openRig();
    const { clock } = rig;
    const alarm = uploadLate(clock, rig.events, rig.database, "directory", 6 * HOUR_MS);
    await confirmTime(clock, rig.database, clock.now(), "test");
    await rig.record("beeld");
    await rig.adoptOnce();
    rig.said.splice(0);
    clock.jump(10 * HOUR_MS);
    await minutes(rig, [alarm], 10);
    assert.deepEqual(rig.said, []);
    clock.jump(-20 * HOUR_MS);
    await minutes(rig, [alarm], 6 * 60);
    assert.deepEqual(rig.said, ["upload-late"]);
    // Set back to before it came; and ahead, to after the end of its term.
    await minutes(rig, [alarm], 10);
    clock.jump(90 * DAY_MS);
    await minutes(rig, [alarm], 10);
    assert.deepEqual(rig.said, ["upload-late"]);
    clock.jump(-80 * DAY_MS);
    await rig.storeOnce();
    await minutes(rig, [alarm], 10);
    assert.deepEqual(rig.said, ["upload-late", "stored", "upload-late-over"]);
  });

  it("of before a start of the machine is told by how long that is up, or by the time once it is trusted", async () => {
    await using rig = await openRig();
    const { clock } = rig;
    const alarm = uploadLate(clock, rig.events, rig.database, "directory", 6 * HOUR_MS);
    await rig.record("beeld");
    await rig.adoptOnce();
    rig.said.splice(0);
    clock.restart();
    clock.jump(2 * DAY_MS);
    await minutes(rig, [alarm], 10);
    assert.deepEqual(rig.said, []);
    await confirmTime(clock, rig.database, clock.now(), "test");
    await minutes(rig, [alarm], 10);
    assert.deepEqual(rig.said.splice(0), ["upload-late"]);
    // As after the next power cut: nobody knows that it is over.
    clock.restart();
    clock.jump(2 * DAY_MS);
    await minutes(rig, [alarm], 7 * 60);
    assert.deepEqual(rig.said, []);
  });

  it("of before a start of the machine is told without anybody's word on the time, later", async () => {
    await using rig = await openRig();
    await rig.record("beeld");
    await rig.adoptOnce();
    rig.said.splice(0);
    rig.clock.restart();
    const alarm = uploadLate(rig.clock, rig.events, rig.database, "directory", 6 * HOUR_MS);
    await minutes(rig, [alarm], 6 * 60);
    assert.deepEqual(rig.said, []);
    await minutes(rig, [alarm], 3);
    assert.deepEqual(rig.said, ["upload-late"]);
  });

  it("is of no concern where a vault that locks is not to have it: too little of its term is left, or the term is not certain", async () => {
    await using rig = await openRig();
    await rig.record("beeld");
    await rig.adoptOnce();
    const late = async (level: VaultLevel): Promise<readonly string[]> => {
      const alarm = uploadLate(rig.clock, rig.events, rig.database, level, HOUR_MS);
      return (
        (await alarm.look(rig.clock.now(), () => false, NEVER))?.map(({ about }) => about) ?? []
      );
    };
    rig.clock.move(2 * HOUR_MS);
    const change = (sql: string) => rig.database.transaction((tx) => tx.run(sql));
    // A term that nobody has vouched for: time was never trusted here.
    assert.deepEqual([await late("locked"), await late("plain")], [[], [""]]);
    await change("update segment set due_provisional = 0");
    assert.deepEqual(await late("locked"), [""]);
    rig.clock.move(25 * DAY_MS);
    assert.deepEqual([await late("locked"), await late("plain")], [[], [""]]);
  });

  it("is of no concern when it was claimed to be overdue, and so stays in the spool", async () => {
    await using rig = await openRig();
    await rig.record("beeld");
    await rig.adoptOnce();
    await rig.database.transaction((sql) => sql.run("update segment set time_trust = 'overdue'"));
    await minutes(
      rig,
      [uploadLate(rig.clock, rig.events, rig.database, "directory", HOUR_MS)],
      120,
    );
    assert.ok(!rig.said.includes("upload-late"));
  });
});
