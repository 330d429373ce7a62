import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { clockWhy } from "../daemon/cli/shown-clock.ts";
import { keepTime } from "../daemon/keep-time.ts";
import { confirmTime, hear, lookBack, parseWallTime, timeTrust } from "../daemon/trust.ts";
import { append } from "../storage/ledger/append.ts";
import { openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

/** Sources of which each says that this box is ahead of it by so much. */
async function said(rig: Rig, ...aheadMs: readonly number[]): Promise<boolean> {
  const heard = aheadMs.map((ms) => ({ source: "nts", time: plus(rig.clock.now(), -ms) }));
  await hear(rig.clock, rig.database, heard);
  return (await timeTrust(rig.clock, rig.database)).trusted;
}

function confirm(rig: Rig): Promise<number> {
  return confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
}

async function confirmed(rig: Rig): Promise<boolean> {
  try {
    await confirm(rig);
    return true;
  } catch {
    return false;
  }
}

async function entries(rig: Rig): Promise<readonly string[]> {
  const rows = await rig.database.transaction((sql) =>
    sql.all("select body from entry where kind like 'clock.%' order by seq"),
  );
  return rows.map(({ body }) => String(body));
}

describe("why a clock is trusted or not", () => {
  it("is told in Dutch, whatever happened", async () => {
    await using rig = await openRig();
    const { clock, database } = rig;
    const told: string[] = [];
    const tell = async () => told.push(clockWhy((await timeTrust(clock, database)).why));
    await tell();
    for (const happens of [
      () => confirm(rig),
      async () => clock.jump(2 * HOUR_MS),
      () => confirm(rig),
      async () => clock.jump(-2 * HOUR_MS),
      () => said(rig, 0, 0),
      () => said(rig, DAY_MS, DAY_MS),
      async () => clock.restart(),
      () => said(rig, 0, 0),
      async () => clock.restart(),
    ]) {
      await happens();
      await tell();
    }
    assert.deepEqual(
      told.map((why) => why.replace(/\d{4}-.*/, "…")),
      [
        "nog nooit bevestigd op deze kast",
        "bevestigd op …",
        "de klok sprong 2.0 uur vooruit",
        "bevestigd op …",
        "de klok sprong 2.0 uur terug",
        "2 bronnen van buiten zijn het eens, 1 niet",
        "bronnen van buiten spreken elkaar tegen",
        "bronnen van buiten spreken elkaar tegen",
        "2 bronnen van buiten zijn het eens, 0 niet",
        "de machine is gestart",
      ],
    );
  });

  it("is asked for a time after 1970, with its offset", () => {
    for (const text of ["0000-01-01T00:00Z", "1960-01-01T00:00+01:00", "2026-11-22 17:05", ""]) {
      assert.throws(() => parseWallTime(text), { code: "CLOCK_DISAGREES" }, text);
    }
  });
});

describe("outside sources of time (invariant 10)", () => {
  it("vouch when one agrees, within five minutes, and nobody contradicts it", async () => {
    await using rig = await openRig();
    assert.equal(await said(rig), false);
    assert.equal(await said(rig, 5 * MINUTE_MS + 1), false);
    assert.equal(await said(rig, -5 * MINUTE_MS), true);
    assert.match(
      (await entries(rig)).join("\n"),
      /"kind":"clock.trusted","sources":\[\{"offMs":-300000,"source":"nts"\}\]/,
    );
  });

  it("that lie alone do not block when two others agree", async () => {
    await using rig = await openRig();
    assert.equal(await said(rig, 0, 29 * DAY_MS, 1000), true);
    assert.equal(await said(rig, 0, 29 * DAY_MS, 1000), true);
    assert.equal((await entries(rig)).length, 1);
  });

  it("one against one are for somebody to settle, and stay settled", async () => {
    await using rig = await openRig();
    assert.equal(await said(rig, 0, HOUR_MS), false);
    await confirm(rig);
    assert.equal(await said(rig, 0, HOUR_MS), true);
    rig.clock.restart();
    assert.equal(await said(rig, 0, HOUR_MS), false);
  });

  it("that come to disagree take the trust away, and the ledger says what they said", async () => {
    await using rig = await openRig();
    await confirm(rig);
    assert.equal(await said(rig, HOUR_MS), false);
    assert.match(
      (await entries(rig)).at(-1) ?? "",
      /clock.untrusted","sources":\[\{"offMs":3600000/,
    );
    await assert.rejects(
      async () => {
        await hear(rig.clock, rig.database, [
          { source: "nts", time: plus(rig.clock.now(), HOUR_MS) },
          { source: "nts", time: plus(rig.clock.now(), HOUR_MS) },
        ]);
        await confirm(rig);
      },
      { code: "CLOCK_DISAGREES" },
    );
  });

  it("are not believed alone over what somebody confirmed, wherever the clock jumps after that", async () => {
    for (const liesFirst of [true, false]) {
      await using rig = await openRig();
      await confirm(rig);
      if (liesFirst) assert.equal(await said(rig, -DAY_MS), false);
      rig.clock.jump(DAY_MS);
      assert.equal(await said(rig, 0), false);
      assert.equal(await said(rig, 0, 0), true);
      await confirm(rig);
      assert.equal(await said(rig, 0), true);
    }
  });

  it("that fall silent change nothing; a jump and a start still do, and they vouch again after", async () => {
    await using rig = await openRig();
    await said(rig, 0);
    assert.equal(await said(rig), true);
    rig.clock.jump(HOUR_MS);
    assert.equal(await said(rig), false);
    assert.equal(await said(rig, HOUR_MS), false);
    rig.clock.jump(-HOUR_MS);
    assert.equal(await said(rig), false);
    assert.equal(await said(rig, 0), true);
    rig.clock.restart();
    assert.equal(await said(rig), false);
    assert.equal(await said(rig, 0), true);
  });

  it("are asked at the start, each minute until they vouch, and each ten minutes from then on", async () => {
    await using rig = await openRig();
    let asked = 0;
    const source = async () => {
      asked += 1;
      return asked < 3 ? [] : [{ source: "nts", time: rig.clock.now() }];
    };
    const turn = turns(rig.clock, 24);
    await keepTime(turn.clock, rig.events, rig.database, [source], turn.signal);
    assert.equal(asked, 5);
    assert.deepEqual(rig.said, []);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, true);
  });

  it("are not trusted over a majority, whatever boots, jumps and answers come in whatever order", async () => {
    const answers = fc.array(fc.constantFrom(0, 1000, HOUR_MS, -DAY_MS), { maxLength: 4 });
    const event = fc.oneof(
      fc.record({ kind: fc.constant("said" as const), answers }),
      fc.record({ kind: fc.constant("jump" as const), ms: fc.constantFrom(HOUR_MS, 1000, DAY_MS) }),
      fc.record({ kind: fc.constantFrom("restart" as const, "confirm" as const, "pass" as const) }),
    );
    await using rig = await openRig({ database: ":memory:" });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 20 }), async (events) => {
        rig.clock.restart();
        /** By how much the clock was set ahead since the start, and when somebody confirmed it. */
        let aheadMs = 0;
        let confirmedMs: number | undefined;
        for (const one of events) {
          const before = (await timeTrust(rig.clock, rig.database)).trusted;
          if (one.kind === "jump") {
            rig.clock.jump(one.ms);
            aheadMs += one.ms;
          }
          if (one.kind === "restart") {
            rig.clock.restart();
            [aheadMs, confirmedMs] = [0, undefined];
          }
          if (one.kind === "pass") rig.clock.move(HOUR_MS);
          if (one.kind === "confirm" && (await confirmed(rig))) confirmedMs = aheadMs;
          const trusted =
            one.kind === "said"
              ? await said(rig, ...one.answers)
              : (await timeTrust(rig.clock, rig.database)).trusted;
          if (one.kind === "restart" || (one.kind === "jump" && one.ms > 5 * MINUTE_MS))
            assert.equal(trusted, false);
          if (one.kind !== "said") continue;
          const votes = [
            ...one.answers,
            ...(confirmedMs === undefined ? [] : [aheadMs - confirmedMs]),
          ];
          const wrong = votes.filter((ms) => Math.abs(ms) > 5 * MINUTE_MS).length;
          if (one.answers.length > 0) assert.equal(trusted, votes.length > 2 * wrong);
          if (one.answers.length === 0) assert.equal(trusted, before);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a clock behind the ledger", () => {
  it("is not trusted at the start, though its uptime says nothing", async () => {
    await using rig = await openRig();
    await confirm(rig);
    await lookBack(rig.clock, rig.database);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, true);
    // A machine put back to an older picture of itself: wall time and uptime went back together.
    await lookBack(
      {
        ...rig.clock,
        now: () => instant(rig.clock.now() - HOUR_MS),
        uptimeMs: () => 1000 - HOUR_MS,
      },
      rig.database,
    );
    assert.match((await timeTrust(rig.clock, rig.database)).why, /behind the ledger/);
  });

  it("that was ahead once is doubted at one start, and not at each one after somebody confirmed it", async () => {
    await using rig = await openRig();
    await confirm(rig);
    rig.clock.jump(DAY_MS);
    await rig.database.transaction((sql) =>
      append(sql, rig.clock.now(), [{ kind: "bewaard.started", facts: { bootId: "test" } }]),
    );
    rig.clock.jump(-DAY_MS);
    await lookBack(rig.clock, rig.database);
    assert.match((await timeTrust(rig.clock, rig.database)).why, /behind the ledger/);
    await confirm(rig);
    await lookBack(rig.clock, rig.database);
    assert.equal((await timeTrust(rig.clock, rig.database)).trusted, true);
  });
});
