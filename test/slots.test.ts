import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { DAY_MS, instant, MINUTE_MS, plus } from "#base/time";
import { bytesPerHour } from "../daemon/docks/bytes-per-hour.ts";
import type { DockCore, SlotNews } from "../daemon/docks/dock-core.ts";
import type { SlotProfile } from "../daemon/docks/open-card.ts";
import { SETS_NO_CLOCK } from "../daemon/docks/set-clock.ts";
import { openSlotBoard } from "../daemon/docks/slot-board.ts";
import type { Look } from "../daemon/docks/take-card.ts";
import { workCard } from "../daemon/docks/work-card.ts";
import { settleLeftovers } from "../daemon/leftovers.ts";
import { listCard } from "../drivers/bodycam/card.ts";
import { findSegments } from "../storage/catalog/find.ts";
import { countLeft, findLeft } from "../storage/catalog/left.ts";
import type { SealPool } from "../storage/seal/pool.ts";
import { cardRecordOf } from "./fakes/card-records.ts";
import { leaveCutOff } from "./fakes/cut-off.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { CAMERA, dockOf, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { type FakeSlots, openFakeSlots, writeFileOf } from "./fakes/slots.ts";

/** Seals once `until` has come. */
function holdUp(until: Promise<void>, pool: SealPool): SealPool["seal"] {
  return async (...args) => {
    await until;
    return pool.seal(...args);
  };
}

/** No core that is asked for anything. */
const NO_CORE: DockCore = {
  pairings: async () => [],
  news: async () => undefined,
  wipe: async () => null,
  setTime: async () => ({ why: null, over: true }),
};

const ONE = "0000:00:14.0/2.1";
const TWO = "0000:00:14.0/2.2";

const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");

async function keptHashes(rig: Rig): Promise<readonly string[]> {
  const all = { device: undefined, from: instant(0), to: instant(9e12) };
  const segments = await findSegments(rig.database, all);
  return segments.map(({ plaintextSha256 }) => String(plaintextSha256)).toSorted();
}

