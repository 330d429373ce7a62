import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { z } from "zod";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, isoOf, MINUTE_MS, plus } from "#base/time";
import { readConfiguration } from "../config/configuration.ts";
import { acceptConfiguration, rememberedConfiguration } from "../daemon/accept-configuration.ts";
import { bodycamAway } from "../daemon/alarms/bodycam-away.ts";
import type { Ask } from "../daemon/control/client.ts";
import type { SlotNews } from "../daemon/control/dock-questions.ts";
import { METHODS, READ } from "../daemon/control/protocol.ts";
import { identified } from "../daemon/docks/identified.ts";
import type { TakeCard } from "../daemon/docks/take-card.ts";
import { bodycamAnswers } from "../daemon/pairing/answers.ts";
import { fewestJumps } from "../daemon/pairing/counters.ts";
import { recognise } from "../daemon/pairing/in-slots.ts";
import { lookInSlotsOf } from "../daemon/pairing/look.ts";
import { requireEither } from "../daemon/pairing/pair.ts";
import { openPairedNote } from "../daemon/pairing/paired-note.ts";
import { profileEnterer, withPairedProfiles } from "../daemon/pairing/paired-profiles.ts";
import { isItself, isPlaceholder } from "../daemon/pairing/serials.ts";
import { watchBodycams } from "../daemon/pairing/watch.ts";
import { confirmTime } from "../daemon/trust.ts";
import type { CardRecord } from "../drivers/bodycam/card-record.ts";
import type { UsbDevice } from "../drivers/bodycam/usb-devices.ts";
import { readBodycams } from "../storage/catalog/bodycams.ts";
import { recordPaired, tellEmptied } from "../storage/catalog/devices.ts";
import { replay } from "../storage/restore/replay.ts";
import { cardRecordOf } from "./fakes/card-records.ts";
import { GOOD_BOX, writtenIn } from "./fakes/configuration.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import {
  ASKED,
  OTHER_SLOT,
  type PairingOfRig,
  pairingOf,
  quiet,
  SEEN,
  SLOT,
  watchOnce,
} from "./fakes/pairing.ts";
import { publish, rebuiltOf } from "./fakes/rebuilt-rig.ts";
import { CAMERA, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { until } from "./fakes/until.ts";

const entry = z.looseObject({ kind: z.string() });

async function entries(rig: Rig) {
  const rows = await rig.database.transaction((sql) =>
    sql.all("select body from entry where kind like 'bodycam.%' order by seq"),
  );
  return rows.map(({ body }) => entry.parse(JSON.parse(String(body))));
}

describe("pairing a bodycam (DH-01)", () => {
  it("makes the camera in a slot the number, with its ledger entry, and tells the root helper", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    const paired = await pairing.pair();
    assert.equal(paired.changed, "paired");
    assert.deepEqual(await entries(rig), [
      {
        at: isoOf(START),
        kind: "bodycam.paired",
        device: "bc-0101",
        vendor: "0b6a",
        product: "1234",
        serial: "TS00A1B2",
        volume: "1A2B-3C4D",
        idFileSha256: null,
        profile: "generic-dcim",
        by: "beheerder",
      },
    ]);
    const { cameras, node } = await pairing.list();
    assert.equal(node, "dock-1");
    const known = { vendor: "0b6a", product: "1234", serial: "TS00A1B2", volume: "1A2B-3C4D" };
    assert.deepEqual(cameras, [{ number: "bc-0101", ...known }]);
    assert.equal((await stat(pairing.path)).mode & 0o777, 0o600);
    assert.deepEqual(await pairing.pairings(), [
      { number: "bc-0101", ...known, idFileSha256: null, profile: "generic-dcim" },
    ]);
    assert.deepEqual((await pairing.devices())[0]?.number, "bc-0101");
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("takes a number that this box did not know into its books", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair({ number: parseDeviceId("bc-0777") });
    const [device] = await rig.database.transaction((sql) =>
      sql.all("select kind, paired_at_ms from device where id = 'bc-0777'"),
    );
    assert.deepEqual({ ...device }, { kind: "bodycam", paired_at_ms: START });
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("knows it in any slot, and nobody else: an unknown device has no number", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    pairing.present.splice(0, 1, { ...SEEN, slot: OTHER_SLOT }, { ...SEEN, serial: "TS00FFFF" });
    assert.deepEqual(
      (await pairing.devices()).map(({ slot, number, unread }) => [slot, number, unread]),
      [
        [OTHER_SLOT, "bc-0101", null],
        [SLOT, null, "unpaired"],
      ],
    );
  });

  it("refuses two that look the same, both of them, and says what to do", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN, { ...SEEN, slot: OTHER_SLOT }]);
    const refused = { code: "BODYCAM_ALIKE", message: /look the same: format the card of one/ };
    await assert.rejects(pairing.pair(), refused);
    await assert.rejects(pairing.pair({ slot: OTHER_SLOT }), refused);
    pairing.present.pop();
    await pairing.pair();
    // In service, and another that cannot be told from it comes later: neither is read.
    pairing.present.push({ ...SEEN, slot: OTHER_SLOT });
    assert.deepEqual(
      (await pairing.devices()).map(({ number, unread }) => [number, unread]),
      [
        [null, "same-identity"],
        [null, "same-identity"],
      ],
    );
    pairing.present.shift();
    const twin = pairing.pair({ slot: OTHER_SLOT, number: parseDeviceId("bc-0102") });
    await assert.rejects(twin, { code: "BODYCAM_ALIKE", message: /bc-0101, which is paired/ });
    assert.equal((await entries(rig)).length, 1);
    await watchOnce(rig, pairingOf(rig, [SEEN, { ...SEEN, slot: OTHER_SLOT }]));
    assert.deepEqual(rig.said, ["bodycams-alike", "bodycams-alike"]);
  });

  it("refuses a camera that nothing tells from another: placeholder and no file system serial", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [{ ...SEEN, serial: "0123456789ABCDEF", volume: null }]);
    await assert.rejects(pairing.pair(), { code: "BODYCAM_ALIKE" });
    pairing.present.splice(0, 1, { ...SEEN, serial: null, volume: "0000-0000" });
    await assert.rejects(pairing.pair(), { code: "BODYCAM_ALIKE" });
    pairing.present.splice(0, 1, { ...SEEN, serial: "0123456789ABCDEF" });
    await pairing.pair();
  });

  it("refuses an empty slot, one that was not looked at, an odd serial, and two in one slot", async () => {
    await using rig = await openRig();
    const refused = { code: "BODYCAM_REFUSED" };
    for (const present of [
      [],
      [{ ...SEEN, looked: false }],
      [{ ...SEEN, kind: "other" as const }],
      [{ ...SEEN, serial: "a\u001b[2J serial" }],
      [{ ...SEEN, volume: "1a2b" }],
      [{ ...SEEN, volume: null, refused: "unknown-file-system" }],
      [SEEN, { ...SEEN, volume: "5555-5555" }],
    ])
      await assert.rejects(pairingOf(rig, present).pair(), refused, JSON.stringify(present));
    await assert.rejects(pairingOf(rig, [SEEN]).pair({ profile: "no-such-model" }), {
      code: "CONFIG_MISSING",
    });
    assert.deepEqual(await entries(rig), []);
  });

  it("keeps a number either in the configuration or paired, never both", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    const folder = { number: CAMERA, folder: "/srv/dock", profile: "generic-dcim", paired: START };
    const answers = bodycamAnswers(
      rig.clock,
      rig.database,
      pairing.look,
      pairing.note,
      pairing.board,
      [folder],
      async () => undefined,
    );
    await assert.rejects(answers["bodycams.pair"](ASKED, quiet), { code: "BODYCAM_REFUSED" });
    await requireEither(rig.database, [folder]);
    await pairing.pair();
    await assert.rejects(requireEither(rig.database, [folder]), { code: "CONFIG_INVALID" });
    await pairing.retire();
    await requireEither(rig.database, [folder]);
  });

  it("never makes a camera on a wall a bodycam", async () => {
    await using rig = await openRig();
    const wall = parseDeviceId("cam-0009");
    await recordPaired(rig.database, START, [{ id: wall, kind: "camera", pairedAt: START }]);
    await assert.rejects(pairingOf(rig, [SEEN]).pair({ number: wall }), {
      code: "BODYCAM_REFUSED",
    });
  });

  it("ends with its retirement: in no list any more, and the number may be another camera's", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await assert.rejects(pairing.retire(), { code: "BODYCAM_REFUSED" });
    await pairing.pair();
    const other = { ...SEEN, serial: "TS00FFFF", slot: OTHER_SLOT };
    pairing.present.push(other);
    const taken = pairing.pair({ slot: OTHER_SLOT });
    await assert.rejects(taken, { code: "BODYCAM_REFUSED", message: /retire bc-0101/ });
    await pairing.retire();
    assert.deepEqual((await pairing.list()).cameras, []);
    assert.deepEqual(await pairing.pairings(), []);
    assert.deepEqual((await entries(rig)).at(-1), {
      at: isoOf(START),
      kind: "bodycam.retired",
      device: "bc-0101",
      by: "beheerder",
      reason: "defect",
    });
    assert.deepEqual(await rig.check("rows"), []);
    await pairing.pair({ slot: OTHER_SLOT });
    assert.equal((await pairing.list()).cameras[0]?.serial, "TS00FFFF");
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("takes no person for a role", async () => {
    await using rig = await openRig();
    for (const by of ["Jan Jansen", "J. Jansen", ""]) {
      const asked = METHODS["bodycams.pair"].params.safeParse({ ...ASKED, by });
      assert.equal(asked.success, false, by);
    }
    assert.ok(rig);
  });
});

