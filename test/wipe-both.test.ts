import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { isoOf } from "#base/time";
import { listCard } from "../drivers/bodycam/card.ts";
import { verifierText } from "../storage/ledger/note.ts";
import { dockedRig } from "./fakes/helper-rig.ts";
import { rowsOf } from "./fakes/medium.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { openWiping, RECORD, stored, wiped } from "./fakes/wiping.ts";

/** A box whose card is docked at a helper as it is, that knows its key. */
async function openBoth(rig: Rig, names: readonly string[]) {
  const helper = await dockedRig();
  const { places, card } = helper;
  await writeFile(places.verifier, `${verifierText(rig.key)}\n`);
  for (const name of names) await helper.put(name, await readFile(join(rig.folder, "card", name)));
  const folders = { orders: join(places.state, "orders"), reports: places.reports };
  const wiping = await openWiping(rig, { folders });
  helper.clock.at = isoOf(rig.clock.now());
  const record = { ...RECORD, device: helper.device, mountedAt: card };
  return {
    helper,
    wiping,
    ask: () => wiping.ask({ record }),
    left: async () => (await listCard(card))?.files.map(({ path }) => path.toString()),
    [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose](),
  };
}

describe("core and the root helper, one card", () => {
  it("read it twice, remove what is the same, keep what is not, and the ledger says which (invariants 1, 5)", async () => {
    await using rig = await openRig();
    const ids = [await stored(rig, "one", named(0)), await stored(rig, "two", named(1))];
    await using both = await openBoth(rig, [named(0), named(1)]);
    await both.helper.put(named(1), "TWO");
    const { nonce } = await both.ask();
    const report = await both.helper.carryOut(nonce ?? "");
    assert.equal(report?.outcome, "done", report?.why ?? "");
    await both.wiping.settle();
    assert.deepEqual(await both.left(), [named(1)]);
    const [entry] = await wiped(rig);
    assert.deepEqual(
      [entry?.removed, entry?.kept],
      [[ids[0]], [{ segment: ids[1], why: "changed" }]],
    );
    const [camera] = await rowsOf(rig, "select emptied_at_ms from device");
    assert.equal(camera?.["emptied_at_ms"], null);
  });

  it("call a camera empty when nothing is left, and carry an order out once", async () => {
    await using rig = await openRig();
    await stored(rig, "one", named(0));
    await using both = await openBoth(rig, [named(0)]);
    const { nonce } = await both.ask();
    assert.equal((await both.helper.carryOut(nonce ?? ""))?.outcome, "done");
    assert.equal(await both.helper.carryOut(nonce ?? ""), undefined);
    await both.wiping.settle();
    assert.deepEqual(await both.left(), []);
    const [camera] = await rowsOf(rig, "select emptied_at_ms from device");
    assert.ok(Number(camera?.["emptied_at_ms"]) > 0);
    assert.equal((await both.wiping.report(nonce)).removed, 1);
  });
});
