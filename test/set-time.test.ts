import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { HOUR_MS, isoOf, MINUTE_MS, plus } from "#base/time";
import { verifierText } from "../storage/ledger/note.ts";
import { dockedRig } from "./fakes/helper-rig.ts";
import { named, openRig, type Rig, START } from "./fakes/rig.ts";
import { clocksSet, openSetting, TIME_FILE } from "./fakes/setting.ts";
import { openWiping, RECORD, stored } from "./fakes/wiping.ts";

const OPEN = { state: "open", why: null };

/** A rig whose catalog knows its camera. */
async function openCamera(): Promise<Rig> {
  const rig = await openRig();
  await stored(rig, "one", named(0));
  return rig;
}

describe("core that is asked to set a camera's clock", () => {
  it("signs one order for a docking, of its profile's file, and says in the ledger what came of it (invariant 5)", async () => {
    await using rig = await openCamera();
    const setting = await openSetting(rig);
    assert.deepEqual(await setting.ask(), OPEN);
    assert.deepEqual(await setting.ask(), OPEN);
    const [order, ...more] = await setting.orders();
    assert.deepEqual(more, []);
    const { path = "", template, zone, slot, device, volume, bootId } = order ?? {};
    assert.equal(Buffer.from(path, "base64").toString(), "TIME.TXT");
    assert.equal(template, TIME_FILE.template.replace("\n", "\r\n"));
    assert.deepEqual(
      [zone, slot, device, volume, bootId],
      ["Europe/Amsterdam", RECORD.slot, RECORD.device, RECORD.volume.serial, RECORD.bootId],
    );
    await setting.report();
    await setting.settle();
    assert.deepEqual(await setting.ask(), { state: "done", why: null });
    assert.deepEqual(await setting.orders(), []);
    const { docking } = setting.question;
    assert.deepEqual(await clocksSet(rig), [
      { order: order?.nonce, docking, offsetMs: -4000, outcome: "done", why: null },
    ]);
    assert.deepEqual(
      rig.said.filter((event) => event.startsWith("clock-")),
      ["clock-ordered", "clock-set"],
    );
    assert.deepEqual(await rig.check(), []);
  });

  it("sets it again at the next docking, and not when the dock calls the same stay by another name", async () => {
    await using rig = await openCamera();
    const setting = await openSetting(rig);
    await setting.ask();
    await setting.report();
    await setting.settle();
    const docking = ulid(plus(START, 1));
    assert.equal((await setting.ask({ docking })).state, "done");
    const at = isoOf(plus(START, HOUR_MS));
    assert.equal((await setting.ask({ docking, record: { ...RECORD, at } })).state, "open");
  });

  it("sets it again in the same stay as often as its profile says, with an entry each, also after one that failed", async () => {
    await using rig = await openCamera();
    const setting = await openSetting(rig, { file: { ...TIME_FILE, again: HOUR_MS } });
    for (const outcome of ["done", "done", "failed", "failed", "done"] as const) {
      assert.deepEqual(await setting.ask({ offsetMs: null }), OPEN);
      assert.equal((await setting.orders()).length, 1);
      await setting.report({ outcome, why: outcome === "done" ? null : "no-folder" });
      await setting.settle();
      const waitMs = outcome === "done" ? HOUR_MS : 2 * MINUTE_MS;
      rig.clock.move(outcome === "done" ? waitMs - 10_000 : 10_000);
      assert.equal((await setting.ask()).state, outcome);
      rig.clock.move(waitMs);
    }
    assert.deepEqual(
      (await clocksSet(rig)).map((entry) => entry.outcome),
      ["done", "done", "failed", "failed", "done"],
    );
    assert.equal(new Set((await clocksSet(rig)).map((entry) => entry.order)).size, 5);
  });

  it("tries again after one that failed: a minute later, then two, and each is told", async () => {
    await using rig = await openCamera();
    const setting = await openSetting(rig);
    for (const minutes of [1, 2, 4]) {
      assert.deepEqual(await setting.ask(), OPEN);
      await setting.report({ outcome: "failed", why: "no-folder" });
      await setting.settle();
      assert.deepEqual(await setting.ask(), { state: "failed", why: "no-folder" });
      rig.clock.move(minutes * MINUTE_MS - 10_000);
      assert.equal((await setting.ask()).state, "failed");
      rig.clock.move(10_000);
    }
    assert.deepEqual(
      (await clocksSet(rig)).map(({ outcome, why }) => [outcome, why]),
      Array.from({ length: 3 }, () => ["failed", "no-folder"]),
    );
    assert.equal(rig.said.filter((event) => event === "clock-not-set").length, 3);
  });

  it("settles at once what it does not sign itself, says which field it is, and tries again later", async () => {
    await using rig = await openCamera();
    const setting = await openSetting(rig, { file: { ...TIME_FILE, template: "\n".repeat(4096) } });
    assert.deepEqual(await setting.ask(), { state: "failed", why: "unsigned" });
    assert.deepEqual(await setting.orders(), []);
    assert.deepEqual(await setting.ask(), { state: "failed", why: "unsigned" });
    assert.match(rig.lines.at(-1) ?? "", /"clock-not-set".*"unsigned: template"/);
    rig.clock.move(MINUTE_MS);
    assert.deepEqual(await setting.ask(), { state: "failed", why: "unsigned" });
    assert.deepEqual(
      (await clocksSet(rig)).map(({ outcome, why }) => [outcome, why]),
      [
        ["refused", "unsigned"],
        ["refused", "unsigned"],
      ],
    );
    assert.deepEqual(await rig.check(), []);
  });

  it("orders nothing while its own time is not trusted, and says so (invariant 10)", async () => {
    await using rig = await openCamera();
    let isTrusted = false;
    const setting = await openSetting(rig, { trusted: async () => isTrusted });
    assert.deepEqual(await setting.ask(), { state: "later", why: "clock" });
    assert.deepEqual(await setting.ask(), { state: "later", why: "clock" });
    assert.deepEqual(await setting.orders(), []);
    assert.equal(rig.said.filter((event) => event === "clock-not-set-now").length, 1);
    isTrusted = true;
    assert.deepEqual(await setting.ask(), OPEN);
  });

  it("orders nothing without a file in the profile, and none for a card that nobody can write to", async () => {
    await using rig = await openCamera();
    const without = await openSetting(rig, { file: null });
    assert.deepEqual(await without.ask(), { state: "none", why: null });
    const setting = await openSetting(rig);
    const { record } = setting.question;
    for (const [change, why] of [
      [{ readOnly: true }, "write-protected"],
      [{ mountedAt: null }, "not-docked"],
      [{ bootId: "another" }, "not-docked"],
      [{ volume: { kind: "mtp", serial: null } }, "not-a-disk"],
    ] as const)
      assert.deepEqual(await setting.ask({ record: { ...record, ...change } }), {
        state: "later",
        why,
      });
    await assert.rejects(setting.ask({ record: { ...record, number: "bc-0999" } }), {
      code: "CONTROL_REFUSED",
    });
    assert.deepEqual(await setting.orders(), []);
  });

  it("has one order at a time for a card: none of a clock beside a wipe, none to wipe beside it", async () => {
    await using rig = await openCamera();
    const [setting, wiping] = [await openSetting(rig), await openWiping(rig)];
    await setting.ask();
    const waits = await wiping.ask();
    assert.deepEqual([waits.nonce, waits.waiting, waits.why], [null, 1, null]);
    await setting.report();
    await setting.settle();
    const { nonce } = await wiping.ask();
    assert.notEqual(nonce, null);
    const at = isoOf(plus(START, HOUR_MS));
    const next = { docking: ulid(plus(START, 1)), record: { ...RECORD, at } };
    assert.deepEqual(await setting.ask(next), { state: "later", why: "other-order" });
    await wiping.help();
    await wiping.settle();
    assert.deepEqual(await setting.ask(next), OPEN);
  });

  it("gives up an order of which it hears nothing, and wipes again", async () => {
    await using rig = await openCamera();
    const [setting, wiping] = [await openSetting(rig), await openWiping(rig)];
    await setting.ask();
    rig.clock.move(3 * MINUTE_MS);
    await setting.settle();
    assert.equal((await setting.ask()).state, "open", "a helper may have begun in time");
    rig.clock.move(2 * MINUTE_MS);
    await setting.settle();
    assert.deepEqual(await setting.ask(), { state: "failed", why: "unreported" });
    assert.deepEqual(await setting.orders(), []);
    assert.equal((await clocksSet(rig)).at(-1)?.outcome, "unreported");
    assert.notEqual((await wiping.ask()).nonce, null);
  });

  it("believes no report that others could have written, or of another verb", async () => {
    await using rig = await openCamera();
    const setting = await openSetting(rig);
    await setting.ask();
    await setting.report({ verb: "wipe" });
    await setting.settle();
    assert.equal((await setting.ask()).state, "open");
    assert.ok(rig.said.includes("report-refused"));
    assert.deepEqual(await clocksSet(rig), []);
  });
});

