import assert from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { Temporal } from "temporal-polyfill";
import { parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, plus } from "#base/time";
import { readPolicy } from "../config/load.ts";
import type { Ask } from "../daemon/control/client.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { holdFootage } from "../daemon/desk/hold.ts";
import { openStation } from "../daemon/desk/station.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";

const START = instant(Date.parse("2026-09-28T06:00:00.000Z"));
const CAMERAS = ["bc-0101", "bc-0102", "bc-0103", "bc-0104"] as const;
const DAYS = 28;
/** Since START, when no recording is near its term: each began in the four hours before a day's START. */
const QUIET_HOURS = 16;

async function record(site: Site, camera: string, startedAt: Instant): Promise<void> {
  const local =
    Temporal.Instant.fromEpochMilliseconds(startedAt).toZonedDateTimeISO("Europe/Amsterdam");
  const name = local
    .toPlainDateTime()
    .toString({ smallestUnit: "second" })
    .replaceAll(/[-:]/g, "")
    .replace("T", "_");
  const folder = join(site.demo.docks[camera] ?? "", "DCIM", "100MEDIA");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.MP4`);
  await writeFile(path, `recording of ${camera} at ${name}`);
  await utimes(path, startedAt / 1000 + 120, startedAt / 1000 + 120);
}

async function segmentsOf(ask: Ask) {
  return (await ask("find", { device: null, fromMs: 0, toMs: 4e12 })).segments;
}

async function holdSome(site: Site, ids: readonly string[], signal: AbortSignal): Promise<void> {
  await using station = await openStation(site.demo.desk);
  const request = {
    incident: "2026-7",
    purpose: "klacht",
    ground: "klacht",
    reference: undefined,
    reason: "klacht van een burger",
    reviewAt: plus(site.clock.now(), 90 * DAY_MS),
    segments: ids.map((id) => ({ node: site.demo.config.node, id: parseSegmentId(id) })),
  };
  await holdFootage(site.clock, station, await readPolicy("den-haag"), request, signal);
}

/** Of a day since START: by the hour when recordings come to their term. What is destroyed at another time is seen too, at a wrong age. */
function hopMs(now: Instant): number {
  const sinceMs = (now - START) % DAY_MS;
  return sinceMs < QUIET_HOURS * HOUR_MS ? QUIET_HOURS * HOUR_MS - sinceMs : HOUR_MS;
}

/** Lets time pass until `end`, noting at what age each segment is first seen destroyed. */
async function hops(
  site: Site,
  end: Instant,
  ask: Ask,
  ages: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  while (site.clock.now() < end) {
    const now = site.clock.now();
    await site.clock.pass(Math.min(hopMs(now), end - now), signal);
    for (const { id, state, startedAt } of await segmentsOf(ask)) {
      if (state === "destroyed" && !ages.has(id))
        ages.set(id, site.clock.now() - Date.parse(startedAt));
    }
  }
}

describe("28 days of four docks on the injected clock (DH-06, AR-26, AR-27)", function () {
  this.timeout(600_000);

  it("destroys each segment between 27 d 22 h and 28 d after its recording, keeps the held ones, and verifies", async () => {
    await using site = await openSite(START, CAMERAS, 70);
    const ages = new Map<string, number>();
    const held = new Set<string>();
    const total = CAMERAS.length * DAYS;
    const said = await whileRunning(site, async (ask, signal) => {
      for (let day = 0; day < DAYS; day += 1) {
        for (const [index, camera] of CAMERAS.entries()) {
          await record(site, camera, plus(site.clock.now(), -(index + 1) * HOUR_MS));
        }
        const stored = async () => (await segmentsOf(ask)).length === (day + 1) * CAMERAS.length;
        assert.ok(
          await passUntil(site.clock, MINUTE_MS, 30 * MINUTE_MS, stored, signal),
          `day ${day}`,
        );
        const evening = plus(START, (day + 1) * DAY_MS);
        // The first recordings fall due on the last of these days: from there on, by the hour.
        if (day === DAYS - 1) await hops(site, evening, ask, ages, signal);
        else await site.clock.pass(evening - site.clock.now(), signal);
      }
      const all = await segmentsOf(ask);
      assert.equal(all.length, total);
      // What is held: the eldest still there, and one in the middle.
      const kept = all.filter(({ state }) => state === "stored");
      for (const one of [kept[0], kept[50]]) held.add(one?.id ?? "");
      await holdSome(site, [...held], signal);

      await hops(site, plus(START, 57 * DAY_MS), ask, ages, signal);
      const left = (await segmentsOf(ask)).filter(({ state }) => state !== "destroyed");
      assert.deepEqual(new Set(left.map(({ id }) => id)), held);
      assert.deepEqual((await ask("verify", { depth: "hashes" })).findings, []);
    });
    const inTime = [...ages.values()].filter(
      (age) => age > 27 * DAY_MS + 22 * HOUR_MS && age <= 28 * DAY_MS,
    );
    assert.equal(
      inTime.length,
      total - held.size,
      `ages in hours: ${[...ages.values()].map((age) => age / HOUR_MS).join()}`,
    );
    const files = await readdir(join(site.demo.config.spool.path, "segments"), { recursive: true });
    assert.equal(files.filter((name) => name.endsWith(".age")).length, held.size);
    assert.ok(!said.includes("destroy-delayed"));
  });

  it("destroys nothing after a clock that jumps a month ahead, and alarms (invariant 10)", async () => {
    await using site = await openSite(START, ["bc-0101"], 70);
    const said = await whileRunning(site, async (ask, signal) => {
      await record(site, "bc-0101", plus(START, -HOUR_MS));
      const stored = async () => (await segmentsOf(ask)).some(({ state }) => state === "stored");
      assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, stored, signal));
      site.clock.jump(30 * DAY_MS);
      for (let hop = 0; hop < 48; hop += 1) await site.clock.pass(HOUR_MS, signal);
      assert.deepEqual(
        (await segmentsOf(ask)).map(({ state }) => state),
        ["stored"],
      );
    });
    const alarms = said.filter((event) => event === "clock-untrusted").length;
    assert.ok(alarms === 2 || alarms === 3, `${alarms} alarms in two days`);
  });
});