describe("a bodycam with another card", () => {
  it("is not read, is told with what may be missing, and is taken over by pairing it again", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    await watchOnce(rig, pairing);
    const lastSeen = rig.clock.now();
    pairing.present.splice(0, 1);
    await watchOnce(rig, pairing, 12);
    pairing.present.push({ ...SEEN, volume: "9999-0000" });
    assert.deepEqual((await pairing.devices())[0]?.unread, "volume-changed");
    await watchOnce(rig, pairing, 3);
    assert.deepEqual(rig.said, ["bodycam-volume-changed"]);
    const told = z.looseObject({}).parse(JSON.parse(rig.lines[0] ?? ""));
    assert.equal(told["since"], isoOf(plus(lastSeen, -5 * MINUTE_MS)));
    assert.deepEqual([told["was"], told["is"]], ["1A2B-3C4D", "9999-0000"]);
    assert.equal((await pairing.list()).cameras[0]?.volume, "1A2B-3C4D");

    assert.equal((await pairing.pair()).changed, "volume");
    assert.equal((await pairing.list()).cameras[0]?.volume, "9999-0000");
    const [, changed, ...more] = await entries(rig);
    assert.deepEqual(more, []);
    assert.deepEqual(
      { ...changed, at: "" },
      {
        at: "",
        kind: "bodycam.volume-changed",
        device: "bc-0101",
        was: "1A2B-3C4D",
        is: "9999-0000",
        by: "beheerder",
      },
    );
    assert.equal((await pairing.devices())[0]?.unread, null);
    assert.equal((await pairing.pair()).changed, "nothing");
    assert.equal((await pairing.pair({ profile: "generic-dcim-synchronised" })).changed, "profile");
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("is nobody's where its serial is a placeholder", async () => {
    await using rig = await openRig();
    const nameless = { ...SEEN, serial: "0123456789ABCDEF" };
    const pairing = pairingOf(rig, [nameless]);
    await pairing.pair();
    pairing.present.splice(0, 1, { ...nameless, volume: "9999-0000" });
    assert.deepEqual((await pairing.devices())[0]?.unread, "unpaired");
  });
});

describe("a bodycam that says which one it is", () => {
  it("is remembered by it the first time, with its entry, and is another when it says something else", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    const identify = async (says: string) =>
      (await pairing.answers["bodycams.identify"]({ number: CAMERA, says }, quiet)).is;
    await assert.rejects(identify("C-1"), { code: "BODYCAM_REFUSED" });
    await pairing.pair();
    assert.equal(await identify("C-1"), "it");
    assert.equal(await identify("C-1"), "it");
    assert.equal(await identify("C-2"), "another");
    const [, told, ...more] = await entries(rig);
    assert.deepEqual(more, []);
    const idFileSha256 = createHash("sha256").update("C-1").digest("hex");
    const at = isoOf(START);
    assert.deepEqual(told, { at, kind: "bodycam.identified", device: "bc-0101", idFileSha256 });
    assert.deepEqual((await pairing.pairings())[0]?.idFileSha256, idFileSha256);
    assert.deepEqual(await rig.check("rows"), []);
    await publish(rig);
    const { database } = await rebuiltOf(rig);
    await using _open = database;
    assert.equal((await database.transaction(readBodycams))[0]?.idFileSha256, idFileSha256);
    // Another camera under the number says for itself which one it is.
    await pairing.retire();
    await pairing.pair();
    assert.equal(await identify("C-2"), "it");
  });

  it("has nothing taken from its card before core knows it for the same", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    const folder = join(rig.folder, "card");
    const counted = { files: 0, bytes: 0, filesDone: 0, bytesDone: 0, adopted: 0 };
    let taken = 0;
    const take: TakeCard = async () => {
      taken += 1;
      return {
        counted,
        files: [],
        others: 0,
        listedMs: 0,
        left: undefined,
        readAgain: () => undefined,
      };
    };
    const ask: Ask = async (method, params) => {
      assert.equal(method, "bodycams.identify");
      const asked = METHODS["bodycams.identify"].params.parse(params);
      return READ[method](await pairing.answers["bodycams.identify"](asked, quiet));
    };
    const record = cardRecordOf({ name: "sdb1", media: rig.folder });
    const card = { record, number: CAMERA, folder, profile: "own" };
    const limits = { files: 10, bytes: 1e9, depth: 3 };
    const identity = { file: "MISC/version.txt", pattern: '"camera serial number":"(.*?)"' };
    let isThere = true;
    const docked = () =>
      identified(ask, { identity, limits }, card, async () => isThere, take)(NEVER);
    // One that says nothing has to do with its serials.
    await docked();
    assert.equal(taken, 1);
    await mkdir(join(folder, "MISC"));
    const write = (serial: string) =>
      writeFile(join(folder, "MISC", "VERSION.TXT"), `{"camera serial number":"${serial}"}`);
    await write("C3141");
    await docked();
    assert.equal(taken, 2);
    await write("C2718");
    await assert.rejects(docked(), { code: "BODYCAM_ALIKE" });
    assert.equal(taken, 2);
    isThere = false;
    assert.equal(await docked(), "gone");
  });
});