async function openSlots(own: Partial<SlotProfile> = {}) {
  const rig = await openRig({ pool: inlinePool() });
  const slots = await openFakeSlots(rig, undefined, own);
  return {
    rig,
    slots,
    async [Symbol.asyncDispose]() {
      await slots[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** What a slot that is refused shows. */
async function refused(slots: FakeSlots, slot = ONE): Promise<string | null> {
  assert.ok(await slots.until(() => slots.state(slot) === "failed"));
  return slots.board.read(slot).why;
}

describe("a camera in a slot", () => {
  it("has a file read once more whose second read differed, while it is docked (invariant 1)", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    const path = join(slots.media, "sdb1");
    await slots.pair("bc-0101");
    await writeFileOf(path, named(0), "een");
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.wipes.length > 0));
    await rig.database.transaction((sql) =>
      sql.run(
        `insert into wipe_doubt (device_id, path, bytes, modified_at_ms, times, why, retake)
         select device_id, source_path, plaintext_bytes, source_modified_at_ms, 1, 'changed', 1 from segment`,
      ),
    );
    const before = rig.said.filter((event) => event === "sealed").length;
    let told = false;
    slots.answerWipe(async ({ files, readAgain }) => {
      if (!told) readAgain(files.map((file) => file.path.toString("base64")));
      told = true;
      return "waits-for-vault";
    });
    const again = () => rig.said.filter((event) => event === "sealed").length > before;
    assert.ok(await slots.until(again));
    assert.ok(await slots.until(() => rig.said.includes("duplicate")));
    assert.deepEqual(await keptHashes(rig), [sha256("een")]);
  });

  it("is read, adopted, safe with how many hours still fit, and done once its card was emptied (DH-07)", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
    await writeFileOf(join(slots.media, "sdb1"), "LOG/device.txt", "twee");
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.wipes.length > 0));
    assert.equal(slots.state(ONE), "safe");
    assert.equal(typeof slots.board.read(ONE).hoursFree, "number");
    assert.deepEqual(await keptHashes(rig), [sha256("een"), sha256("twee")].toSorted());
    slots.answerWipe(async () => {
      await rm(join(slots.media, "sdb1", "DCIM"), { recursive: true });
      await rm(join(slots.media, "sdb1", "LOG"), { recursive: true });
      return "wiping";
    });
    assert.ok(await slots.until(() => slots.state(ONE) === "done"));
    slots.pull(ONE);
    assert.ok(await slots.until(() => slots.state(ONE) === "free"));
    assert.deepEqual(
      rig.said.filter((event) => /dock|slot/.test(event)),
      [
        "docked",
        "slot-busy",
        "slot-busy",
        "slot-safe",
        "slot-safe",
        "slot-safe",
        "slot-done",
        "undocked",
      ],
    );
  });

  it("beside another one is read at the same time, and the first that is ready is known", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    for (const [slot, name, number] of [
      [ONE, "sdb1", "bc-0101"],
      [TWO, "sdc1", "bc-0102"],
    ] as const) {
      await slots.pair(number);
      await writeFileOf(join(slots.media, name), named(0), `van ${number}`);
      await slots.plug(slot, name, number);
    }
    const shown = (): readonly SlotNews[] => slots.told.at(-1) ?? [];
    assert.ok(
      await slots.until(() => [...shown()].filter(({ state }) => state === "safe").length === 2),
    );
    assert.equal((await keptHashes(rig)).length, 2);
    assert.deepEqual(
      shown().map(({ slot, number, state }) => [slot, number, state]),
      [
        [ONE, "bc-0101", "safe"],
        [TWO, "bc-0102", "safe"],
      ],
    );
    assert.ok(shown().every(({ readySince }) => readySince !== null));
  });

  it("that takes long to open keeps no other one waiting", async () => {
    await using open = await openSlots();
    const { slots } = open;
    const opens = Promise.withResolvers<void>();
    slots.profileComes = async (name) => (name === "slow" ? opens.promise : undefined);
    await slots.pair("bc-0101", { profile: "slow" });
    await slots.pair("bc-0102");
    for (const [slot, name, number] of [
      [ONE, "sdb1", "bc-0101"],
      [TWO, "sdc1", "bc-0102"],
    ] as const) {
      await writeFileOf(join(slots.media, name), named(0), number);
      await slots.plug(slot, name, number);
    }
    assert.ok(await slots.until(() => slots.state(TWO) === "safe"));
    assert.equal(slots.state(ONE), "busy");
    opens.resolve();
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
  });

  it("that is refused while it is worked on stays so, and nobody is said to have taken it out", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    const opens = Promise.withResolvers<void>();
    slots.profileComes = () => opens.promise;
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.board.read(ONE).why === "reading"));
    await slots.plug(TWO, "sdc1", "bc-0101");
    assert.equal(await refused(slots), "same-identity");
    opens.resolve();
    await slots.until(() => false, 5);
    assert.equal(slots.board.read(ONE).why, "same-identity");
    assert.ok(!rig.said.some((event) => event.startsWith("undocked")));
    assert.deepEqual(await keptHashes(rig), []);
  });

  it("whose profile cannot be read is called for, and read as soon as it can be", async () => {
    await using open = await openSlots();
    const { slots } = open;
    slots.profileComes = async () => {
      throw new BewaardError("CONFIG_MISSING", "no such profile");
    };
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.equal(await refused(slots), "profile-unread");
    slots.profileComes = async () => undefined;
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
  });

  it("that is not paired is never read", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    await writeFileOf(join(slots.media, "sdb1"), named(0), "vreemd");
    await slots.plug(ONE, "sdb1", "bc-0101", {
      number: null,
      mountedAt: null,
      refused: "unpaired",
    });
    assert.equal(await refused(slots), "unpaired");
    // Nor where the root helper takes it for one that core has retired since, or that looks another way.
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.equal(await refused(slots), "unpaired");
    await slots.pair("bc-0101", { volume: "another" });
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.equal(await refused(slots), "unpaired");
    assert.deepEqual(await keptHashes(rig), []);
  });

  it("that looks like another one is refused, and so is that other one, also while it is read", async () => {
    await using open = await openSlots();
    const { slots } = open;
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
    await slots.plug(TWO, "sdc1", "bc-0101");
    assert.equal(await refused(slots, TWO), "same-identity");
    assert.equal(await refused(slots, ONE), "same-identity");
    slots.pull(TWO);
    await slots.forget("sdc1");
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
  });

  it("is not read by a record of another start of the machine, of another device, or with two cards", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
    await slots.plug(ONE, "sdb1", "bc-0101", { bootId: "another" });
    assert.equal(await refused(slots), "record-differs");
    await slots.plug(TWO, "sdb1", "bc-0101", { serial: "SN-other" });
    await slots.plug(TWO, "sdc1", "bc-0101");
    assert.equal(await refused(slots, TWO), "record-differs");
    slots.pull(ONE);
    slots.pull(TWO);
    await slots.plug(ONE, "sdb1", "bc-0101");
    await slots.plug(ONE, "sdc1", "bc-0101");
    assert.equal(await refused(slots), "more-than-one-card");
    assert.deepEqual(await keptHashes(rig), []);
  });

  for (const how of ["the root helper says so", "it does not answer"] as const) {
    it(`whose card is gone while its cable stays in is no free slot, and is called for: ${how} (DH-07)`, async () => {
      await using open = await openSlots();
      const { rig, slots } = open;
      await slots.pair("bc-0101");
      await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
      await slots.plug(ONE, "sdb1", "bc-0101");
      assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
      let gone = false;
      if (how === "it does not answer") slots.isThere = () => !gone;
      else await slots.forget("sdb1");
      gone = true;
      const states = new Set<string>();
      const isCalledFor = (): boolean => {
        states.add(slots.state(ONE));
        return slots.state(ONE) === "failed";
      };
      assert.ok(await slots.until(isCalledFor));
      assert.deepEqual(
        [...states].filter((state) => state === "free"),
        [],
      );
      const { why, number } = slots.board.read(ONE);
      assert.deepEqual([why, number], ["card-gone", "bc-0101"]);
      await slots.until(() => false, 30);
      assert.equal(slots.state(ONE), "failed");
      gone = false;
      slots.pull(ONE);
      await slots.forget("sdb1");
      assert.ok(await slots.until(() => slots.state(ONE) === "free"));
      await slots.plug(ONE, "sdb1", "bc-0101");
      assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
      assert.equal(rig.said.filter((event) => event === "undocked").length, 1);
      assert.equal(rig.said.filter((event) => event === "docked").length, 2);
    });
  }

  it("with more files than a camera of its model makes has the oldest of them taken, is called for, and is never emptied (invariant 1)", async () => {
    await using rig = await openRig({ pool: inlinePool() });
    const limits = { files: 3, bytes: 1e9, depth: 12 };
    await using slots = await openFakeSlots(rig, undefined, { limits });
    const path = join(slots.media, "sdb1");
    await slots.pair("bc-0101");
    for (const [index, name] of ["f", "b", "e", "a", "d"].entries()) {
      await writeFileOf(path, `DCIM/${name}.MP4`, name);
      const at = (START - (10 - index) * MINUTE_MS) / 1000;
      await utimes(join(path, `DCIM/${name}.MP4`), at, at);
    }
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.equal(await refused(slots), "card-unread");
    assert.deepEqual(await keptHashes(rig), ["f", "b", "e"].map(sha256).toSorted());
    await slots.until(() => false, 120);
    assert.deepEqual([slots.state(ONE), slots.wipes.length], ["failed", 0]);
    assert.equal((await keptHashes(rig)).length, 3);
    const all = { device: CAMERA, from: instant(0), to: instant(9e12) };
    const left = await findLeft(rig.database, all);
    assert.deepEqual(
      left.map((one) => [Buffer.from(one.path).toString(), one.bytes]),
      [["DCIM/a.MP4", 1]],
    );
    const told = rig.lines.filter((line) => line.includes("file-left"));
    assert.match(told.join(""), /^[^\n]*more than 3 files[^\n]*\n$/);
    for (const name of ["f", "b"]) await rm(join(path, `DCIM/${name}.MP4`));
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
    assert.equal((await keptHashes(rig)).length, 5);
    assert.equal((await countLeft(rig.database)).files, 0);
  });

  for (const [when, kept] of [
    ["2015-01-01T00:10:00.000Z", 2],
    ["2026-05-30T10:00:00.000Z", 1],
  ] as const) {
    const what = kept === 2 ? "is read at each docking, and nothing is kept twice" : "is known";
    it(`that records over its oldest, a file of ${when} on it whose name, length and time are known ${what}`, async () => {
      await using rig = await openRig({ pool: inlinePool() });
      await using slots = await openFakeSlots(rig, undefined, { loops_within: 7 * DAY_MS });
      const path = join(slots.media, "sdb1");
      await slots.pair("bc-0101");
      for (const content of ["een", "zes", "zes"]) {
        await writeFileOf(path, "DCIM/FILE0001.MP4", content);
        await utimes(join(path, "DCIM/FILE0001.MP4"), new Date(when), new Date(when));
        await slots.plug(ONE, "sdb1", "bc-0101");
        assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
        assert.deepEqual(await readdir(rig.sealing.incoming), []);
        slots.pull(ONE);
        assert.ok(await slots.until(() => slots.state(ONE) === "free"));
      }
      const expected = ["een", "zes"].slice(0, kept).map(sha256);
      assert.deepEqual(await keptHashes(rig), expected.toSorted());
      const times = (event: string): number => rig.said.filter((one) => one === event).length;
      assert.deepEqual([times("sealed"), times("duplicate")], kept === 2 ? [3, 1] : [1, 0]);
    });
  }

  it("whose card takes long to look at is looked at a tenth of the time, but within ten minutes", async () => {
    await using rig = await openRig({ pool: inlinePool() });
    const board = openSlotBoard(rig.clock, () => undefined);
    board.tell(ONE, { kind: "seen", docking: "A" });
    const again = (listedMs: number, adopted = 1): Promise<number | "gone"> => {
      const counted = { files: 1, bytes: 1, filesDone: 1, bytesDone: 1, adopted };
      const look = { counted, files: [], others: 0, listedMs, left: undefined };
      const take = async (): Promise<Look> => ({ ...look, readAgain: () => undefined });
      const record = cardRecordOf({ name: "sdb1", media: rig.folder });
      const card = { record, number: CAMERA, folder: rig.folder, profile: "generic-dcim" };
      const more = { slot: ONE, docking: "A", progress: () => undefined, isCableBusy: () => true };
      const does = { take, setClock: SETS_NO_CLOCK, bytesPerHour: async () => null };
      const open = { ...card, ...more, ...does };
      return workCard(rig.events, NO_CORE, board, open, () => true, NEVER);
    };
    assert.equal(await again(11_000, 0), 11_000);
    assert.equal(await again(200), 10_000);
    assert.equal(await again(11_000), 110_000);
    assert.equal(await again(100_000), 600_000);
  });

  it("whose card is there again on the same cable is read again", async () => {
    await using open = await openSlots();
    const { slots } = open;
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
    await slots.forget("sdb1");
    assert.equal(await refused(slots), "card-gone");
    await slots.mount(ONE, "sdc1", "bc-0101");
    await writeFileOf(join(slots.media, "sdc1"), named(1), "twee");
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
  });

  it("of which nobody writes a record is called for after a minute", async () => {
    await using open = await openSlots();
    const { slots } = open;
    await slots.plug(ONE, "sdb1", "bc-0101");
    await slots.forget("sdb1");
    assert.equal(await slots.until(() => slots.state(ONE) === "failed", 50), false);
    assert.equal(slots.board.read(ONE).why, "recognising");
    assert.equal(await refused(slots), "no-record");
  });
});

