import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "mocha";
import { instant } from "#base/time";
import type { CardRecord } from "../drivers/bodycam/card-record.ts";
import { findSegments } from "../storage/catalog/find.ts";
import type { SealPool } from "../storage/seal/pool.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { openFakeSlots, writeFileOf } from "./fakes/slots.ts";

const SLOTS = ["0000:00:14.0/1", "0000:00:14.0/2"] as const;
const MEDIA: Partial<CardRecord> = { volume: { kind: "mtp", serial: null, label: null } };

async function sizesKept(rig: Rig): Promise<readonly unknown[]> {
  const all = { device: undefined, from: instant(0), to: instant(9e12) };
  return (await findSegments(rig.database, all)).map(({ plaintextBytes }) => plaintextBytes);
}

/** A pool that tells how many files it read at once, at most; it goes on when it is let. */
function counting(pool: SealPool, go: Promise<void>) {
  let now = 0;
  let most = 0;
  let begun = 0;
  const seal: SealPool["seal"] = async (...args) => {
    now += 1;
    begun += 1;
    most = Math.max(most, now);
    await go;
    try {
      return await pool.seal(...args);
    } finally {
      now -= 1;
    }
  };
  return { pool: { ...pool, seal }, most: () => most, begun: () => begun };
}

/** How many files of two cameras are read at once. */
async function readAtOnce(more: Partial<CardRecord>): Promise<number> {
  const go = Promise.withResolvers<void>();
  const counted = counting(inlinePool(), go.promise);
  await using rig = await openRig({ pool: counted.pool });
  await using slots = await openFakeSlots(rig);
  for (const [index, slot] of SLOTS.entries()) {
    const number = `bc-010${index + 1}`;
    const name = `mtp-001-00${index}`;
    await slots.pair(number, more.volume ? { volume: more.volume.serial } : {});
    await writeFileOf(join(slots.media, name), named(index), "een");
    await slots.plug(slot, name, number, more);
  }
  assert.ok(await slots.until(() => counted.begun() > 0));
  await slots.until(() => false, 20);
  go.resolve();
  assert.ok(await slots.until(async () => (await sizesKept(rig)).length === 2));
  return counted.most();
}

describe("a media device in a slot", () => {
  it("keeps a file that is longer than can be fetched, unopened, and its slot says so; the others are taken", async () => {
    const opened: string[] = [];
    const inline = inlinePool();
    const seal: SealPool["seal"] = async (...args) => {
      opened.push(String(args[0]));
      return inline.seal(...args);
    };
    await using rig = await openRig({ pool: { ...inline, seal } });
    await using slots = await openFakeSlots(rig);
    await slots.pair("bc-0101", { volume: null });
    const folder = join(slots.media, "mtp-001-005");
    await writeFileOf(folder, named(0), "een");
    await writeFileOf(folder, named(1), "zestien");
    const [slot] = SLOTS;
    await slots.plug(slot, "mtp-001-005", "bc-0101", { ...MEDIA, largest: 6 });
    assert.ok(await slots.until(async () => (await sizesKept(rig)).length > 0));
    assert.ok(await slots.until(() => slots.state(slot) === "failed"));
    assert.equal(slots.board.read(slot).why, "too-large");
    assert.deepEqual(await sizesKept(rig), [3]);
    assert.equal(opened.length, 1);
    assert.ok(rig.said.includes("file-left"));
  });

  it("is read one file at a time, with all others of its kind: a file is in memory whole meanwhile", async () => {
    assert.equal(await readAtOnce(MEDIA), 1);
    assert.equal(await readAtOnce({}), 2, "cards are read side by side");
  });
});
