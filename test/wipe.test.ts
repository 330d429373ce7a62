import assert from "node:assert/strict";
import { chmod, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { METHODS } from "../daemon/control/protocol.ts";
import { boundsFor } from "../daemon/ordering/order-desk.ts";
import { reportPath } from "../daemon/orders/report.ts";
import { confirmTime } from "../daemon/trust.ts";
import { whyNotNow } from "../daemon/wipe/why-not-now.ts";
import { listCard } from "../drivers/bodycam/card.ts";
import { hashedPath } from "../storage/catalog/card-path.ts";
import { writeFact } from "../storage/catalog/facts.ts";
import { knownFiles } from "../storage/catalog/find.ts";
import { rememberWipe } from "../storage/catalog/order-wipe.ts";
import { rebuiltText } from "../storage/catalog/rebuilt.ts";
import { recordSeen } from "../storage/catalog/seen.ts";
import { hold, rowsOf } from "./fakes/medium.ts";
import { CAMERA, named, openRig, type Rig } from "./fakes/rig.ts";
import { openWiping, RECORD, recorded, spoil, stored, type Wiping, wiped } from "./fakes/wiping.ts";

async function emptiedAt(rig: Rig): Promise<unknown> {
  const [row] = await rowsOf(rig, `select emptied_at_ms from device where id = '${CAMERA}'`);
  return row?.["emptied_at_ms"];
}

/** What is answered where nothing is on the card, and nothing in the way. */
const NOTHING = { nonce: null, waiting: 0, forbidden: 0, again: [], why: null };

/** Asks, has it carried out as root would, and takes in what came of it; the order's nonce. */
async function wipe(wiping: Wiping, ask?: Parameters<Wiping["ask"]>[0]): Promise<string> {
  const { nonce } = await wiping.ask(ask);
  assert.ok(nonce !== null);
  await wiping.help();
  await wiping.settle();
  return nonce;
}

describe("wiping a card", () => {
  it("removes what the vault has, and says in the ledger what was removed and that the card is empty (invariant 1, DH-06)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const ids = [await stored(rig, "one", named(0)), await stored(rig, "two", named(1))];
    const { nonce, ...rest } = await wiping.ask();
    assert.deepEqual({ nonce: null, ...rest }, NOTHING);
    const [order] = await wiping.orders();
    assert.deepEqual(
      [order?.slot, order?.volume, order?.how, order?.files.length],
      [RECORD.slot, "1A2B-3C4D", "unlink", 2],
    );
    assert.equal((await wiping.report(nonce)).outcome, "open");
    await wiping.help();
    await wiping.settle();
    assert.deepEqual(await wiping.card(), []);
    assert.deepEqual(await wiping.report(nonce), {
      outcome: "done",
      why: null,
      removed: 2,
      kept: [],
      left: 0,
    });
    const [entry] = await wiped(rig);
    assert.deepEqual(
      [entry?.removed, entry?.kept, entry?.untold, entry?.order],
      [ids, [], [], nonce],
    );
    assert.ok(Number(await emptiedAt(rig)) > 0);
    assert.ok(rig.said.includes("wiped"));
    assert.deepEqual(await rig.check(), []);
  });

  it("orders no more at once than an order may hold, by files and by the length of their paths, and the rest next", async () => {
    await using rig = await openRig();
    for (const minute of [0, 1, 2]) await stored(rig, `content ${minute}`, named(minute));
    const wiping = await openWiping(rig);
    const listed = (await listCard(join(rig.folder, "card")))?.files ?? [];
    const asked = { device: parseDeviceId(CAMERA), how: "unlink", after: "vault" } as const;
    const paths = 2 * named(0).length;
    for (const [limit, pathBytes, files] of [
      [10, paths, 2],
      [10, paths - 1, 1],
      [2, 1000, 2],
      [1, paths, 1],
    ] as const) {
      const docking = ulid(rig.clock.now());
      const card = { ...asked, docking, files: listed, others: 0, beyond: 0 };
      const bounds = { ...boundsFor(rig.clock, MINUTE_MS), limit, pathBytes };
      const answer = await rememberWipe(rig.database, card, bounds);
      assert.deepEqual([answer.files.length, answer.waiting], [files, 3 - files]);
      // It never got there, and serves no more.
      rig.clock.move(HOUR_MS);
    }
    await wipe(wiping);
    assert.deepEqual(await wiping.card(), []);
  });

  it("orders nothing of what is sealed and in no second place yet (invariant 1)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await recorded(rig, "one", named(0));
    assert.deepEqual(await wiping.ask(), { ...NOTHING, waiting: 1 });
    await rig.adoptOnce();
    assert.deepEqual(await wiping.ask(), { ...NOTHING, waiting: 1 });
    await rig.storeOnce();
    assert.notEqual((await wiping.ask()).nonce, null);
  });

  it("orders nothing of a file with another path, length or time of change than was sealed (invariant 1)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const { clock } = rig;
    const file = {
      path: Buffer.from(named(0)).toString("base64"),
      bytes: 3,
      modifiedAtMs: clock.now(),
    };
    const others = [
      { ...file, path: Buffer.from(named(9)).toString("base64") },
      { ...file, bytes: 4 },
      { ...file, modifiedAtMs: clock.now() - 60_000 },
    ];
    for (const other of others) {
      const { nonce, waiting } = await wiping.ask({ files: [other] });
      assert.deepEqual([nonce, waiting], [null, 1]);
    }
  });

  it("settles at once an order that core does not sign itself, says which field it is, and tries again later (invariant 8)", async () => {
    await using rig = await openRig();
    const [id] = [await stored(rig, "one", named(0))];
    const wiping = await openWiping(rig, { bootId: () => "\u0007" });
    const record = { ...RECORD, bootId: "\u0007" };
    const { nonce } = await wiping.ask({ record });
    const { outcome, why } = await wiping.report(nonce);
    assert.deepEqual([outcome, why], ["refused", "unsigned"]);
    assert.match(rig.lines.at(-1) ?? "", /"wipe-failed".*"unsigned: bootId"/);
    const [entry] = await wiped(rig);
    assert.deepEqual([entry?.outcome, entry?.untold], ["refused", [id]]);
    assert.equal((await wiping.ask({ record })).nonce, null);
    rig.clock.move(MINUTE_MS);
    assert.notEqual((await wiping.ask({ record })).nonce, null);
    assert.deepEqual([await wiping.orders(), await rig.check()], [[], []]);
  });

  it("asked again for the same docking, gives the same order (invariant 8)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const { nonce } = await wiping.ask();
    assert.equal((await wiping.ask()).nonce, nonce);
    assert.equal((await wiping.orders()).length, 1);
  });

  it("gives no other docking an order while one for the same camera could still be used, and then does", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    await wiping.ask();
    const docking = ulid(rig.clock.now());
    assert.deepEqual(await wiping.ask({ docking }), { ...NOTHING, waiting: 1 });
    rig.clock.move(11 * MINUTE_MS);
    assert.notEqual((await wiping.ask({ docking })).nonce, null);
  });

  it("keeps both and reads the file again when its second read differs, and leaves it to people after three (invariant 1)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const modified = rig.clock.now();
    const id = await stored(rig, "one", named(0));
    const known = async () => {
      const path = Buffer.from(named(0));
      return (
        await knownFiles(rig.database, CAMERA, [{ path, bytes: 3, modifiedAt: modified }])
      )[0];
    };
    for (const time of [1, 2, 3]) {
      await spoil(rig, named(0));
      const nonce = await wipe(wiping);
      assert.deepEqual(
        (await wiping.report(nonce)).kept.map(({ why }) => why),
        ["changed"],
      );
      assert.deepEqual(await wiping.card(), [named(0)]);
      assert.equal(await known(), false);
      // It is to be read again first, or somebody is to look.
      const { nonce: none, waiting, forbidden, again } = await wiping.ask();
      const name = Buffer.from(named(0)).toString("base64");
      assert.deepEqual(again, time === 3 ? [] : [name]);
      assert.deepEqual([none, waiting, forbidden], [null, time === 3 ? 0 : 1, time === 3 ? 1 : 0]);
      rig.clock.jump(modified - rig.clock.now());
      // It is taken again, and the first bytes come back: the doubt stays.
      await stored(rig, "one", named(0));
      assert.equal(await known(), true);
    }
    assert.equal(rig.said.filter((event) => event === "wipe-changed").length, 3);
    assert.equal(rig.said.filter((event) => event === "wipe-stuck").length, 1);
    assert.deepEqual(await wiping.ask(), { ...NOTHING, forbidden: 1 });
    assert.equal(await emptiedAt(rig), null);
    const [first] = await wiped(rig);
    assert.deepEqual(first?.kept, [{ segment: id, why: "changed" }]);
    assert.deepEqual(await rig.check(), []);
  });

  it("goes by the newest of two reads of one file, once the vault has it (invariant 1)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const modified = rig.clock.now();
    await stored(rig, "one", named(0));
    rig.clock.jump(modified - rig.clock.now());
    await recorded(rig, "two", named(0));
    await rig.adoptOnce();
    assert.ok(rig.said.includes("read-twice"));
    assert.equal((await wiping.ask()).nonce, null);
    await rig.storeOnce();
    await wipe(wiping);
    assert.deepEqual(await wiping.card(), []);
  });

  it("wipes held footage from the card: what is held are the copies in second places (invariant 4)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const id = await stored(rig, "one", named(0));
    await hold(rig, id);
    await wipe(wiping);
    const [row] = await rowsOf(rig, `select state from segment where id = '${id}'`);
    assert.equal(row?.["state"], "stored");
    assert.deepEqual(await rig.check(), []);
  });

  it("removes what was destroyed because its term ended (DH-06)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const id = await stored(rig, "one", named(0));
    await rowsOf(rig, `update copy set state = 'leaving' where segment_id = '${id}'`);
    await rowsOf(rig, `update copy set state = 'gone' where segment_id = '${id}'`);
    for (const state of ["destroying", "destroyed"])
      await rowsOf(rig, `update segment set state = '${state}' where id = '${id}'`);
    // Overwritten before its term: the card has the last of it.
    assert.deepEqual(await wiping.ask(), { ...NOTHING, forbidden: 1 });
    rig.clock.move(28 * DAY_MS);
    assert.equal((await wiping.ask()).nonce, null);
    // Once somebody has vouched for the time.
    await rowsOf(rig, "update segment set due_provisional = 0");
    await wipe(wiping);
    assert.deepEqual(await wiping.card(), []);
  });

  it("leaves what could not be taken, and what was quarantined", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await recorded(rig, "one", named(0));
    await rowsOf(
      rig,
      `insert into left_file (id, device_id, path, bytes, modified_at_ms, code, left_at_ms, decide_by_ms, entry_seq)
       values ('01J00000000000000000000001', '${CAMERA}', cast('${named(0)}' as blob), 3, ${rig.clock.now()}, 'CARD_READ', 1, 2, 0)`,
    );
    assert.deepEqual(await wiping.ask(), { ...NOTHING, forbidden: 1 });
    await recorded(rig, "quarantined", named(1));
    assert.deepEqual(await wiping.ask(), { ...NOTHING, waiting: 1, forbidden: 1 });
  });

  it("leaves what another box took, by the desk's list: that one wipes by its own rows (invariant 1)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await recorded(rig, "one", named(0));
    const path = hashedPath(CAMERA, Buffer.from(named(0)));
    const file = { device: CAMERA, path, bytes: 3, modifiedAt: rig.clock.now(), node: "dock-2" };
    const dueAt = plus(rig.clock.now(), DAY_MS);
    await recordSeen(rig.database, "2026-06-01", [{ ...file, sha256: "0".repeat(64), dueAt }]);
    assert.deepEqual(await wiping.ask(), { ...NOTHING, forbidden: 1 });
    rig.clock.move(2 * DAY_MS);
    assert.deepEqual(await wiping.ask(), { ...NOTHING, waiting: 1 });
  });

  it("waits while time is not trusted or the history is not known to be one (invariants 5, 10)", async () => {
    await using rig = await openRig();
    await stored(rig, "one", named(0));
    for (const why of ["clock", "history"] as const) {
      const wiping = await openWiping(rig, { mayNot: async () => why });
      assert.deepEqual(await wiping.ask(), { ...NOTHING, waiting: 1, why });
      assert.deepEqual(await wiping.orders(), []);
    }
  });

  it("is never done where the camera records over its oldest footage, nor on a write-protected card", async () => {
    await using rig = await openRig();
    await stored(rig, "one", named(0));
    const never = await openWiping(rig, { rule: { after: "never", how: "unlink" } });
    assert.deepEqual(await never.ask(), { ...NOTHING, forbidden: 1, why: "never" });
    const wiping = await openWiping(rig);
    const readOnly = await wiping.ask({ record: { ...RECORD, readOnly: true } });
    assert.deepEqual(readOnly, { ...NOTHING, forbidden: 1, why: "write-protected" });
    const old = await wiping.ask({ record: { ...RECORD, bootId: "of before" } });
    assert.deepEqual(old, { ...NOTHING, waiting: 1, why: "not-docked" });
    await assert.rejects(wiping.ask({ record: { ...RECORD, number: "bc-9999" } }), {
      code: "CONTROL_REFUSED",
    });
  });

  it("is ordered of a media device by its numbers on USB, and never to write over its files", async () => {
    await using rig = await openRig();
    await stored(rig, "one", named(0));
    const mtp = { ...RECORD, name: "mtp-001-005", volume: { kind: "mtp", serial: null } } as const;
    const over = await openWiping(rig, { rule: { after: "vault", how: "overwrite" } });
    const refused = await over.ask({ record: mtp });
    assert.deepEqual(refused, { ...NOTHING, forbidden: 1, why: "not-a-disk" });
    const { params } = METHODS["docks.wipe"];
    const question = { docking: "01J00000000000000000000001", files: [] };
    for (const name of ["1-2", "sdb1"])
      assert.equal(
        params.safeParse({ ...question, record: { ...mtp, name } }).success,
        false,
        name,
      );
    assert.ok(params.safeParse({ ...question, record: mtp }).success);
    const wiping = await openWiping(rig);
    assert.notEqual((await wiping.ask({ record: mtp })).nonce, null);
    const [order] = await wiping.orders();
    assert.deepEqual([order?.name, order?.volume], ["mtp-001-005", null]);
  });

  it("calls a card empty only when all that is left is no footage by its profile", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await writeFile(join(rig.folder, "card", "index.dat"), "of the camera");
    const path = Buffer.from(named(0)).toString("base64");
    const wipeOf = async (content: string, others: number, more: readonly string[] = []) => {
      const modifiedAtMs = rig.clock.now();
      await stored(rig, content, named(0));
      const files = [path, ...more].map((one) => ({ path: one, bytes: 3, modifiedAtMs }));
      await wipe(wiping, { files, others });
      return emptiedAt(rig);
    };
    // Something is left that nobody spoke of, or that still waits.
    assert.equal(await wipeOf("one", 0), null);
    assert.equal(await wipeOf("two", 1, [Buffer.from("index.dat").toString("base64")]), null);
    assert.ok(Number(await wipeOf("six", 1)) > 0);
  });
});