describe("a card of which one file is not known to core", () => {
  // Two files of a broken FAT may share clusters: to remove the one that is kept would free the other's bytes.
  const limits = { files: 100, bytes: 1000, depth: 4 };
  const unread = {
    "cannot be read": { name: named(1), bytes: 4, remove: [] },
    "is larger than its profile allows": { name: named(1), bytes: 1001, remove: [named(1)] },
    "lies too deep": { name: "DEEP/1/2/3/4/5.MP4", bytes: 4, remove: ["DEEP"] },
  };
  for (const [what, { name, bytes, remove }] of Object.entries(unread)) {
    it(`is not wiped of anything while that ${what} (invariant 1)`, async () => {
      await using open = await openSlots({ limits });
      const { rig, slots } = open;
      const path = join(slots.media, "sdb1");
      const { pool } = rig.sealing;
      const whole = { ...pool };
      const fail: SealPool["seal"] = async (source, ...more) => {
        if (!source.toString().endsWith(name)) return whole.seal(source, ...more);
        throw new BewaardError("CARD_READ", "a bad sector", { transient: true });
      };
      Object.assign(pool, { seal: fail });
      await slots.pair("bc-0101");
      await writeFileOf(path, named(0), "een");
      await writeFileOf(path, name, Buffer.alloc(bytes, "x"));
      await slots.plug(ONE, "sdb1", "bc-0101");
      assert.ok(await slots.until(() => slots.state(ONE) === "failed"));
      assert.ok(!(await slots.until(() => slots.wipes.length > 0, 120)));
      assert.deepEqual(await keptHashes(rig), [sha256("een")]);
      Object.assign(pool, whole);
      for (const one of remove) await rm(join(path, one), { recursive: true });
      assert.ok(await slots.until(() => slots.wipes.length > 0));
      const files = 2 - remove.length;
      assert.deepEqual([slots.state(ONE), slots.wipes[0]?.files.length], ["safe", files]);
    });
  }
});

