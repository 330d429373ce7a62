import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { inlinePool } from "./fakes/inline-pool.ts";
import { rowsOf } from "./fakes/medium.ts";
import { named, openRig } from "./fakes/rig.ts";
import { openFakeSlots, writeFileOf } from "./fakes/slots.ts";

const SLOT = "0000:00:14.0/2.1";
const OTHER = "0000:00:14.0/2.2";
const NEVER = new Promise<void>(() => undefined);

async function openSlots() {
  const rig = await openRig({ pool: inlinePool() });
  const slots = await openFakeSlots(rig);
  for (const number of ["bc-0101", "bc-0102"]) await slots.pair(number);
  return {
    rig,
    slots,
    folder: join(slots.media, "sdb1"),
    async [Symbol.asyncDispose]() {
      await slots[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

describe("two cameras of which one is put in as soon as the other is out", () => {
  it("and is mounted in its place while a file is read: what is read there is never kept as the first one's", async () => {
    await using open = await openSlots();
    const { rig, slots, folder } = open;
    const seal = rig.sealing.pool.seal.bind(rig.sealing.pool);
    let sealed = 0;
    rig.sealing.pool.seal = async (...args) => {
      sealed += 1;
      if (sealed !== 2) return seal(...args);
      await slots.forget("sdb1");
      await rm(folder, { recursive: true });
      for (const minutes of [0, 1, 2])
        await writeFileOf(folder, named(minutes), `van twee ${minutes}`);
      await slots.plug(SLOT, "sdb1", "bc-0102");
      return seal(...args);
    };
    for (const minutes of [0, 1, 2])
      await writeFileOf(folder, named(minutes), `van een ${minutes}`);
    await slots.plug(SLOT, "sdb1", "bc-0101");
    assert.ok(
      await slots.until(
        () => slots.state(SLOT) === "safe" && slots.board.read(SLOT).number === "bc-0102",
      ),
    );
    const rows = await rowsOf(rig, "select device_id, plaintext_bytes from segment order by id");
    const of = (device: string) =>
      rows.filter((row) => row["device_id"] === device).map((row) => row["plaintext_bytes"]);
    assert.deepEqual(of("bc-0101"), ["van een 0".length]);
    assert.deepEqual(
      of("bc-0102"),
      Array.from({ length: 3 }, () => "van twee 0".length),
    );
  });
});

describe("core that takes its time to say who is paired", () => {
  it("keeps nobody from seeing that a camera is gone, and a new one waits until it has", async () => {
    await using open = await openSlots();
    const { slots, folder } = open;
    await writeFileOf(folder, named(0), "een");
    await slots.plug(SLOT, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.state(SLOT) === "safe"));
    const answers = Promise.withResolvers<void>();
    slots.pairingsCome = () => answers.promise;
    await writeFileOf(join(slots.media, "sdc1"), named(1), "twee");
    await slots.plug(OTHER, "sdc1", "bc-0102");
    assert.ok(await slots.until(() => slots.state(OTHER) === "busy", 30));
    slots.pull(SLOT);
    assert.ok(await slots.until(() => slots.state(SLOT) === "free", 30));
    assert.equal(slots.board.read(OTHER).why, "recognising");
    answers.resolve();
    assert.ok(await slots.until(() => slots.state(OTHER) === "safe"));
  });

  it("is asked once at a time", async () => {
    await using open = await openSlots();
    const { slots, folder } = open;
    let asked = 0;
    slots.pairingsCome = () => {
      asked += 1;
      return NEVER;
    };
    await writeFileOf(folder, named(0), "een");
    await slots.plug(SLOT, "sdb1", "bc-0101");
    await slots.until(() => false, 60);
    assert.equal(asked, 1);
  });
});
