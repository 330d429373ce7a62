import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, isoOf, MINUTE_MS, plus } from "#base/time";
import { find } from "../daemon/answer-find.ts";
import { foundForPrograms, shownFound } from "../daemon/cli/shown-found.ts";
import { parseDay, parseWindow, type WindowAsked } from "../daemon/cli/window.ts";
import type { Result } from "../daemon/control/protocol.ts";
import { newSegmentId } from "../daemon/new-id.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { recordGap } from "../storage/catalog/gaps.ts";
import { recordPlaces } from "../storage/catalog/place.ts";
import { CAMERA, named, openRig, type Rig, START } from "./fakes/rig.ts";

/** From and to in UTC, as a person's words are understood. */
function meant(asked: WindowAsked): readonly [string, string] {
  const { from, to } = parseWindow(asked);
  return [isoOf(from), isoOf(to)];
}

const EVERYTHING = { device: null, fromMs: 0, toMs: START + 300 * DAY_MS };
const NOBODY = { camera: undefined, place: undefined };

async function gap(rig: Rig, minutes: number, cause = "card-removed"): Promise<void> {
  const startedAt = plus(START, minutes * MINUTE_MS);
  const endedAt = plus(startedAt, MINUTE_MS);
  const id = newSegmentId(startedAt);
  await recordGap(rig.database, START, { id, device: CAMERA, startedAt, endedAt, cause });
}

describe("the time somebody means", () => {
  it("is a whole Dutch day, of 23, 24 or 25 hours", () => {
    const hours = (date: string) => {
      const { from, to } = parseWindow({ date });
      return (to - from + 1) / HOUR_MS;
    };
    assert.deepEqual(["2026-03-29", "2026-11-22", "2026-10-25"].map(hours), [23, 24, 25]);
    assert.deepEqual(meant({ date: "22-11-2026" }), meant({ date: "2026-11-22" }));
    assert.equal(meant({ date: "2026-11-22" })[0], "2026-11-21T23:00:00.000Z");
    assert.match(parseWindow({ date: "2026-10-25" }).remarks.join(), /25 uur.*25 hours/);
  });

  it("is some hours of a day, or from one moment to another, in Dutch time or with an offset", () => {
    const wanted = ["2026-11-22T09:00:00.000Z", "2026-11-22T11:00:00.000Z"];
    for (const asked of [
      { date: "2026-11-22", from: "10:00", to: "12:00" },
      { from: "2026-11-22 10:00", to: "2026-11-22 12:00" },
      { from: "2026-11-22T09:00Z", to: "2026-11-22T12:00+01:00" },
    ]) {
      assert.deepEqual(meant(asked), wanted);
    }
    assert.deepEqual(
      meant({ date: "2026-11-22", from: "22:00", to: "24:00" })[1],
      "2026-11-22T23:00:00.000Z",
    );
    assert.equal(meant({ from: "2026-11-22", to: "2026-11-22" })[1], "2026-11-22T22:59:59.999Z");
  });

  it("is both hours where an hour came twice, and says so", () => {
    const asked = { date: "2026-10-25", from: "02:15", to: "02:45" };
    assert.deepEqual(meant(asked), ["2026-10-25T00:15:00.000Z", "2026-10-25T01:45:00.000Z"]);
    const { cameTwice, remarks } = parseWindow(asked);
    assert.ok(cameTwice);
    assert.match(remarks.join(), /02:15 kwam die dag twee keer.*came twice/);
    assert.equal(parseWindow({ date: "2026-10-25", from: "03:15" }).cameTwice, false);
  });

  it("is around an hour that did not exist, and says so", () => {
    const asked = { date: "2026-03-29", from: "02:30", to: "02:30" };
    assert.deepEqual(meant(asked), ["2026-03-29T00:30:00.000Z", "2026-03-29T01:30:00.000Z"]);
    assert.match(parseWindow(asked).remarks.join(), /was er die dag niet.*did not exist/);
  });

  it("is asked for again where it makes no sense", () => {
    const wrong: readonly WindowAsked[] = [
      {},
      { from: "10:00" },
      { to: "2026-11-22 10:00" },
      { from: "10:00", to: "12:00" },
      { date: "gisteren" },
      { date: "2026-02-30" },
      { date: "2026-11-22", from: "25:00" },
      { date: "2026-11-22", from: "12:00", to: "10:00" },
      { from: "2026-11-22 10:00", to: "2026-11-21 10:00" },
      { date: "2026-11-22", from: "2026-11-22 10:00" },
      { date: "1960-01-01" },
      { date: "1970-01-01" },
      { from: "1960-01-01", to: "2026-11-22" },
      { from: "2026-11-22", to: "+275760-09-13" },
      { date: "+275760-09-13" },
      { date: "12000-01-01" },
      { from: "1960-01-01 10:00", to: "2026-11-22 10:00+01:00" },
      { from: "1960-01-01T10:00Z", to: "2026-11-22 10:00+01:00" },
    ];
    for (const asked of wrong) {
      assert.throws(() => parseWindow(asked), { code: "DESK_INPUT" }, JSON.stringify(asked));
    }
    assert.throws(() => parseDay("morgen"), { code: "DESK_INPUT" });
    assert.throws(() => parseDay("1960-01-01"), { code: "DESK_INPUT" });
  });
});