describe("a report of the helper", () => {
  it("is not believed when somebody else may have written it, or it speaks of other files (invariant 1)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const { nonce } = await wiping.ask();
    await wiping.help({ removed: [0, 1] });
    await wiping.settle();
    assert.ok(rig.said.includes("report-refused"));
    await chmod(reportPath(wiping.reports, nonce ?? ""), 0o666);
    await wiping.settle();
    assert.equal((await wiping.report(nonce)).outcome, "open");
    assert.deepEqual(await wiped(rig), []);
  });

  it("that says it failed half way leaves the rest on the card, and the card is not called empty", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const ids = [await stored(rig, "one", named(0)), await stored(rig, "two", named(1))];
    await wiping.ask();
    await wiping.help({ outcome: "failed", why: "io", removed: [0], kept: [], left: null });
    await wiping.settle();
    const [entry] = await wiped(rig);
    assert.deepEqual(
      [entry?.removed, entry?.untold, entry?.outcome],
      [[ids[0]], [ids[1]], "failed"],
    );
    assert.ok(rig.said.includes("wipe-failed"));
    assert.equal(await emptiedAt(rig), null);
  });

  it("that refuses, or tells of a card that was pulled out, brings another order only after a while (invariant 8)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const kept = [{ index: 0, why: "unreadable" as const }];
    for (const waitMs of [1, 2, 4].map((minutes) => minutes * MINUTE_MS)) {
      assert.notEqual((await wiping.ask()).nonce, null);
      await wiping.help({ outcome: "failed", why: "interrupted", kept });
      await wiping.settle();
      const settled = rig.clock.now();
      assert.deepEqual(await wiping.ask(), { ...NOTHING, waiting: 1 });
      rig.clock.move(waitMs - (rig.clock.now() - settled) + SECOND_MS);
    }
    assert.notEqual((await wiping.ask()).nonce, null);
    assert.equal(rig.said.includes("wipe-stuck"), false);
  });

  it("that never comes is told of, and the order forgotten: its nonce serves no more (invariant 8)", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const id = await stored(rig, "one", named(0));
    const { nonce } = await wiping.ask();
    rig.clock.move(11 * MINUTE_MS);
    await wiping.settle();
    // It may have begun in time, and be reading.
    assert.equal((await wiping.report(nonce)).outcome, "open");
    rig.clock.move(HOUR_MS);
    await wiping.settle();
    assert.equal((await wiping.report(nonce)).outcome, "unreported");
    assert.ok(rig.said.includes("wipe-unreported"));
    const [entry] = await wiped(rig);
    assert.deepEqual([entry?.outcome, entry?.untold], ["unreported", [id]]);
    assert.deepEqual(await wiping.orders(), []);
    rig.clock.move(2 * MINUTE_MS);
    const again = await wiping.ask();
    assert.notEqual(again.nonce, null);
    assert.notEqual(again.nonce, nonce);
  });

  it("is not waited for once an order that never got there has expired", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const { nonce } = await wiping.ask();
    await rm(join(wiping.ordersFolder, `${nonce}.order`));
    rig.clock.move(9 * MINUTE_MS);
    await wiping.settle();
    assert.equal((await wiping.report(nonce)).outcome, "open");
    rig.clock.move(2 * MINUTE_MS);
    await wiping.settle();
    assert.equal((await wiping.report(nonce)).outcome, "unreported");
  });

  it("is not waited for once the machine was started again", async () => {
    await using rig = await openRig();
    let boot = "11111111-2222-3333-4444-555555555555";
    const wiping = await openWiping(rig, { bootId: () => boot });
    await stored(rig, "one", named(0));
    const { nonce } = await wiping.ask();
    boot = "99999999-2222-3333-4444-555555555555";
    await wiping.settle();
    assert.equal((await wiping.report(nonce)).outcome, "unreported");
  });

  it("that was taken in leaves no order behind, whatever a crash left; of others' orders nothing is touched", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const nonce = await wipe(wiping);
    const others = `${"f".repeat(32)}.order`;
    for (const name of [`${nonce}.order`, `${nonce}.order.partial`, others])
      await writeFile(join(wiping.ordersFolder, name), "");
    await wiping.settle();
    assert.deepEqual(await readdir(wiping.ordersFolder), [others]);
  });

  it("is forgotten after a week", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "one", named(0));
    const nonce = await wipe(wiping);
    rig.clock.move(8 * DAY_MS);
    await wiping.settle();
    await assert.rejects(wiping.report(nonce), { code: "CONTROL_REFUSED" });
  });
});