describe("what serials tell", () => {
  it("is nothing where a maker wrote a placeholder", () => {
    for (const serial of [
      "0123456789ABCDEF",
      "1234567890",
      "000000000000",
      "FFFFFFFF",
      "",
      " ",
      "none",
      "12",
      "Serial Number",
      "00-00-00",
      null,
    ])
      assert.ok(isPlaceholder(serial), String(serial));
    for (const serial of ["TS00A1B2", "4C530001230", "20210713000001"])
      assert.ok(!isPlaceholder(serial), serial);
    assert.ok(isItself({ serial: null, volume: "1A2B-3C4D" }));
    assert.ok(!isItself({ serial: null, volume: "0000-0000" }));
  });
});

describe("a bodycam that is in a slot for less than five minutes", () => {
  /** Core that watches while `live` lets the dock tell it things. */
  async function whileWatching(rig: Rig, pairing: PairingOfRig, live: () => Promise<void>) {
    const stop = new AbortController();
    const watching = watchBodycams(
      rig.clock,
      rig.events,
      rig.database,
      pairing.look,
      pairing.note,
      pairing.board,
      stop.signal,
    );
    await live().finally(() => stop.abort());
    await watching;
  }

  const seenAt = async ({ answers }: PairingOfRig): Promise<string | undefined> =>
    (await answers.bodycams({}, quiet)).bodycams[0]?.seenAt;

  it("was seen there all the same", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    await whileWatching(rig, pairing, async () => {
      const [camera] = pairing.present.splice(0, 1);
      assert.ok(camera);
      rig.clock.move(10 * MINUTE_MS);
      pairing.present.push(camera);
      await pairing.answers["docks.news"]({ slots: [newsOf("busy", null)] }, quiet);
      await until(async () => (await seenAt(pairing)) === isoOf(rig.clock.now()));
    });
  });

  it("is told with another card in it", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    await whileWatching(rig, pairing, async () => {
      pairing.present.splice(0, 1, { ...SEEN, volume: "FFFF-0001" });
      await pairing.answers["docks.news"]({ slots: [newsOf("failed", "unpaired")] }, quiet);
      await until(async () => rig.said.includes("bodycam-volume-changed"));
    });
  });
});

