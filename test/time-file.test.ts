import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { Temporal } from "temporal-polyfill";
import { instant, instantOf } from "#base/time";
import { profileSchema } from "../config/profile-schema.ts";
import { orderTemplate, timeFileText } from "../daemon/orders/time-file.ts";

const ZONE = "Europe/Amsterdam";
const TEMPLATE = "{year}-{month}-{day} {hour}:{minute}:{second}";

function at(iso: string, zone = ZONE): string {
  return timeFileText(TEMPLATE, zone, instantOf(iso));
}

describe("a file that sets a clock", () => {
  it("has the moment as clocks in its zone show it, with two digits, the year with four", () => {
    assert.equal(at("2026-01-02T03:04:05.678Z"), "2026-01-02 04:04:05");
    assert.equal(at("2026-07-01T22:30:00.000Z"), "2026-07-02 00:30:00");
    assert.equal(at("2026-11-22T00:00:00.000Z", "UTC"), "2026-11-22 00:00:00");
  });

  it("is right to the second where clocks are put forward and back", () => {
    assert.equal(at("2026-03-29T00:59:59.000Z"), "2026-03-29 01:59:59");
    assert.equal(at("2026-03-29T01:00:00.000Z"), "2026-03-29 03:00:00");
    assert.equal(at("2026-10-25T00:59:59.000Z"), "2026-10-25 02:59:59");
    assert.equal(at("2026-10-25T01:00:00.000Z"), "2026-10-25 02:00:00");
    assert.equal(at("2026-10-25T02:00:00.000Z"), "2026-10-25 03:00:00");
  });

  it("agrees with the zone's own table at any moment, in any zone", () => {
    const zones = fc.constantFrom(
      ZONE,
      "UTC",
      "Pacific/Chatham",
      "Australia/Lord_Howe",
      "Asia/Tehran",
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), zones, (ms, zone) => {
        const local = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
        const digits = local.toPlainDateTime().toString({ smallestUnit: "second" });
        assert.equal(timeFileText(TEMPLATE, zone, instant(ms)), digits.replace("T", " "));
      }),
    );
  });

  it("keeps what is no word of it, also what looks like a replacement", () => {
    const text = timeFileText(
      "$& {}{Year} {second}{second}",
      "UTC",
      instantOf("2026-11-22T00:00:07.000Z"),
    );
    assert.equal(text, "$& {}{Year} 0707");
    assert.throws(() => timeFileText(TEMPLATE, "Mars/Base", instant(0)), RangeError);
  });

  it("goes into an order with the line ends that its camera reads", () => {
    assert.equal(orderTemplate({ template: "a\nb\n", line_end: "crlf" }), "a\r\nb\r\n");
    assert.equal(orderTemplate({ template: "a\nb\n", line_end: "lf" }), "a\nb\n");
  });
});

describe("set_time in a profile", () => {
  const good = { path: "TIME.TXT", template: `${TEMPLATE}\n`, line_end: "crlf", zone: ZONE };
  const read = (set_time: unknown, change = {}) =>
    profileSchema.safeParse({
      name: "x",
      media: ["DCIM/**"],
      start_in_name: null,
      zone: ZONE,
      clock: "unknown",
      set_time,
      ...change,
    });
  const accepts = (set_time: unknown): boolean => read(set_time).success;

  it("names a path on the card and a template with at least year to minute", () => {
    assert.ok(accepts(good) && accepts(null));
    assert.ok(accepts({ ...good, template: "{year}{month}{day}{hour}{minute}" }));
    for (const template of [
      "{year}{month}{day}{hour}",
      `${TEMPLATE}{zone}`,
      `${TEMPLATE}{`,
      `${TEMPLATE}\u0007`,
      `${TEMPLATE}${"x".repeat(4096)}`,
    ])
      assert.ok(!accepts({ ...good, template }), template.slice(0, 60));
    for (const path of ["", "/TIME.TXT", "../TIME.TXT", "a/./b", "a//b", "a\u0000b"])
      assert.ok(!accepts({ ...good, path }), path);
  });

  it("is written again each hour at the most: the root helper bounds how many orders it begins", () => {
    for (const again of [null, "1 hour", "2.5 hours", "1 day"])
      assert.ok(accepts({ ...good, again }), String(again));
    for (const again of ["0.9 hours", "0 hours", 3600, "often"])
      assert.ok(!accepts({ ...good, again }), String(again));
  });

  it("is refused where it is a file of the camera's own, whatever its case: it is written over (invariant 1)", () => {
    for (const change of [
      { media: ["**"] },
      { media: ["*.txt"] },
      { sidecars: ["**/*.{thm,txt}"] },
      { locations: ["time.*"] },
      { identity: { file: "Time.txt", pattern: "." } },
      { clock_file: { path: "*.TXT", kind: "modified" } },
    ]) {
      const { error } = read(good, change);
      const said = error?.issues.map(({ path, message }) => `${path.join()}: ${message}`);
      assert.match(String(said), /^set_time: path is a file that .*: it would be written over$/);
    }
    assert.ok(read(good, { identity: { file: "MISC/TIME.TXT", pattern: "." } }).success);
    // Taken or not, it is nothing of the camera's.
    assert.ok(read(good, { ignore: ["*.TXT"] }).success);
    assert.ok(read(null, { media: ["**"] }).success);
  });
});
