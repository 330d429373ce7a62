import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { Temporal } from "temporal-polyfill";
import { DAY_MS, HOUR_MS, type Instant, instantOf, isoOf, MINUTE_MS, plus } from "#base/time";
import type { Ask } from "../daemon/control/client.ts";
import { READ } from "../daemon/control/protocol.ts";
import { openFair } from "../daemon/docks/fair.ts";
import { cardOpener } from "../daemon/docks/open-card.ts";
import { openSlotBoard } from "../daemon/docks/slot-board.ts";
import { handOver } from "../daemon/hand-over-fact.ts";
import { seenNow } from "../daemon/seen-clock.ts";
import { type ClockProfile, clockFault, measureOffset } from "../drivers/bodycam/clock-offset.ts";
import { parseManifest } from "../storage/spool/manifest.ts";
import { type Made, makeCard } from "./fakes/card-made.ts";
import { cardRecordOf } from "./fakes/card-records.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { CAMERA, dockOf, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";

const NOW = instantOf("2026-11-22T10:00:00.000Z");
const ZONE = "Europe/Amsterdam";
const PROFILE: ClockProfile = {
  clock_file: { path: "LOG/*.log", kind: "modified" },
  file_times: "local",
  zone: ZONE,
  limits: { files: 100, bytes: 1e9, depth: 4 },
};

/** The offset measured on a card of these files. */
async function measured(
  files: readonly Made[],
  now: Instant = NOW,
  profile: ClockProfile = PROFILE,
): Promise<number | "not measurable"> {
  await using folder = await temporaryFolder();
  await makeCard(folder.path, files);
  return await measureOffset(profile, folder.path, now);
}

const recording = { path: "DCIM/a.MP4", changed: "2026-11-22 10:30:00" };

describe("the offset of a camera's clock", () => {
  it("is the time of what the camera wrote at docking, less ours, in the zone its clock keeps", async () => {
    const log = { path: "LOG/usb.log", changed: "2026-11-22 11:00:04" };
    assert.equal(await measured([log, recording]), 4000);
    const utc = { ...PROFILE, file_times: "utc" } as const;
    assert.equal(await measured([log, recording], NOW, utc), HOUR_MS + 4000);
  });

  it("is by the last of several such files", async () => {
    const old = { path: "LOG/1.log", changed: "2026-11-20 11:00:00" };
    const log = { path: "LOG/2.log", changed: "2026-11-22 10:59:58" };
    assert.equal(await measured([old, log]), -2000);
  });

  it("cannot be measured without such a file, or where its profile names none", async () => {
    assert.equal(await measured([recording]), "not measurable");
    const log = { path: "LOG/usb.log", changed: "2026-11-22 11:00:04" };
    const none = { ...PROFILE, clock_file: null };
    assert.equal(await measured([log], NOW, none), "not measurable");
    assert.equal(await measureOffset(PROFILE, "/nonexistent/card", NOW), "not measurable");
  });

  it("cannot be measured by a file of an earlier docking: a recording is later", async () => {
    const log = { path: "LOG/usb.log", changed: "2026-11-21 11:00:00" };
    assert.equal(await measured([log, recording]), "not measurable");
    // Docking ended that recording.
    const closed = { path: "DCIM/a.MP4", changed: "2026-11-22 11:01:00" };
    assert.equal(await measured([{ ...log, changed: "2026-11-22 11:00:00" }, closed]), 0);
  });

  it("is measured beside the file that sets the clock: we wrote that, in our time", async () => {
    const log = { path: "LOG/usb.log", changed: "2026-11-22 09:00:00" };
    const own = { path: "time.txt", changed: "2026-11-22 11:00:30" };
    assert.equal(await measured([log, own]), "not measurable");
    const sets = { ...PROFILE, set_time: { path: "TIME.TXT" } };
    const unfinished = { ...own, path: `${"0a".repeat(16)}.tmp` };
    assert.equal(await measured([log, own, unfinished], NOW, sets), -2 * HOUR_MS);
    const elsewhere = { ...PROFILE, set_time: { path: "MISC/TIME.TXT" } };
    assert.equal(await measured([log, unfinished], NOW, elsewhere), "not measurable");
  });

  it("is, in the hour that comes twice, by the moment that is nearer to right", async () => {
    const log = { path: "LOG/usb.log", changed: "2026-10-25 02:30:10" };
    assert.equal(await measured([log], instantOf("2026-10-25T00:30:00.000Z")), 10_000);
    assert.equal(await measured([log], instantOf("2026-10-25T01:30:00.000Z")), 10_000);
  });
});