describe("a bodycam that does not come", () => {
  it("is told once when it was away longer than policy allows, and when it is docked or retired", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "beheerder");
    const { longestUndockedMs } = rig.box.term;
    const alarm = bodycamAway(
      rig.clock,
      rig.events,
      rig.database,
      pairing.board.missing,
      longestUndockedMs,
    );
    /** So long in looks five minutes apart, and a look for alarms. */
    const live = async (ms: number) => {
      await watchOnce(rig, pairing, ms / (5 * MINUTE_MS));
      await lookForAlarms(rig, [alarm]);
      return rig.said.splice(0);
    };
    assert.deepEqual(
      await lookForAlarms(rig, [alarm]),
      undefined,
      "before the slots were looked at",
    );
    // Docked for five hours: it counts from the end of that.
    assert.deepEqual(await live(5 * HOUR_MS), []);
    const lastSeen = plus(rig.clock.now(), -6 * MINUTE_MS);
    const [camera] = pairing.present.splice(0, 1);
    assert.ok(camera);
    assert.deepEqual(await live(longestUndockedMs - 10 * MINUTE_MS), []);
    assert.deepEqual(await live(DAY_MS), ["bodycam-away"]);
    const told = z.looseObject({}).parse(JSON.parse(rig.lines[0] ?? ""));
    assert.deepEqual([told["device"], told["since"]], ["bc-0101", isoOf(lastSeen)]);
    assert.deepEqual(await live(2 * DAY_MS), []);
    pairing.present.push(camera);
    assert.deepEqual(await live(HOUR_MS), ["bodycam-away-over"]);
    pairing.present.splice(0, 1);
    assert.deepEqual(await live(longestUndockedMs + DAY_MS), ["bodycam-away"]);
    await pairing.retire();
    rig.said.splice(0);
    assert.deepEqual(await live(2 * DAY_MS), ["bodycam-away-over"]);
  });
});

describe("a bodycam that does not come while time is not trusted", () => {
  it("is neither told nor over by a clock that is wrong, and over once it is docked all the same (invariant 10)", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "beheerder");
    const { clock, events, database } = rig;
    const { longestUndockedMs } = rig.box.term;
    const alarm = bodycamAway(clock, events, database, pairing.board.missing, longestUndockedMs);
    const look = async () => {
      await watchOnce(rig, pairing);
      await lookForAlarms(rig, [alarm]);
      return rig.said.splice(0);
    };
    const [camera] = pairing.present.splice(0, 1);
    assert.ok(camera);
    clock.jump(900 * DAY_MS);
    assert.deepEqual(await look(), []);
    clock.jump(-900 * DAY_MS);
    await confirmTime(clock, database, clock.now(), "beheerder");
    clock.move(longestUndockedMs);
    assert.deepEqual(await look(), ["bodycam-away"]);
    clock.jump(-900 * DAY_MS);
    // Told again, as each alarm is that a clock tells of before it was told; and not over.
    assert.deepEqual(await look(), ["bodycam-away"]);
    assert.deepEqual(await look(), []);
    pairing.present.push(camera);
    assert.deepEqual(await look(), ["bodycam-away-over"]);
  });
});