describe("the catalog's own rule for wiping", () => {
  it("refuses an order for what no second place has, whatever the code asks (invariant 1)", async () => {
    await using rig = await openRig();
    const id = await recorded(rig, "one", named(0));
    await rig.adoptOnce();
    const now = rig.clock.now();
    await rowsOf(
      rig,
      `insert into wipe (nonce, device_id, docking, how, issued_at_ms, expires_at_ms, boot_id, expires_uptime_ms, whole, others)
       values ('${"0".repeat(32)}', '${CAMERA}', '${ulid(now)}', 'unlink', ${now}, ${now + 1}, 'b', 1, 1, 0)`,
    );
    const add = () => rowsOf(rig, `insert into wipe_file values ('${"0".repeat(32)}', 0, '${id}')`);
    await assert.rejects(add(), { code: "CATALOG_RULE" });
    await rig.storeOnce();
    await add();
  });

  it("is looked at by verify: what was wiped is in a second place (invariant 1)", async () => {
    await using rig = await openRig();
    const id = await recorded(rig, "one", named(0));
    await rig.adoptOnce();
    await rowsOf(rig, `update segment set wiped_at_ms = ${rig.clock.now()} where id = '${id}'`);
    const findings = await rig.check("rows");
    assert.deepEqual(
      findings.map(({ invariant }) => invariant),
      [1],
    );
  });
});

describe("whether any card may be wiped now", () => {
  it("no: while time is not trusted, before the history was seen to be one, or in a catalog made again that waits (invariants 5, 10)", async () => {
    await using rig = await openRig();
    const { clock, database } = rig;
    const ask = (history: "one" | "diverged" | "unknown") =>
      whyNotNow(clock, database, async () => history)();
    assert.equal(await ask("one"), "clock");
    await confirmTime(clock, database, clock.now(), "test");
    assert.equal(await ask("one"), undefined);
    assert.equal(await ask("diverged"), "history");
    assert.equal(await ask("unknown"), "history");
    await database.transaction((sql) => writeFact(sql, "rebuilt", rebuiltText(clock.now(), 0, [])));
    assert.equal(await ask("one"), "history");
    clock.jump(DAY_MS);
    assert.equal(await ask("one"), "clock");
  });
});