describe("finding by place (AR-37)", () => {
  it("does not mind capitals and accents, and keeps old footage where it was recorded", async () => {
    await using rig = await openRig();
    const place = (text: string | undefined) =>
      recordPlaces(rig.database, START, [{ device: CAMERA, place: text }]);
    await place("Scheveningen, Café de Zee");
    const first = await rig.keep("een", named(0));
    await place("Centrum, Leyweg");
    const second = await rig.keep("twee", named(5));
    await gap(rig, 7);
    await place(undefined);
    const third = await rig.keep("drie", named(10));
    const at = async (wanted: string | undefined) =>
      find(rig.database, { ...EVERYTHING, ...(wanted === undefined ? {} : { place: wanted }) });
    const ids = async (wanted: string) => (await at(wanted)).segments.map(({ id }) => id);
    assert.deepEqual(await ids("CAFE"), [first]);
    assert.deepEqual(await ids("leyweg"), [second]);
    assert.deepEqual(await ids("e"), [first, second]);
    assert.deepEqual((await at("centrum")).gaps.length, 1);
    assert.deepEqual((await at("scheveningen")).gaps, []);
    assert.deepEqual(
      (await at(undefined)).segments.map((one) => [one.id, one.place]),
      [
        [first, "Scheveningen, Café de Zee"],
        [second, "Centrum, Leyweg"],
        [third, null],
      ],
    );
    assert.deepEqual(await rig.check(), []);
  });

  it("records a move once, in the ledger", async () => {
    await using rig = await openRig();
    const cameras = [{ device: CAMERA, place: "Centrum" }];
    for (let start = 0; start < 3; start += 1) await recordPlaces(rig.database, START, cameras);
    await recordPlaces(rig.database, START, [{ device: parseDeviceId("bc-9999"), place: "X" }]);
    const entries = await rig.database.transaction((sql) =>
      sql.all("select body from entry where kind = 'device.placed'"),
    );
    assert.deepEqual(entries.length, 1);
    assert.match(String(entries[0]?.["body"]), /"device":"bc-0101".*"place":"Centrum"/);
  });

  it("does not let the place of footage be changed afterwards", async () => {
    await using rig = await openRig();
    await recordPlaces(rig.database, START, [{ device: CAMERA, place: "Centrum" }]);
    await rig.keep("een");
    for (const sql of ["update segment set place_id = null", "update place set name = 'x'"]) {
      await assert.rejects(
        rig.database.transaction((handle) => handle.run(sql)),
        {
          code: "CATALOG_RULE",
        },
      );
    }
  });

  it("is one search among many places, in order of time", async () => {
    await using rig = await openRig();
    const ids = [];
    for (let at = 0; at < 10; at += 1) {
      await recordPlaces(rig.database, START, [{ device: CAMERA, place: `Plein ${9 - at}` }]);
      ids.push(await rig.keep(`beeld ${at}`, named(at)));
    }
    const { segments, places } = await find(rig.database, { ...EVERYTHING, place: "plein" });
    assert.deepEqual(
      segments.map(({ id }) => id),
      ids,
    );
    assert.equal(places.length, 10);
  });
});