describe("a box whose clock was ahead for a while", () => {
  it("misses a bodycam that stays away since, once its time is trusted again", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "beheerder");
    rig.clock.jump(900 * DAY_MS);
    await watchOnce(rig, pairing);
    rig.clock.jump(-900 * DAY_MS);
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "beheerder");
    pairing.present.splice(0, 1);
    const turnsIn = (ms: number) => ms / (5 * MINUTE_MS);
    const { longestUndockedMs } = rig.box.term;
    await watchOnce(rig, pairing, turnsIn(longestUndockedMs + HOUR_MS));
    await lookForAlarms(rig, [
      bodycamAway(rig.clock, rig.events, rig.database, pairing.board.missing, longestUndockedMs),
    ]);
    assert.deepEqual(
      rig.said.filter((event) => event === "bodycam-away"),
      ["bodycam-away"],
    );
  });
});

describe("numbers in the names of files", () => {
  const at = (counter: number, minutes: number) => ({
    counter,
    startedAt: plus(START, minutes * MINUTE_MS),
  });

  it("are told where they jump, and not where a card was emptied or the counter is full", () => {
    const jumps = (
      last: ReturnType<typeof at> | undefined,
      files: readonly ReturnType<typeof at>[],
      emptiedAfterMinutes?: number,
    ) =>
      fewestJumps(
        last,
        files,
        emptiedAfterMinutes === undefined
          ? undefined
          : plus(START, emptiedAfterMinutes * MINUTE_MS),
      ).jumps.map(({ after, before, missing }) => [after.counter, before.counter, missing]);
    // Its clock was reset in between: by their times 11 and 12 came first.
    assert.deepEqual(jumps(at(9, 0), [at(11, -900), at(12, -890), at(10, 1)]), []);
    assert.deepEqual(jumps(at(9998, 0), [at(9999, 1), at(1, 2), at(2, 3)]), []);
    assert.deepEqual(jumps(undefined, [at(7, 1), at(8, 2), at(8, 2), at(9, 3)]), []);
    assert.deepEqual(jumps(at(6, 0), [at(7, 1), at(11, 2)]), [[7, 11, 3]]);
    assert.deepEqual(jumps(at(6, 0), [at(9, 1)]), [[6, 9, 2]]);
    assert.deepEqual(jumps(at(9, 0), [at(4, 1)]), [[9, 4, null]]);
    assert.deepEqual(jumps(at(9, 0), [at(1, 5)]), [[9, 1, null]]);
    assert.deepEqual(jumps(at(9, 0), [at(1, 5)], 3), []);
    assert.deepEqual(jumps(at(9, 0), [at(3, 5)], 3), [[9, 3, null]]);
    assert.deepEqual(jumps(at(9999, 0), [at(1, 1)]), []);
  });
});

