import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { isoOf, SECOND_MS } from "#base/time";
import { signPairedList } from "../daemon/orders/paired-list.ts";
import { listCard } from "../drivers/bodycam/card.ts";
import { verifierText } from "../storage/ledger/note.ts";
import { foldersInMemory } from "./fakes/fast-folders.ts";
import { dockedRig, type HelperRig } from "./fakes/helper-rig.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { CAMERA, named, openRig, type Rig } from "./fakes/rig.ts";
import { clocksSet, openSetting } from "./fakes/setting.ts";
import { openWiping, RECORD, recorded, wiped } from "./fakes/wiping.ts";
import { type YankedHelper, yankedHelper } from "./fakes/yanked-helper.ts";

const YANKS = 200;
const STRANGER = "ODD.BIN";

const yank = fc.record({
  /** Of all the calls that reach the card. A double would nearly always be next to nothing. */
  part: fc.integer({ min: 0, max: 1100 }).map((thousandths) => thousandths / 1000),
  /** What was not synced had not come to the card. */
  lost: fc.boolean(),
});

/** A box and a root helper that know each other, and a card that can be pulled out. */
async function openBoth() {
  const rig = await openRig({ pool: inlinePool() });
  const helper = await dockedRig();
  await writeFile(helper.places.verifier, `${verifierText(rig.key)}\n`);
  const looks = { vendor: "0b6a", product: "1234", serial: "AXON-1", volume: "1A2B-3C4D" };
  const cameras = [{ number: CAMERA, ...looks }];
  const at = isoOf(rig.clock.now());
  const note = signPairedList(rig.key, { bewaard: "paired/1", node: "dock-1", at, cameras });
  await writeFile(join(helper.places.state, "paired.note"), note, { mode: 0o600 });
  const folders = { orders: join(helper.places.state, "orders"), reports: helper.places.reports };
  const record = { ...RECORD, device: helper.device, mountedAt: helper.card };
  const card = yankedHelper(helper);
  return {
    rig,
    helper,
    card,
    folders,
    record,
    /** Another docking. */
    pass() {
      rig.clock.move(SECOND_MS);
      helper.clock.at = isoOf(rig.clock.now());
      return ulid(rig.clock.now());
    },
    async [Symbol.asyncDispose]() {
      card[Symbol.dispose]();
      await helper[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** So many calls reach the card where nobody pulls it out. */
async function allCalls(card: YankedHelper, work: () => Promise<void>): Promise<number> {
  card.yankAfter(Number.POSITIVE_INFINITY, false);
  await work();
  const { calls } = card;
  await card.plugIn();
  return calls;
}

async function onCard({ card }: HelperRig): Promise<readonly string[]> {
  return ((await listCard(card))?.files ?? []).map(({ path }) => path.toString()).toSorted();
}

async function files(rig: Rig, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => named(index * 2 - 3 * count));
  for (const name of names) await recorded(rig, `footage ${name}`, name);
  await rig.adoptOnce();
  await rig.storeOnce();
  return names;
}

describe("a camera that is pulled out while its card is written to", function () {
  this.timeout(240_000);

  it(`in a wipe, ${YANKS} times: nothing else goes, nothing is said to be gone that is there, and the next docking ends it (invariants 1, 5, 8; DH-07)`, async () => {
    using _fast = foldersInMemory();
    await using both = await openBoth();
    const { rig, helper, card, folders, record } = both;
    const wiping = await openWiping(rig, { folders });
    const names = await files(rig, 2 * (YANKS + 1));
    const listed = (await listCard(join(rig.folder, "card")))?.files ?? [];
    await helper.put(STRANGER, "stays");
    const asked = async (round: readonly string[]) => {
      const there = await onCard(helper);
      return listed
        .map(({ path, bytes, modifiedAt }) => ({ path, bytes, modifiedAtMs: modifiedAt }))
        .filter(({ path }) => [round, there].every((all) => all.includes(path.toString())))
        .map((file) => ({ ...file, path: file.path.toString("base64") }));
    };
    const wipe = async (wanted: Awaited<ReturnType<typeof asked>>) => {
      const { nonce } = await wiping.ask({
        docking: both.pass(),
        record,
        others: 1,
        files: wanted,
      });
      if (nonce !== null) await helper.carryOut(nonce);
      await wiping.settle();
    };
    const put = async (round: readonly string[]) => {
      for (const name of round) await helper.put(name, `footage ${name}`);
    };
    const roundOf = (index: number) => names.slice(2 * index, 2 * index + 2);
    await put(roundOf(YANKS));
    const first = await asked(roundOf(YANKS));
    const most = await allCalls(card, () => wipe(first));
    assert.deepEqual(await onCard(helper), [STRANGER]);
    const places = new Set<number>();
    let early = 0;
    for (const [index, { part, lost }] of fc.sample(yank, { numRuns: YANKS, seed: 6 }).entries()) {
      const round = roundOf(index);
      await put(round);
      const whole = await asked(round);
      places.add(Math.floor(most * part));
      card.yankAfter(Math.floor(most * part), lost);
      await wipe(whole);
      if (card.isGone) early += 1;
      const told = (await wiped(rig)).at(-1);
      await card.plugIn();
      const there = await onCard(helper);
      for (const name of there.filter((one) => one !== STRANGER))
        assert.equal(await readFile(join(helper.card, name), "utf8"), `footage ${name}`);
      assert.ok((told?.removed.length ?? 0) <= 2 + 1 - there.length, `yank ${index}`);
      await wipe(await asked(round));
      assert.deepEqual(await onCard(helper), [STRANGER], `yank ${index}`);
      await card.plugIn();
    }
    assert.ok(early > YANKS / 2, `${early} came while it was written to`);
    assert.ok(places.size > most * 0.8, `at ${places.size} of ${most} calls`);
    assert.equal(await readFile(join(helper.card, STRANGER), "utf8"), "stays");
    assert.deepEqual(await readdir(folders.orders), []);
    const told = await wiped(rig);
    assert.equal(new Set(told.map(({ order }) => order)).size, told.length);
    assert.deepEqual(await rig.check("rows"), []);
  });

  it(`while its clock is set, ${YANKS} times: the file is whole or as it was, and the next docking sets it (invariants 5, 8; DH-07)`, async () => {
    using _fast = foldersInMemory();
    await using both = await openBoth();
    const { rig, helper, card, folders, record } = both;
    const setting = await openSetting(rig, { folders });
    const footage = named(0);
    await helper.put(footage, "footage");
    const set = async () => {
      const docking = both.pass();
      const at = isoOf(rig.clock.now());
      await setting.ask({ docking, record: { ...record, at } });
      const [order] = await setting.orders();
      const report = await helper.carryOut(order?.nonce ?? "");
      await setting.settle();
      return report;
    };
    const text = async () => readFile(join(helper.card, "TIME.TXT"), "utf8").catch(() => undefined);
    const most = await allCalls(card, async () => void (await set()));
    const places = new Set<number>();
    let early = 0;
    for (const [index, { part, lost }] of fc.sample(yank, { numRuns: YANKS, seed: 7 }).entries()) {
      const was = index % 2 === 0 ? "before" : undefined;
      await rm(join(helper.card, "TIME.TXT"), { force: true });
      if (was !== undefined) await helper.put("TIME.TXT", was);
      places.add(Math.floor(most * part));
      card.yankAfter(Math.floor(most * part), lost);
      const report = await set();
      if (card.isGone) early += 1;
      await card.plugIn();
      const is = await text();
      assert.ok(is === was || isTime(is), `yank ${index}: ${is}`);
      if (report?.outcome === "done") assert.ok(isTime(is), `yank ${index} was called done`);
      assert.equal(await readFile(join(helper.card, footage), "utf8"), "footage");
      assert.equal((await set())?.outcome, "done", `docking ${index}`);
      assert.ok(isTime(await text()), `docking ${index}`);
      await card.plugIn();
    }
    assert.ok(early > YANKS / 2, `${early} came while it was written to`);
    assert.ok(places.size > most * 0.8, `at ${places.size} of ${most} calls`);
    const left = (await onCard(helper)).filter((name) => !/^[0-9a-f]{32}\.tmp$/.test(name));
    assert.deepEqual(left, [footage, "TIME.TXT"].toSorted());
    assert.deepEqual(await readdir(folders.orders), []);
    const told = await clocksSet(rig);
    assert.equal(new Set(told.map(({ order }) => order)).size, told.length);
    assert.ok(told.filter(({ outcome }) => outcome === "done").length >= YANKS);
    assert.deepEqual(await rig.check("rows"), []);
  });
});

function isTime(text: string | undefined): boolean {
  return /^2026-06-\d\d \d\d:\d\d:\d\d\r\n$/.test(text ?? "");
}