describe("what an hour of recording takes", () => {
  it("is reckoned from recordings whose names and last changes tell how long they lasted", async () => {
    const { profile } = dockOf(CAMERA, "");
    const file = (minutes: number, lasted: number, bytes: number, name = named(minutes)) => ({
      path: Buffer.from(name),
      bytes,
      modifiedAt: plus(START, (minutes + lasted) * MINUTE_MS),
    });
    const day = plus(START, DAY_MS);
    const two = [file(0, 10, 600e6), file(20, 20, 1200e6)];
    assert.equal(await bytesPerHour(day, profile, two), 3.6e9);
    // What lasted no time, or longer than any recording, or is none, says nothing.
    const odd = [file(60, 0, 9e9), file(70, 24 * 60, 9e9), file(80, 10, 9e9, "LOG/x.txt")];
    assert.equal(await bytesPerHour(day, profile, [...two, ...odd]), 3.6e9);
    assert.equal(await bytesPerHour(day, profile, odd), null);
  });
});

describe("a large recording", () => {
  it("shows how far it is while it is read, and never more than there is", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    const half = 3 * 1024 * 1024;
    const bytes = 2 * half;
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), named(0), Buffer.alloc(bytes));
    const held = Promise.withResolvers<void>();
    const { pool } = rig.sealing;
    let read = 0;
    Object.assign(pool, {
      bytesRead: () => read,
      seal: holdUp(held.promise, { ...pool }),
    });
    await slots.plug(ONE, "sdb1", "bc-0101");
    read = half;
    assert.ok(await slots.until(() => slots.board.read(ONE).bytesDone === half));
    read = 2 * bytes;
    assert.ok(await slots.until(() => slots.board.read(ONE).bytesDone === bytes));
    assert.equal(slots.state(ONE), "busy");
    held.resolve();
    assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
  });
});