describe("what is wrong with a camera's clock", () => {
  const winter = instantOf("2026-12-01T10:00:00.000Z");
  const summer = instantOf("2026-07-01T10:00:00.000Z");

  it("is nothing within five minutes", () => {
    assert.equal(clockFault(5 * MINUTE_MS, ZONE, winter), "right");
    assert.equal(clockFault(-5 * MINUTE_MS, ZONE, winter), "right");
  });

  it("is summer time where it was never put back, and winter time where it was never put forward", () => {
    assert.equal(clockFault(HOUR_MS + 60_000, ZONE, winter), "summer-time");
    assert.equal(clockFault(-HOUR_MS, ZONE, summer), "summer-time");
    // The other way round no season explains it, nor anything in a zone that has none.
    assert.equal(clockFault(-HOUR_MS, ZONE, winter), "wrong");
    assert.equal(clockFault(HOUR_MS, ZONE, summer), "wrong");
    assert.equal(clockFault(HOUR_MS, "UTC", winter), "wrong");
    assert.equal(clockFault(30 * MINUTE_MS, "Australia/Lord_Howe", summer), "summer-time");
  });

  it("is a reset where it began again in 1970, 1980 or 2000", () => {
    for (const year of [1970, 1980, 2000]) {
      const shown = Date.parse(`${year}-01-03T04:05:06.000Z`);
      assert.equal(clockFault(shown - winter, ZONE, winter), "reset");
    }
  });

  it("is something else otherwise", () => {
    for (const ms of [6 * MINUTE_MS, 2 * HOUR_MS, -DAY_MS, 400 * DAY_MS])
      assert.equal(clockFault(ms, ZONE, winter), "wrong");
  });

  it("is found whatever it is off by, from a card whose local times are read in any zone", async () => {
    const offsets = fc.integer({ min: -20 * 365 * 24 * 3600, max: 3 * 365 * 24 * 3600 });
    const zones = fc.constantFrom(ZONE, "UTC", "Pacific/Chatham", "Australia/Lord_Howe");
    await fc.assert(
      fc.asyncProperty(offsets, zones, async (seconds, zone) => {
        const camera = Temporal.Instant.fromEpochMilliseconds(NOW + seconds * 1000);
        const local = camera.toZonedDateTimeISO(zone).toPlainDateTime();
        const changed = local.toString({ smallestUnit: "second" });
        const log = { path: "LOG/usb.log", changed };
        const offset = await measured([log], NOW, { ...PROFILE, zone });
        const off = typeof offset === "number" ? Math.abs(offset - seconds * 1000) : Infinity;
        // Around a change of the clocks the digits are two moments.
        assert.ok(off <= HOUR_MS && (off === 0 || off % (HOUR_MS / 2) === 0), `${off}`);
      }),
      { numRuns: 60 },
    );
  });
});

/** The clock in the manifest of a file that was handed over with this clock seen. */
async function handedOver(rig: Rig, seenClock: ReturnType<typeof seenNow> | undefined) {
  const dock = { ...dockOf(CAMERA, join(rig.folder, "card")), seenClock };
  await makeCard(dock.folder, [{ path: named(0), changed: "2026-06-01 12:00:00" }]);
  const file = { path: Buffer.from(named(0)), bytes: 16, modifiedAt: rig.clock.now() };
  const source = Buffer.from(join(dock.folder, named(0)));
  const { id } = await handOver(
    rig.clock,
    rig.sealing,
    dock,
    file,
    source,
    async () => true,
    NEVER,
  );
  assert.ok((await readdir(rig.sealing.incoming)).includes(`${id}.json`));
  const fact = parseManifest(await readFile(join(rig.sealing.incoming, `${id}.json`)));
  assert.ok(fact.kind === "segment");
  return fact.recording.clock;
}