describe("what a docked card tells of itself", () => {
  const NAMES =
    "^(?<year>\\d{4})(?<month>\\d\\d)(?<day>\\d\\d)_(?<hour>\\d\\d)(?<minute>\\d\\d)(?<second>\\d\\d)_(?<seq>\\d{4})";

  async function profileIn(rig: Rig): Promise<string> {
    const path = join(rig.folder, "numbered.yaml");
    const lines = [
      "name: Numbered",
      'media: ["**/*.MP4"]',
      `start_in_name: '${NAMES}'`,
      "zone: Europe/Amsterdam",
      "clock: synchronised",
    ];
    await writeFile(path, `${lines.join("\n")}\n`);
    return path;
  }

  /** As `named`, with the number of the file behind it. */
  const numbered = (minutes: number, counter: number) =>
    named(minutes).replace(".MP4", `_${String(counter).padStart(4, "0")}.MP4`);

  it("is how many files were never seen, once all of a docking are here, and once", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair({ profile: await profileIn(rig) });
    await rig.record("one", numbered(-60, 7));
    await rig.record("two", numbered(-50, 8));
    await rig.adoptOnce();
    await watchOnce(rig, pairing, 5);
    assert.deepEqual(jumpsTold(rig), []);
    await rig.record("five", numbered(-20, 11));
    await rig.adoptOnce();
    // The files between may still be on their way.
    await watchOnce(rig, pairing, 2);
    assert.deepEqual(jumpsTold(rig), []);
    await watchOnce(rig, pairing, 5);
    assert.deepEqual(jumpsTold(rig), [["bc-0101", 8, 11, 2]]);
  });

  it("is told of files that came while the clock was ahead, too", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair({ profile: await profileIn(rig) });
    rig.clock.jump(900 * DAY_MS);
    await rig.record("one", numbered(-60, 7));
    await rig.record("four", numbered(-50, 10));
    await rig.adoptOnce();
    rig.clock.jump(-900 * DAY_MS);
    await watchOnce(rig, pairing, 5);
    assert.deepEqual(jumpsTold(rig), [["bc-0101", 7, 10, 2]]);
  });

  it("is nothing where files came in another order, or from a drop folder", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await rig.record("before it was paired", numbered(-90, 2));
    await rig.adoptOnce();
    await pairing.pair({ profile: await profileIn(rig) });
    for (const [minutes, counter] of [
      [-50, 9],
      [-60, 8],
      [-40, 10],
    ] as const)
      await rig.record(String(counter), numbered(minutes, counter));
    await rig.adoptOnce();
    await watchOnce(rig, pairing, 6);
    assert.deepEqual(jumpsTold(rig), []);
  });

  it("is footage older than the last emptying, told once an hour", async () => {
    await using rig = await openRig();
    await rig.database.transaction((sql) =>
      tellEmptied(sql, START, CAMERA, plus(START, -30 * MINUTE_MS), 3),
    );
    await rig.record("newer", named(-20));
    await rig.adoptOnce();
    assert.ok(!rig.said.includes("footage-before-emptying"));
    const older = await rig.record("older", named(-40));
    await rig.record("older still", named(-50));
    await rig.adoptOnce();
    const told = rig.lines
      .map((line) => z.looseObject({ event: z.string() }).parse(JSON.parse(line)))
      .filter(({ event }) => event === "footage-before-emptying");
    assert.equal(told.length, 1);
    assert.equal(told[0]?.["emptiedAt"], isoOf(plus(START, -30 * MINUTE_MS)));
    assert.ok(
      told[0]?.["segment"] === older ||
        told[0]?.["startedAt"] === isoOf(plus(START, -50 * MINUTE_MS)),
    );
  });

  it("cannot be read without its profile, which is said and ends nothing", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    const profile = await profileIn(rig);
    await pairing.pair({ profile });
    await rm(profile);
    await watchOnce(rig, pairing, 3);
    assert.deepEqual(rig.said, ["bodycam-profile-unread"]);
  });
});

function jumpsTold(rig: Rig) {
  return rig.lines
    .map((line) => z.looseObject({ event: z.string() }).parse(JSON.parse(line)))
    .filter(({ event }) => event === "bodycam-counter-jumped")
    .map((told) => [told["device"], told["from"], told["to"], told["missing"]]);
}

describe("the profile of a paired bodycam", () => {
  it("is part of what this box goes by: entered when it is paired and retired, so that the next start has nothing to tell", async () => {
    await using rig = await openRig();
    const box = { ...GOOD_BOX, informed_on: "2026-05-01", bodycams: [] };
    const path = await writtenIn(rig.folder, box);
    const { config, rules } = await readConfiguration(path);
    const enter = profileEnterer(rig.clock, rig.events, rig.database, config, rules);
    const pairing = pairingOf(rig, [SEEN], enter);
    const start = async () => {
      const decided = await withPairedProfiles(rig.database, rules);
      await acceptConfiguration(rig.clock, rig.events, rig.database, config, decided);
      return decided;
    };
    const changes = async () => {
      const rows = await rig.database.transaction((sql) =>
        sql.all("select body from entry where kind = 'config.changed' order by seq"),
      );
      const body = z.looseObject({ changes: z.array(z.looseObject({ path: z.string() })) });
      return rows.map((row) => body.parse(JSON.parse(String(row["body"]))).changes);
    };
    await start();
    await pairing.pair({ profile: "generic-dcim" });
    const paths = (await changes())[1]?.map((one) => one.path) ?? [];
    assert.ok(paths.includes("profiles[generic-dcim].clock"), paths.join());
    assert.equal(rig.said.filter((event) => event === "config-changed").length, 2);
    // Paired again with nothing new.
    await pairing.pair({ profile: "generic-dcim" });
    const decided = await start();
    assert.equal((await changes()).length, 2);
    // Made again from the vault it is the same configuration.
    const [last] = await rig.database.transaction((sql) =>
      sql.all(
        "select body ->> 'sha256' as sha256 from entry where kind = 'config.changed' order by seq desc",
      ),
    );
    const known = { sha256: String(last?.["sha256"]), approvals: [] };
    assert.notEqual(rememberedConfiguration(config, decided, known), undefined);

    await pairing.retire();
    assert.equal((await changes()).length, 3);
    await start();
    assert.equal((await changes()).length, 3);
  });

  it("is entered at the next start where core was stopped before, or its file was changed", async () => {
    await using rig = await openRig();
    const box = { ...GOOD_BOX, informed_on: "2026-05-01", bodycams: [] };
    const { config, rules } = await readConfiguration(await writtenIn(rig.folder, box));
    const start = async () => {
      const decided = await withPairedProfiles(rig.database, rules);
      await acceptConfiguration(rig.clock, rig.events, rig.database, config, decided);
      return rig.said.filter((event) => event === "config-changed").length;
    };
    assert.equal(await start(), 1);
    const profile = join(rig.folder, "own.yaml");
    await copyFile(new URL("../config/profiles/generic-dcim.yaml", import.meta.url), profile);
    await pairingOf(rig, [SEEN]).pair({ profile });
    assert.equal(await start(), 2);
    await writeFile(profile, `${await readFile(profile, "utf8")}\nbytes_per_hour: 3 GB\n`);
    assert.equal(await start(), 3);
    assert.equal(await start(), 3);
  });

  it("of several that are paired at once is entered once each", async () => {
    await using rig = await openRig();
    const box = { ...GOOD_BOX, informed_on: "2026-05-01", bodycams: [] };
    const { config, rules } = await readConfiguration(await writtenIn(rig.folder, box));
    const enter = profileEnterer(rig.clock, rig.events, rig.database, config, rules);
    const other = { ...SEEN, slot: OTHER_SLOT, serial: "TS00FFFF" };
    const pairing = pairingOf(rig, [SEEN, other], enter);
    const decided = await withPairedProfiles(rig.database, rules);
    await acceptConfiguration(rig.clock, rig.events, rig.database, config, decided);
    await Promise.all([
      pairing.pair({ profile: "generic-dcim" }),
      pairing.pair({ number: parseDeviceId("bc-0102"), slot: OTHER_SLOT, profile: "mtp-generic" }),
    ]);
    const last = await withPairedProfiles(rig.database, rules);
    const before = rig.said.length;
    await acceptConfiguration(rig.clock, rig.events, rig.database, config, last);
    assert.equal(rig.said.length, before);
    assert.deepEqual(Object.keys(last.profiles).toSorted(), ["generic-dcim", "mtp-generic"]);
  });

  it("does not keep core from starting when it is gone", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    const profile = join(rig.folder, "own.yaml");
    const shipped = new URL("../config/profiles/generic-dcim.yaml", import.meta.url);
    await copyFile(shipped, profile);
    await pairing.pair({ profile });
    const { rules } = await readConfiguration(await writtenIn(rig.folder, GOOD_BOX));
    assert.ok(profile in (await withPairedProfiles(rig.database, rules)).profiles);
    await rm(profile);
    const { profiles } = await withPairedProfiles(rig.database, rules);
    assert.deepEqual(Object.keys(profiles), ["generic-dcim"]);
  });
});

