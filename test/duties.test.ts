import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { z } from "zod";
import { parseDeviceId, parseDutyId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { readConfig } from "../config/load.ts";
import { shownStatus } from "../daemon/cli/shown.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { duties } from "../daemon/duties.ts";
import { newDutyId } from "../daemon/new-id.ts";
import { recordPaired } from "../storage/catalog/devices.ts";
import { type CovertPeriod, closeDuty, openDuties, readDuties } from "../storage/catalog/duties.ts";
import { COVERT_CAMERA } from "./fakes/configuration.ts";
import { openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";
import { turns } from "./fakes/turns.ts";
import { WELL } from "./fakes/well.ts";

const COVERT = parseDeviceId("cam-0009");
const PERIOD: CovertPeriod = {
  device: COVERT,
  decision: "INT-2026-3",
  from: plus(START, HOUR_MS),
  until: plus(START, 5 * HOUR_MS),
};

async function rigWithCamera(): Promise<Rig> {
  const rig = await openRig();
  await recordPaired(rig.database, START, [{ id: COVERT, kind: "camera", pairedAt: START }]);
  return rig;
}

/** What core does at `now` under a configuration with these periods; returns what is open then. */
async function at(rig: Rig, now: Instant, periods: readonly CovertPeriod[]) {
  rig.clock.move(now - rig.clock.now());
  await openDuties(rig.database, now, periods, newDutyId);
  return readDuties(rig.database);
}

const entry = z.looseObject({ kind: z.string(), device: z.string().optional() });

async function entries(rig: Rig) {
  const rows = await rig.database.transaction((sql) =>
    sql.all("select body from entry where kind like 'duty.%' order by seq"),
  );
  return rows.map(({ body }) => entry.parse(JSON.parse(String(body))));
}

describe("the duty to inform after a covert camera (AR-41)", () => {
  it("opens when the period is over, once, with its ledger entry", async () => {
    await using rig = await rigWithCamera();
    assert.deepEqual(await at(rig, START, [PERIOD]), []);
    assert.deepEqual(await at(rig, plus(PERIOD.from, 1), [PERIOD]), []);
    assert.deepEqual(await at(rig, plus(PERIOD.until, -1), [PERIOD]), []);
    const [open, ...rest] = await at(rig, PERIOD.until, [PERIOD]);
    assert.deepEqual(rest, []);
    assert.ok(open);
    assert.deepEqual(
      [open.device, open.startedAt, open.endedAt],
      [COVERT, PERIOD.from, PERIOD.until],
    );
    assert.deepEqual(await at(rig, plus(PERIOD.until, DAY_MS), [PERIOD]), [open]);
    const [told, ...more] = await entries(rig);
    assert.deepEqual(more, []);
    assert.deepEqual(told, {
      at: isoOf(PERIOD.until),
      kind: "duty.opened",
      id: open.id,
      duty: "inform",
      device: "cam-0009",
      decision: "INT-2026-3",
      startedAt: isoOf(PERIOD.from),
      endedAt: isoOf(PERIOD.until),
    });
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("opens too when the camera is taken out of the configuration before its end", async () => {
    await using rig = await rigWithCamera();
    await at(rig, plus(PERIOD.from, MINUTE_MS), [PERIOD]);
    const removed = plus(PERIOD.from, 2 * HOUR_MS);
    const [open] = await at(rig, removed, []);
    assert.equal(open?.endedAt, removed);
    assert.equal(open.openedAt, removed);
  });

  it("opens when core was stopped all the while", async () => {
    await using rig = await rigWithCamera();
    const [open] = await at(rig, plus(PERIOD.until, 3 * DAY_MS), [PERIOD]);
    assert.deepEqual([open?.startedAt, open?.endedAt], [PERIOD.from, PERIOD.until]);
  });

  it("does not come of a period that never began", async () => {
    await using rig = await rigWithCamera();
    await at(rig, START, [PERIOD]);
    assert.deepEqual(await at(rig, plus(PERIOD.until, DAY_MS), []), []);
  });

  it("waits for the new end of a period that is made longer or shorter", async () => {
    await using rig = await rigWithCamera();
    await at(rig, PERIOD.from, [PERIOD]);
    const longer = { ...PERIOD, until: plus(PERIOD.until, DAY_MS) };
    assert.deepEqual(await at(rig, PERIOD.until, [longer]), []);
    const shorter = { ...PERIOD, until: plus(PERIOD.until, HOUR_MS) };
    const [open] = await at(rig, shorter.until, [shorter]);
    assert.equal(open?.endedAt, shorter.until);
  });

  it("comes again of a period that is made longer after it was done, and of another decision", async () => {
    await using rig = await rigWithCamera();
    const [first] = await at(rig, PERIOD.until, [PERIOD]);
    assert.ok(first);
    const longer = { ...PERIOD, until: plus(PERIOD.until, DAY_MS) };
    assert.deepEqual(await at(rig, plus(PERIOD.until, 1), [longer]), [first]);
    await closeDuty(rig.database, plus(PERIOD.until, 2), first.id, "verantwoordelijke", "Z-1");
    assert.deepEqual(await at(rig, plus(PERIOD.until, 3), [longer]), []);
    const [second] = await at(rig, longer.until, [longer]);
    assert.deepEqual([second?.startedAt, second?.endedAt], [PERIOD.until, longer.until]);
    const other = { ...longer, decision: "INT-2026-4", from: longer.until };
    other.until = plus(other.from, HOUR_MS);
    assert.equal((await at(rig, other.until, [other])).length, 2);
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("is closed once, with who did it and where that is written down, and stays closed", async () => {
    await using rig = await rigWithCamera();
    const [open] = await at(rig, PERIOD.until, [PERIOD]);
    assert.ok(open);
    const now = plus(PERIOD.until, DAY_MS);
    const unknown = parseDutyId("01J00000000000000000000009");
    assert.equal(await closeDuty(rig.database, now, unknown, "directeur", "Z-1"), false);
    assert.equal(await closeDuty(rig.database, now, open.id, "verantwoordelijke", "Z-7"), true);
    assert.equal(await closeDuty(rig.database, now, open.id, "directeur", "Z-8"), false);
    assert.deepEqual(await at(rig, plus(now, DAY_MS), [PERIOD]), []);
    const [, done, ...more] = await entries(rig);
    assert.deepEqual(more, []);
    assert.deepEqual(done, {
      at: isoOf(now),
      kind: "duty.done",
      id: open.id,
      device: "cam-0009",
      by: "verantwoordelijke",
      reference: "Z-7",
    });
  });

  it("cannot be changed, forgotten, or opened without its entry, whatever the code asks", async () => {
    await using rig = await rigWithCamera();
    const [open] = await at(rig, PERIOD.until, [PERIOD]);
    assert.ok(open);
    for (const sql of [
      "delete from duty",
      "update duty set decision = 'X'",
      "update duty set ended_at_ms = 1",
      "update duty set opened_at_ms = null, entry_seq = null",
      "update duty set done_at_ms = 1",
      "insert into duty (id, kind, device_id, decision, started_at_ms, ended_at_ms, opened_at_ms) values ('01J00000000000000000000009', 'inform', 'cam-0009', 'X', 1, 2, 3)",
    ]) {
      const change = rig.database.transaction((one) => one.run(sql));
      await assert.rejects(change, { code: "CATALOG_RULE" }, sql);
    }
    await closeDuty(rig.database, PERIOD.until, open.id, "verantwoordelijke", "Z-7");
    const undone = "update duty set done_at_ms = null, done_by = null, reference = null";
    const change = rig.database.transaction((one) => one.run(undone));
    await assert.rejects(change, { code: "CATALOG_RULE" });
  });

  it("is said each day while it is open, and by the camera's number only (AR-40)", async () => {
    await using rig = await rigWithCamera();
    const days = 2;
    const { clock, signal } = turns(rig.clock, (days * DAY_MS + 6 * HOUR_MS) / MINUTE_MS);
    await duties(clock, rig.events, rig.database, [PERIOD], signal);
    assert.deepEqual(
      rig.said,
      Array.from({ length: days + 1 }, () => "duty-open"),
    );
    const [line = ""] = rig.lines;
    const told = z.looseObject({}).parse(JSON.parse(line));
    assert.equal(told["device"], "cam-0009");
    assert.equal(told["level"], "warning");
    assert.doesNotMatch(line, /INT-2026-3|covert/);
  });

  it("stays in `status` and `duties` of a running box until somebody ticks it off", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const path = join(site.folder, "bewaard.yaml");
    const written = await readFile(path, "utf8");
    const cameras = stringify({ cameras: [COVERT_CAMERA] });
    await writeFile(path, `${written.replace("policy: den-haag", "policy: arnhem")}${cameras}`);
    const config = await readConfig(path);
    const said = await whileRunning(
      site,
      async (ask, signal) => {
        assert.deepEqual((await ask("duties", {})).duties, []);
        const opened = async () => (await ask("duties", {})).duties.length > 0;
        assert.ok(await passUntil(site.clock, HOUR_MS, 2 * DAY_MS, opened, signal));
        const { duties: open } = await ask("duties", {});
        assert.deepEqual(
          open.map(({ device, duty }) => [device, duty]),
          [["cam-0009", "inform"]],
        );
        const status = await ask("status", {});
        assert.equal(status.duties.open, 1);
        assert.match(shownStatus(status), /NOG TE DOEN \/ STILL TO BE DONE: 1/);
        const [{ id } = { id: "" }] = open;
        const done = { id, by: "verantwoordelijke", reference: "Z-2026-7" };
        await assert.rejects(ask("duties.done", { ...done, by: "Jan Jansen" }), {
          code: "CONTROL_REFUSED",
        });
        await ask("duties.done", done);
        await assert.rejects(ask("duties.done", done), { code: "DUTY_NOT_FOUND" });
        assert.equal((await ask("status", {})).duties.open, 0);
      },
      config,
    );
    assert.ok(said.includes("duty-open"));
    assert.doesNotMatch(shownStatus(WELL), /NOG TE DOEN/);
  });
});