describe("a safe card", () => {
  it("is not read a second time while another one on its root port is read a first time", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    const held = Promise.withResolvers<void>();
    const { pool } = rig.sealing;
    const seal = pool.seal.bind(pool);
    const holdTwo: SealPool["seal"] = async (source, ...rest) => {
      if (Buffer.from(source).includes("sdc1")) await held.promise;
      return seal(source, ...rest);
    };
    Object.assign(pool, { seal: holdTwo });
    for (const number of ["bc-0101", "bc-0102"]) await slots.pair(number);
    for (const [name, content] of Object.entries({ sdb1: "een", sdc1: "twee" }))
      await writeFileOf(join(slots.media, name), named(0), content);
    await slots.plug(TWO, "sdc1", "bc-0102");
    assert.ok(await slots.until(() => slots.board.read(TWO).why === "reading"));
    await slots.plug(ONE, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.board.read(ONE).why === "waits-for-cable"));
    assert.equal(slots.state(ONE), "safe");
    assert.ok(!(await slots.until(() => slots.wipes.length > 0, 60)));
    held.resolve();
    assert.ok(await slots.until(() => slots.board.read(ONE).why === "waits-for-vault"));
    assert.ok(slots.wipes.some(({ record }) => record.number === "bc-0101"));
  });
});

describe("what a crash left half done of a card", () => {
  // Also of a file without a date: what is written down of it is the first one that has a text form.
  for (const changed of ["when it was recorded", "1970-01-01T00:00:00.000Z"])
    it(`that is in a slot when the dock starts is removed, and taken again: last changed ${changed} (invariant 8)`, async () => {
      await using open = await openSlots();
      const { rig, slots } = open;
      const content = "een opname die maar half verzegeld werd";
      await slots.pair("bc-0101");
      const folder = join(slots.media, "sdb1");
      await writeFileOf(folder, named(0), content);
      const since = Date.parse(changed);
      if (!Number.isNaN(since)) await utimes(join(folder, named(0)), since, since);
      await slots.plug(ONE, "sdb1", "bc-0101");
      const [file] = (await listCard(folder))?.files ?? [];
      const [day] = rig.sealing.book;
      await leaveCutOff(rig.sealing.incoming, {
        node: rig.sealing.node,
        recipient: day?.recipient ?? "",
        content: Buffer.from(content.slice(0, 9)),
        startedAt: START,
        path: named(0),
        modifiedAt: file?.modifiedAt ?? START,
        sourceBytes: content.length,
      });
      await settleLeftovers(rig.events, rig.sealing.incoming, await slots.mounted());
      assert.deepEqual(await readdir(rig.sealing.incoming), []);
      assert.ok(await slots.until(() => slots.state(ONE) === "safe"));
      assert.deepEqual(await keptHashes(rig), [sha256(content)]);
    });
});
