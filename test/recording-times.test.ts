import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { Temporal } from "temporal-polyfill";
import { DAY_MS, HOUR_MS, type Instant, instant, instantOf, isoOf, plus } from "#base/time";
import { readProfile } from "../config/load.ts";
import { type ReadContainer, recordingTimes } from "../daemon/recording-times.ts";
import { type Moments, momentsOf } from "../drivers/bodycam/local-time.ts";
import { stampInContainer, stampInName, stampOfFile } from "../drivers/bodycam/start-time.ts";
import { CAMERA, dockOf } from "./fakes/rig.ts";

const { profile } = dockOf(CAMERA, "/");
const ZONES = [
  "Europe/Amsterdam",
  "Pacific/Chatham",
  "UTC",
  "America/St_Johns",
  "Australia/Lord_Howe",
];
const FROM = Date.parse("2020-01-01T00:00:00.000Z");
const TO = Date.parse("2040-01-01T00:00:00.000Z");

function shown(stamp: Moments | undefined): readonly string[] {
  return stamp ? [stamp.earlier, stamp.later].flatMap((at) => (at ? [isoOf(at)] : [])) : [];
}

function inName(name: string | Buffer, zone = "Europe/Amsterdam"): readonly string[] {
  return shown(stampInName({ ...profile, zone }, Buffer.from(name)));
}

/** What a clock on the wall shows at `at`, as a camera writes it into a name. */
function nameAt(at: number, zone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  const digits = local.toPlainDateTime().toString({ smallestUnit: "second" });
  return `DCIM/100MEDIA/${digits.replaceAll(/[-:]/g, "").replace("T", "_")}.MP4`;
}

/** The changes of the clocks in `zone` from 2020 to 2040, by Temporal's own table. */
function changes(zone: string): readonly { at: number; byMs: number }[] {
  const found = [];
  let time = Temporal.Instant.fromEpochMilliseconds(FROM).toZonedDateTimeISO(zone);
  for (;;) {
    const next = time.getTimeZoneTransition("next");
    if (!next || next.epochMilliseconds >= TO) return found;
    const before = next.subtract({ nanoseconds: 1 });
    const byMs = (next.offsetNanoseconds - before.offsetNanoseconds) / 1e6;
    found.push({ at: next.epochMilliseconds, byMs });
    time = next;
  }
}