describe("a card in a slot", () => {
  /** What a dock saw of the clock of a card whose docking it noticed at `seenAt`, and what it said. */
  async function opened(rig: Rig, changed: string, seenAt: Instant, mountedAt: Instant) {
    const folder = join(rig.folder, "card");
    const log = { path: "LOG/usb.log", changed };
    await makeCard(folder, [log, { path: named(0), changed: "2026-05-30 12:00:00" }]);
    const looks = { at: isoOf(mountedAt), mountedAt: folder };
    const record = cardRecordOf({ name: "card", media: rig.folder }, looks);
    const profile = {
      ...dockOf(CAMERA, folder).profile,
      ...PROFILE,
      bytes_per_hour: null,
      identity: null,
      set_time: null,
    };
    const { clock, events, sealing } = rig;
    const ask: Ask = async (method, params) =>
      method === "known" && "files" in params
        ? READ[method]({ known: params.files.map(() => false) })
        : READ[method]({ granted: true });
    const board = openSlotBoard(clock, () => undefined);
    const isThere = async (): Promise<boolean> => true;
    const profileOf = async () => profile;
    const core = { setTime: async () => ({ why: null, over: true }) };
    const fair = openFair(1);
    const open = cardOpener(clock, events, ask, core, sealing, fair, board, isThere, profileOf);
    const card = { record, number: CAMERA, folder, profile: "own" };
    const { take } = await open({ slot: record.slot, id: "docking", seenAt }, card);
    await take(NEVER);
    const facts = (await readdir(sealing.incoming)).filter((name) => name.endsWith(".json"));
    const offsets = await Promise.all(
      facts.map(async (name) => {
        const fact = parseManifest(await readFile(join(sealing.incoming, name)));
        return fact.kind === "segment" ? fact.recording.clock.offsetMs : undefined;
      }),
    );
    return { offsets, said: rig.lines.join("") };
  }

  it("has its clock looked at before it is taken, for each of its files, and a fault is told", async () => {
    await using rig = await openRig();
    // Winter time, in summer.
    const { offsets, said } = await opened(rig, "2026-06-01 11:00:00", START, plus(START, 4000));
    assert.deepEqual(offsets, [-HOUR_MS, -HOUR_MS]);
    assert.match(said, /"event":"bodycam-clock"/);
    assert.match(said, /"fault":"summer-time"/);
  });

  it("that was in when the dock was started is seen by the moment at which it was mounted", async () => {
    await using rig = await openRig();
    // The machine has been up for longer than that.
    rig.clock.jump(-4 * HOUR_MS);
    rig.clock.move(4 * HOUR_MS);
    const { offsets, said } = await opened(
      rig,
      "2026-06-01 09:00:04",
      START,
      plus(START, -3 * HOUR_MS),
    );
    assert.deepEqual(offsets, [4000, 4000]);
    assert.doesNotMatch(said, /bodycam-clock/);
  });
});

describe("every recording of a docking", () => {
  it("carries the offset that was measured then, and null where none was", async () => {
    await using rig = await openRig();
    const seen = seenNow(rig.clock, -90_000);
    rig.clock.move(HOUR_MS);
    assert.equal((await handedOver(rig, seen)).offsetMs, -90_000);
    assert.equal((await handedOver(rig, undefined)).offsetMs, null);
  });

  it("carries it against our clock as it was put right since, not as it was", async () => {
    await using rig = await openRig();
    rig.clock.jump(-60 * DAY_MS);
    const seen = seenNow(rig.clock, 0);
    rig.clock.jump(60 * DAY_MS);
    assert.equal((await handedOver(rig, seen)).offsetMs, -60 * DAY_MS);
  });
});