describe("the catalog of pairings", () => {
  it("changes none without an entry and forgets none, whatever the code asks (invariant 5)", async () => {
    await using rig = await openRig();
    await pairingOf(rig, [SEEN]).pair();
    for (const sql of [
      "delete from bodycam",
      "update bodycam set volume = '5555-5555'",
      "update bodycam set serial = null",
      "update bodycam set retired_at_ms = 1",
      "update bodycam set profile = 'x'",
      "update bodycam set entry_seq = 0, serial = 'x'",
    ]) {
      const change = rig.database.transaction((one) => one.run(sql));
      await assert.rejects(change, { code: "CATALOG_RULE" }, sql);
    }
    await rig.database.transaction((sql) => sql.run("update bodycam set seen_at_ms = 1"));
  });

  it("is checked by verify: a pairing that no entry tells is found", async () => {
    await using rig = await openRig();
    await pairingOf(rig, [SEEN]).pair();
    await rig.database.transaction((sql) =>
      sql.script("drop trigger bodycam_stays; update bodycam set retired_at_ms = 1"),
    );
    assert.deepEqual(await rig.check("rows"), [
      { invariant: 5, what: "bc-0101 is a bodycam whose pairing has no ledger entry" },
    ]);
  });

  it("believes no pairing that no head of the box covers: it would let a card be read", async () => {
    await using rig = await openRig();
    await pairingOf(rig, [SEEN]).pair();
    await rig.database.transaction((sql) =>
      sql.script("drop trigger bodycam_is_kept; delete from bodycam"),
    );
    await replay(rig.database, () => true, 0, NEVER);
    assert.deepEqual(await rig.database.transaction(readBodycams), []);
    await replay(rig.database, () => false, 0, NEVER);
    assert.equal((await rig.database.transaction(readBodycams)).length, 1);
  });

  it("comes back from the vault: who is paired, with what, and who is not any more", async () => {
    await using rig = await openRig();
    const second = { ...SEEN, slot: OTHER_SLOT, serial: "TS00FFFF" };
    const pairing = pairingOf(rig, [SEEN, second]);
    await pairing.pair();
    await pairing.pair({ slot: OTHER_SLOT, number: parseDeviceId("bc-0102") });
    pairing.present.splice(0, 1, { ...SEEN, volume: "9999-0000" });
    await pairing.pair();
    await pairing.retire(parseDeviceId("bc-0102"));
    await publish(rig);
    const { database } = await rebuiltOf(rig);
    await using _open = database;
    const known = await database.transaction(readBodycams);
    assert.deepEqual(known, await rig.database.transaction(readBodycams));
    assert.deepEqual(
      known.map(({ device, volume, retiredAt }) => [device, volume, retiredAt === undefined]),
      [
        ["bc-0101", "9999-0000", true],
        ["bc-0102", "1A2B-3C4D", false],
      ],
    );
  });
});