describe("the time in a file's name", () => {
  it("is local time in the camera's zone, summer and winter", () => {
    assert.deepEqual(inName("DCIM/100MEDIA/20261122_170309.MP4"), ["2026-11-22T16:03:09.000Z"]);
    assert.deepEqual(inName("DCIM/100MEDIA/20260701_170309.MP4"), ["2026-07-01T15:03:09.000Z"]);
    assert.deepEqual(inName("20261122_170309.MP4", "Pacific/Chatham"), [
      "2026-11-22T03:18:09.000Z",
    ]);
  });

  it("that came twice is both moments, the earlier first", () => {
    assert.deepEqual(inName("20261025_023000.MP4"), [
      "2026-10-25T00:30:00.000Z",
      "2026-10-25T01:30:00.000Z",
    ]);
    assert.deepEqual(inName("20260405_031500.MP4", "Pacific/Chatham"), [
      "2026-04-04T13:30:00.000Z",
      "2026-04-04T14:30:00.000Z",
    ]);
  });

  it("that never was is both readings of it", () => {
    assert.deepEqual(inName("20260329_023000.MP4"), [
      "2026-03-29T00:30:00.000Z",
      "2026-03-29T01:30:00.000Z",
    ]);
  });

  it("is right at each change of the clocks from 2020 to 2040, to the second", () => {
    for (const zone of ["Europe/Amsterdam", "Pacific/Chatham"]) {
      const all = changes(zone);
      assert.equal(all.length, 40, zone);
      for (const { at, byMs } of all) {
        for (const off of [-3_600_001, -3_600_000, -1000, 0, 3_599_000, 3_600_000]) {
          const moment = Math.floor((at + off) / 1000) * 1000;
          const stamp = inName(nameAt(moment, zone), zone);
          assert.ok(stamp.includes(isoOf(instant(moment))), `${zone} ${isoOf(instant(moment))}`);
          // Put back by an hour: the hour before and the hour after read the same.
          const twice = byMs < 0 && off >= -3_600_000 && off < 3_600_000;
          assert.equal(stamp.length, twice ? 2 : 1, `${zone} ${isoOf(instant(moment))}`);
        }
      }
    }
  });

  for (const name of ["generic-dcim", "generic-dcim-synchronised"]) {
    it(`of the shipped profile ${name} leads back to the moment, in any zone, from 2020 to 2040`, async () => {
      const shipped = await readProfile(name);
      fc.assert(
        fc.property(
          fc.integer({ min: FROM / 1000, max: TO / 1000 }),
          fc.constantFrom(...ZONES),
          (seconds, zone) => {
            const stamp = stampInName(
              { ...shipped, zone },
              Buffer.from(nameAt(seconds * 1000, zone)),
            );
            assert.ok(shown(stamp).includes(isoOf(instant(seconds * 1000))));
          },
        ),
        { numRuns: 500 },
      );
    });
  }

  it("has 29 February in leap years only", () => {
    assert.deepEqual(inName("20280229_120000.MP4"), ["2028-02-29T11:00:00.000Z"]);
    for (const day of ["20260229", "20270229", "20300229", "20280230"]) {
      assert.deepEqual(inName(`${day}_120000.MP4`), [], day);
    }
  });

  it("has no leap second, no 24:00, no 13th month and no day of zero", () => {
    for (const digits of [
      "20161231_235960",
      "20261122_240000",
      "20261322_100000",
      "20260010_100000",
    ]) {
      assert.deepEqual(inName(`${digits}.MP4`), [], digits);
    }
  });

  it("of two digits is a year of this century, and of a reset clock is what it says", () => {
    const two = profile.start_in_name?.replace("20\\d\\d", "\\d\\d") ?? "";
    const four = profile.start_in_name?.replace("20\\d\\d", "\\d{4}") ?? "";
    const read = (pattern: string, name: string) =>
      shown(stampInName({ zone: "UTC", start_in_name: pattern }, Buffer.from(name)));
    assert.deepEqual(read(two, "261122_170309.AVI"), ["2026-11-22T17:03:09.000Z"]);
    assert.deepEqual(read(four, "20000101_000005.AVI"), ["2000-01-01T00:00:05.000Z"]);
    // What a manifest has no room for.
    for (const name of ["19700101_000005.AVI", "19691231_235959.AVI", "00261122_170309.AVI"]) {
      assert.deepEqual(read(four, name), [], name);
    }
  });

  it("is never a failure, whatever the bytes and whatever the pattern finds in them", () => {
    const loose =
      "(?<year>\\d*)\\D?(?<month>\\d*)\\D?(?<day>\\d*)\\D?(?<hour>\\d*)\\D?(?<minute>\\d*)\\D?(?<second>.*)";
    const digits = fc.stringMatching(/^[0-9_:/.-]{0,30}$/).map((text) => Buffer.from(text));
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array(), digits),
        fc.constantFrom(profile.start_in_name, loose, "nothing", "(?<year>20\\d\\d)"),
        fc.constantFrom(...ZONES),
        (path, start_in_name, zone) => {
          const stamp = stampInName({ start_in_name, zone }, path);
          if (stamp) assert.ok(stamp.earlier >= DAY_MS && (stamp.later ?? stamp.earlier) < 3e14);
        },
      ),
    );
  });
});

describe("a local time", () => {
  it("is the moments at which clocks showed it, and they are at most a day apart", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(FROM), max: new Date(TO), noInvalidDate: true }),
        fc.constantFrom(...ZONES, "Pacific/Apia"),
        (date, zone) => {
          const local = Temporal.PlainDateTime.from(date.toISOString().slice(0, 19));
          const { earlier, later } = momentsOf(zone, local) ?? assert.fail();
          if (later !== undefined) assert.ok(later > earlier && later - earlier <= DAY_MS);
          const at = (ms: number) =>
            Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone).toPlainDateTime();
          // The readings of a time that never was lie on both sides of it.
          assert.ok(at(earlier).equals(local) || later !== undefined);
        },
      ),
    );
  });
});

describe("the time in a container", () => {
  const at = (container_time: "utc" | "local" | "none", text: string) =>
    shown(stampInContainer({ container_time, zone: "Europe/Amsterdam" }, text));

  it("is UTC or local as the profile says, whatever zone is written behind it", () => {
    const text = "2026-10-25T02:30:00.000000Z";
    assert.deepEqual(at("utc", text), ["2026-10-25T02:30:00.000Z"]);
    assert.deepEqual(at("local", text), ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]);
    assert.deepEqual(at("none", text), []);
  });

  it("is none for anything else", () => {
    for (const text of [
      "",
      "2026",
      "2026-02-30T00:00:00Z",
      "2016-12-31T23:59:60Z",
      "2026-10-25T02:30:00+02:00",
      "1904-01-01T00:00:00.000000Z",
    ]) {
      assert.deepEqual(at("utc", text), [], text);
    }
    fc.assert(fc.property(fc.string(), (text) => assert.deepEqual(at("local", text), [])));
  });
});

