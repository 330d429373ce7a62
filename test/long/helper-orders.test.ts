import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { carryOutOrders } from "../../daemon/helper/orders.ts";
import { dockedRig } from "../fakes/helper-rig.ts";
import { listed } from "../fakes/orders.ts";

describe("the root helper, where core's user was taken over", () => {
  it("begins no more orders in 28 days than a dock can have, and says so: each is a file on the machine's own disk", async () => {
    await using rig = await dockedRig();
    await rig.put("a", "hello");
    await rig.leave(rig.order([listed("a", "hello")], { nonce: "f".repeat(32) }));
    const usedAt = (number: number): string =>
      join(rig.places.used, number.toString(16).padStart(32, "0"));
    for (let number = 0; number < 30_000; number += 1) writeFileSync(usedAt(number), "");
    const carryOut = (): Promise<void> =>
      carryOutOrders(rig.clock, rig.mounts, rig.places, () => undefined);
    await assert.rejects(carryOut, { code: "ORDER_REFUSED" });
    assert.deepEqual(await readdir(rig.card), ["a"]);
    await rm(usedAt(0));
    await carryOut();
    assert.deepEqual(await readdir(rig.card), []);
  });
});