describe("what core sees in the slots", () => {
  it("is what is plugged in, with what the root helper wrote of it since this start of the machine", async () => {
    const record: CardRecord = {
      bewaard: "card/1",
      bootId: "boot 1",
      slot: SLOT,
      name: "sdb1",
      device: "8:17",
      vendor: "0b6a",
      product: "1234",
      serial: "TS00A1B2",
      volume: { kind: "vfat", serial: "1A2B-3C4D", label: null },
      bytes: 1,
      largest: null,
      readOnly: true,
      number: null,
      mountedAt: null,
      refused: "unpaired",
      at: isoOf(START),
    };
    const device: UsbDevice = {
      slot: SLOT,
      busPath: "1-2.3",
      bus: 1,
      address: 4,
      vendor: "0b6a",
      product: "1234",
      serial: "TS00A1B2",
      kind: "disk",
      disks: [],
    };
    const seeing = (devices: readonly UsbDevice[] | "no-usb", records: readonly CardRecord[]) =>
      lookInSlotsOf(
        { bootId: () => "boot 1" },
        { devices: async () => devices, records: async () => records },
      )();
    assert.deepEqual(await seeing([device], [record]), [SEEN]);
    const unlooked = { ...SEEN, volume: null, refused: null, looked: false };
    assert.deepEqual(await seeing([device], []), [unlooked]);
    assert.deepEqual(await seeing([device], [{ ...record, bootId: "boot 0" }]), [unlooked]);
    // The camera that it was written of has gone, and another one is in its place.
    const other = { ...device, serial: undefined };
    assert.deepEqual(await seeing([other], [record]), [{ ...unlooked, serial: null }]);
    assert.deepEqual(await seeing([], [record]), []);
    assert.deepEqual(await seeing("no-usb", [record]), []);
    const charger = await seeing([{ ...device, kind: "other" }], []);
    assert.deepEqual(
      recognise(charger, []).map(({ unread }) => unread),
      ["no-files"],
    );
    assert.deepEqual(
      recognise([unlooked, { ...unlooked, slot: OTHER_SLOT }], []).map(({ unread }) => unread),
      ["not-looked", "not-looked"],
    );
  });
});

describe("the root helper's list", () => {
  it("that a full disk kept from being written is written at a next look", async () => {
    await using rig = await openRig();
    const folder = join(rig.folder, "state");
    const pairing = pairingOf({ ...rig, folder }, [SEEN]);
    // It is paired, and says what is still to be done.
    await assert.rejects(pairing.pair(), { code: "SPOOL_IO", transient: true });
    assert.equal((await pairing.pairings()).length, 1);
    await watchOnce(rig, pairing);
    assert.deepEqual(rig.said, ["turn-failed"]);
    await mkdir(folder);
    await watchOnce(rig, pairing);
    assert.equal((await pairing.list()).cameras.length, 1);
  });

  it("is written again at the next look when it could not be, and as it is at a start", async () => {
    await using rig = await openRig();
    const pairing = pairingOf(rig, [SEEN]);
    await pairing.pair();
    // Only a change makes it write: what the helper reads is not touched for nothing.
    await rm(pairing.path);
    await pairing.note.keep();
    await assert.rejects(stat(pairing.path), { code: "ENOENT" });
    const atStart = openPairedNote(rig.clock, rig.database, pairing.path, rig.box.node, rig.key);
    await atStart.keep();
    assert.equal((await pairing.list()).cameras.length, 1);
    // Asked for by two at once it is written by one after the other.
    await Promise.all([pairing.retire(), pairing.note.keep(), pairing.note.keep()]);
    assert.deepEqual((await pairing.list()).cameras, []);
    const nowhere = openPairedNote(
      rig.clock,
      rig.database,
      join(rig.folder, "nowhere", "paired.note"),
      rig.box.node,
      rig.key,
    );
    await assert.rejects(nowhere.keep(), { code: "SPOOL_IO", transient: true });
    await mkdir(join(rig.folder, "nowhere"));
    await nowhere.catchUp();
    assert.ok((await stat(join(rig.folder, "nowhere", "paired.note"))).isFile());
    await rm(join(rig.folder, "nowhere", "paired.note"));
    await nowhere.catchUp();
    await assert.rejects(stat(join(rig.folder, "nowhere", "paired.note")), { code: "ENOENT" });
  });
});

function newsOf(state: "busy" | "failed", why: string | null): SlotNews {
  const counts = { files: 0, filesDone: 0, bytes: 0, bytesDone: 0, bytesPerSecond: 0 };
  const unknown = { secondsLeft: null, hoursFree: null, readySince: null, readyUptimeMs: null };
  return { slot: SLOT, number: CAMERA, state, why, ...counts, ...unknown, since: isoOf(START) };
}