describe("a long list", () => {
  it("comes in parts that follow each other, gaps included, and leave nothing out", async () => {
    await using rig = await openRig();
    await recordPlaces(rig.database, START, [{ device: CAMERA, place: "Centrum" }]);
    for (let at = 0; at < 8; at += 1) {
      await rig.record(`beeld ${at}`, named(at - (at % 2)));
      await gap(rig, at + 1);
    }
    await rig.adoptOnce();
    for (const place of [undefined, "centrum"]) {
      const whole = await find(rig.database, {
        ...EVERYTHING,
        ...(place === undefined ? {} : { place }),
      });
      assert.equal(whole.more, null);
      const parts: Result<"find">[] = [];
      for (let after: string | null = ""; after !== null; ) {
        const part: Result<"find"> = await find(rig.database, {
          ...EVERYTHING,
          limit: 3,
          ...(place === undefined ? {} : { place }),
          ...(after === "" ? {} : { after }),
        });
        assert.ok(part.segments.length + part.gaps.length <= 3);
        parts.push(part);
        after = part.more;
      }
      assert.equal(parts.length, 6);
      assert.deepEqual(
        parts.flatMap(({ segments }) => segments),
        whole.segments,
      );
      assert.deepEqual(
        parts.flatMap(({ gaps }) => gaps),
        whole.gaps,
      );
    }
  });

  it("does not go on after something nobody gave out", async () => {
    await using rig = await openRig();
    for (const after of ["", "x", "2026-06-01T10:00:00.000Z/x"]) {
      await assert.rejects(find(rig.database, { ...EVERYTHING, after }), {
        code: "CONTROL_REFUSED",
      });
    }
  });

  it("may be asked of the catalog without a place, as before", async () => {
    await using rig = await openRig();
    const id = await rig.keep("een");
    const found = await findSegments(rig.database, { device: CAMERA, from: START, to: START });
    assert.deepEqual(
      found.map((one) => [one.id, one.place]),
      [[id, undefined]],
    );
  });
});

describe("what `bewaarctl find` shows", () => {
  const window = parseWindow({ date: "2026-06-01" });

  it("says what was searched, and how far back this box can tell, when it found nothing", async () => {
    await using rig = await openRig();
    const empty = shownFound(await find(rig.database, EVERYTHING), window, NOBODY);
    assert.match(empty, /^niets gevonden \/ nothing found\n/);
    assert.match(empty, /van \/ from: +01-06-2026 00:00:00 \+02:00/);
    assert.match(empty, /nog geen beelden/);
    await rig.keep("een");
    const none = { ...EVERYTHING, toMs: 1, place: "leyweg" };
    const wanted = { camera: "bc-0101", place: "leyweg" };
    const shown = shownFound(await find(rig.database, none), window, wanted);
    assert.match(shown, /camera: +bc-0101/);
    assert.match(shown, /geen camera had ooit zo'n plek/);
    assert.match(shown, /weet iets vanaf .*: 01-06-2026 12:00:00 \+02:00/);
  });

  it("tells the cause of a gap in both languages, and one it does not know as it is", async () => {
    await using rig = await openRig();
    await gap(rig, 0);
    await gap(rig, 1, "something-else");
    const shown = shownFound(await find(rig.database, EVERYTHING), window, NOBODY);
    assert.match(shown, /GAT \/ GAP .*: kaart te vroeg uit het dock \/ card taken out/);
    assert.match(shown, /GAT \/ GAP .*: something-else$/m);
  });

  it("marks what is uncertain, cut off or elsewhere, and where a list goes on", async () => {
    await using rig = await openRig();
    await rig.keep("een", "DCIM/geen-tijd.MP4");
    await rig.keep("twee", named(0));
    const found = await find(rig.database, { ...EVERYTHING, limit: 1 });
    const [one] = found.segments;
    assert.ok(one);
    const odd = { ...one, truncated: true, place: "Centrum", hold: "in force" } as const;
    const shown = shownFound({ ...found, segments: [odd] }, window, NOBODY);
    assert.match(shown, /tijd onzeker/);
    assert.match(shown, /veiliggesteld \/ held {2}Centrum .*afgebroken \/ cut off/);
    assert.match(shown, new RegExp(`meer / more: --after ${found.more ?? "?"}`));
  });

  it("gives programs the same, with what was searched", async () => {
    await using rig = await openRig();
    await rig.keep("een");
    const found = await find(rig.database, EVERYTHING);
    assert.deepEqual(foundForPrograms(found, window, { camera: "bc-0101", place: undefined }), {
      searched: {
        from: "2026-05-31T22:00:00.000Z",
        to: "2026-06-01T21:59:59.999Z",
        camera: "bc-0101",
        place: null,
        hourCameTwice: false,
      },
      ...found,
    });
  });
});