/** What core and the root helper write to a card at `at`, and what is said of it. */
async function setAt(at: string, zone: string) {
  await using rig = await openCamera();
  await using helper = await dockedRig();
  const { places, card } = helper;
  await writeFile(places.verifier, `${verifierText(rig.key)}\n`);
  rig.clock.jump(Date.parse(at) - rig.clock.now());
  helper.clock.at = at;
  const folders = { orders: join(places.state, "orders"), reports: places.reports };
  const setting = await openSetting(rig, { folders, file: { ...TIME_FILE, zone } });
  const record = { ...setting.question.record, device: helper.device, mountedAt: card };
  await setting.ask({ record });
  const [order] = await setting.orders();
  const report = await helper.carryOut(order?.nonce ?? "");
  await setting.settle();
  const text = await readFile(join(card, "TIME.TXT"), "utf8");
  const answer = await setting.ask({ record });
  return { text, report, answer, entries: await clocksSet(rig), said: rig.said, helper };
}

describe("core and the root helper, one clock", () => {
  for (const [at, zone, text] of [
    ["2026-07-01T10:00:05.000Z", "Europe/Amsterdam", "2026-07-01 12:00:05\r\n"],
    ["2026-12-01T10:00:05.000Z", "Europe/Amsterdam", "2026-12-01 11:00:05\r\n"],
    ["2026-10-25T00:59:59.000Z", "Europe/Amsterdam", "2026-10-25 02:59:59\r\n"],
    ["2026-10-25T01:00:00.000Z", "Europe/Amsterdam", "2026-10-25 02:00:00\r\n"],
    ["2027-03-28T01:00:00.000Z", "Europe/Amsterdam", "2027-03-28 03:00:00\r\n"],
    ["2026-12-31T23:30:00.000Z", "Europe/Amsterdam", "2027-01-01 00:30:00\r\n"],
    ["2026-07-01T10:00:05.000Z", "UTC", "2026-07-01 10:00:05\r\n"],
  ] as const) {
    it(`write ${text.trim()} in ${zone} at ${at}, once, and say so`, async () => {
      const { text: written, report, answer, entries, said, helper } = await setAt(at, zone);
      assert.equal(written, text);
      assert.deepEqual([report?.verb, report?.outcome, report?.why], ["set-time", "done", null]);
      assert.deepEqual(helper.mounts.asked, ["open", "rw", "settle", "ro"]);
      assert.deepEqual(answer, { state: "done", why: null });
      assert.deepEqual(
        entries.map(({ outcome }) => outcome),
        ["done"],
      );
      assert.ok(said.includes("clock-set"));
    });
  }
});