describe("the last change of a file", () => {
  it("on a FAT card mounted with tz=UTC is the camera's local time", () => {
    const digits = instantOf("2026-10-25T02:30:00.000Z");
    const of = (file_times: "utc" | "local", at: Instant) =>
      shown(stampOfFile({ file_times, zone: "Europe/Amsterdam" }, at));
    assert.deepEqual(of("utc", digits), ["2026-10-25T02:30:00.000Z"]);
    assert.deepEqual(of("local", digits), ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]);
    assert.deepEqual(of("local", instant(DAY_MS)), []);
  });
});

describe("the start of a recording", () => {
  const NOW = instantOf("2026-11-22T17:00:00.000Z");
  const CHANGED = instantOf("2026-11-22T16:05:00.000Z");
  const CREATED = "2026-11-22T16:00:00.000000Z";

  /** `container`: what its container says, or nothing; counts how often it is asked. */
  async function times(
    name: string,
    differing: Partial<typeof profile> = {},
    container?: Awaited<ReturnType<ReadContainer>>,
    modifiedAt = CHANGED,
  ) {
    let asked = 0;
    const file = { path: Buffer.from(name), bytes: 1, modifiedAt };
    const read: ReadContainer = async () => {
      asked += 1;
      return container;
    };
    const found = await recordingTimes(
      NOW,
      read,
      { ...profile, ...differing },
      file,
      Buffer.from(name),
    );
    const { startedAt, endedAt, source } = found;
    return [source, isoOf(startedAt), endedAt && isoOf(endedAt), asked];
  }

  it("is its name's, and the container is not even asked", async () => {
    assert.deepEqual(await times("20261122_170309.MP4"), [
      "name",
      "2026-11-22T16:03:09.000Z",
      isoOf(CHANGED),
      0,
    ]);
  });

  it("is its container's where the name tells none, and its length with it", async () => {
    const container = { createdAt: CREATED, durationMs: 90_000 };
    const expected = ["container", "2026-11-22T16:00:00.000Z", "2026-11-22T16:01:30.000Z", 1];
    assert.deepEqual(await times("MOV1.MP4", {}, container), expected);
    const never = { container_time: "none" } as const;
    assert.deepEqual(await times("MOV1.MP4", never, container), [
      "modified",
      isoOf(CHANGED),
      isoOf(CHANGED),
      0,
    ]);
  });

  it("is its last change where neither does, less its length where that is known", async () => {
    assert.deepEqual(await times("MOV1.MP4"), ["modified", isoOf(CHANGED), isoOf(CHANGED), 1]);
    const silent = { createdAt: undefined, durationMs: 60_000 };
    assert.deepEqual(await times("MOV1.MP4", {}, silent), [
      "modified",
      "2026-11-22T16:04:00.000Z",
      isoOf(CHANGED),
      1,
    ]);
  });

  it("is its arrival where nothing tells anything: dates nobody filled in, and of days to come", async () => {
    for (const at of [
      instant(DAY_MS),
      instantOf("1980-01-01T00:00:00.000Z"),
      plus(NOW, 2 * DAY_MS),
    ]) {
      for (const createdAt of [undefined, isoOf(at)]) {
        const container = { createdAt, durationMs: 1000 };
        assert.deepEqual(await times("MOV1.MP4", {}, container, at), [
          "arrival",
          isoOf(NOW),
          null,
          1,
        ]);
      }
    }
  });

  it("is the stamp less the length where cameras stamp the end", async () => {
    const end = { stamp_is: "end" } as const;
    const container = { createdAt: CREATED, durationMs: 180_000 };
    assert.deepEqual(await times("20261122_170309.MP4", end, container), [
      "name",
      "2026-11-22T16:00:09.000Z",
      "2026-11-22T16:03:09.000Z",
      1,
    ]);
    assert.deepEqual(await times("MOV1.MP4", end, container), [
      "container",
      "2026-11-22T15:57:00.000Z",
      "2026-11-22T16:00:00.000Z",
      1,
    ]);
    // An end of which the length is not known is no start: never trusted, like a last change.
    assert.deepEqual((await times("20261122_170309.MP4", end))[0], "modified");
  });

  it("does not believe a length that no recording has", async () => {
    const container = { createdAt: CREATED, durationMs: 13 * HOUR_MS };
    assert.deepEqual(await times("MOV1.MP4", {}, container), [
      "container",
      "2026-11-22T16:00:00.000Z",
      isoOf(CHANGED),
      1,
    ]);
    const short = { longest_recording: 60_000 };
    assert.equal((await times("20261122_170309.MP4", short))[2], null);
  });
});
