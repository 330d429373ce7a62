import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { z } from "zod";
import { type Instant, MINUTE_MS, SECOND_MS } from "#base/time";
import { adopt } from "../daemon/adopt.ts";
import { writeFact } from "../storage/catalog/facts.ts";
import { rebuiltText } from "../storage/catalog/rebuilt.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { rowsOf } from "./fakes/medium.ts";
import { publish, rebuiltOf } from "./fakes/rebuilt-rig.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import { openWiping, recorded, stored, type Wiping } from "./fakes/wiping.ts";

async function wipe(wiping: Wiping, docking: string): Promise<void> {
  assert.notEqual((await wiping.ask({ docking })).nonce, null);
  await wiping.help();
  await wiping.settle();
  assert.deepEqual(await wiping.card(), []);
}

/** Writes a file as it was: the same bytes, with the time of change of then. */
async function bringBack(rig: Rig, content: string, name: string, at: Instant): Promise<void> {
  const now = rig.clock.now();
  rig.clock.jump(at - now);
  await recorded(rig, content, name);
  rig.clock.jump(now - at + SECOND_MS);
  await rig.adoptOnce();
}

async function adoptInto(rig: Rig, database: Database): Promise<void> {
  const turn = turns(rig.clock, 1);
  await adopt(turn.clock, rig.events, database, rig.spool, rig.box, turn.signal);
}

const alarm = z.object({ device: z.string(), files: z.number() });

function alarms(rig: Rig): readonly unknown[] {
  return rig.lines
    .filter((line) => line.includes('"event":"files-returned"'))
    .map((line) => alarm.parse(JSON.parse(line)))
    .map(({ device, files }) => [device, files]);
}

async function newDocking(rig: Rig): Promise<string> {
  rig.clock.move(MINUTE_MS);
  return ulid(rig.clock.now());
}

describe("files that are on their card again after they were removed", () => {
  it("are the ones they were, an alarm once a docking that names the camera, and removed once more", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const at = rig.clock.now();
    const ids = [await stored(rig, "one", named(0))];
    const later = rig.clock.now();
    ids.push(await stored(rig, "two", named(1)));
    await wipe(wiping, await newDocking(rig));
    await bringBack(rig, "one", named(0), at);
    await bringBack(rig, "two", named(1), later);
    const rows = await rowsOf(rig, "select id, wiped_at_ms as at from segment order by id");
    assert.deepEqual(
      rows.map((row) => [row["id"], row["at"]]),
      ids.map((id) => [id, null]),
    );
    const docking = await newDocking(rig);
    const readOnly = await openWiping(rig, { mayNot: async () => "clock" });
    assert.equal((await readOnly.ask({ docking })).waiting, 2);
    await readOnly.ask({ docking });
    assert.deepEqual(alarms(rig), [["bc-0101", 2]]);
    await wipe(wiping, docking);
    const entries = await rowsOf(rig, "select body from entry where kind = 'card.returned'");
    assert.equal(entries.length, 2);
    assert.ok(ids.every((id) => entries.some((row) => String(row["body"]).includes(id))));
    assert.deepEqual(await rig.check(), []);
  });

  it("are told of at each docking, and are for people to look at after the third time", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const at = rig.clock.now();
    await stored(rig, "one", named(0));
    for (const _ of [1, 2, 3]) {
      await wipe(wiping, await newDocking(rig));
      await bringBack(rig, "one", named(0), at);
    }
    const { nonce, forbidden } = await wiping.ask({ docking: await newDocking(rig) });
    assert.deepEqual([nonce, forbidden], [null, 1]);
    assert.equal(alarms(rig).length, 3);
  });

  it("are none where the camera wrote the same again: its time of change is another", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    await stored(rig, "log", named(0));
    await wipe(wiping, await newDocking(rig));
    await stored(rig, "log", named(0));
    await wipe(wiping, await newDocking(rig));
    assert.deepEqual(alarms(rig), []);
    assert.equal((await rowsOf(rig, "select id from segment")).length, 1);
  });

  it("are known by a catalog that was made again: what was wiped, it has from the ledger", async () => {
    await using rig = await openRig();
    const wiping = await openWiping(rig);
    const at = rig.clock.now();
    await stored(rig, "one", named(0));
    const later = rig.clock.now();
    await stored(rig, "two", named(1));
    await wipe(wiping, await newDocking(rig));
    await bringBack(rig, "two", named(1), later);
    await publish(rig);
    await using database = (await rebuiltOf(rig)).database;
    const wipedAt = "select plaintext_bytes, wiped_at_ms from segment order by id";
    const read = (sql: string) => database.transaction((one) => one.all(sql));
    assert.deepEqual(await read(wipedAt), await rowsOf(rig, wipedAt));
    const text = rebuiltText(rig.clock.now(), 0, []);
    await database.transaction((sql) => writeFact(sql, "rebuilt", text));
    const again = { ...rig, adoptOnce: () => adoptInto(rig, database) };
    await bringBack(again, "one", named(0), at);
    await bringBack(again, "two", named(1), later);
    const entries = await read("select seq from entry where kind = 'card.returned'");
    assert.equal(entries.length, 2);
    assert.equal((await read("select id from segment")).length, 2);
  });
});
