import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { carryOutOrders } from "../daemon/helper/orders.ts";
import { dockedRig, type HelperRig } from "./fakes/helper-rig.ts";
import { listed } from "./fakes/orders.ts";

// Who has taken over core's user may do in its folder whatever he likes. Root must do nothing for him that he may not.

const nonceOf = (number: number): string => number.toString(16).padStart(32, "0");

function orderAt(rig: HelperRig, nonce: string): string {
  return join(rig.places.state, "orders", `${nonce}.order`);
}

/** Carries out what lies there; what it told of, and how it failed. */
async function carryOutAll(rig: HelperRig) {
  const told: string[] = [];
  const failure = await carryOutOrders(rig.clock, rig.mounts, rig.places, (nonce, report) => {
    told.push(`${nonce.at(-1)} ${report?.outcome} ${report?.why}`);
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { told: told.toSorted(), failure };
}

/** A good order for one file on the card, beside whatever else lies there. */
async function rigWithOrder() {
  const rig = await dockedRig();
  await rig.put("a", "hello");
  const order = rig.order([listed("a", "hello")], { nonce: nonceOf(15) });
  await rig.leave(order);
  return { rig, order };
}

describe("the root helper, where core's user was taken over", () => {
  it("removes nothing where the folder of orders leads, in another place or on the card itself (invariant 1)", async () => {
    for (const onCard of [false, true]) {
      await using rig = await dockedRig();
      const elsewhere = onCard ? rig.card : join(rig.root, "elsewhere");
      await mkdir(elsewhere, { recursive: true });
      const name = `${nonceOf(1)}.order`;
      await writeFile(join(elsewhere, name), "of somebody else", { mode: 0o600 });
      await rmdir(join(rig.places.state, "orders"));
      await symlink(elsewhere, join(rig.places.state, "orders"));
      const { told, failure } = await carryOutAll(rig);
      assert.deepEqual(told, []);
      assert.match(String(failure), /the folder of orders is none/);
      assert.equal(await readFile(join(elsewhere, name), "utf8"), "of somebody else");
    }
  });

  it("carries out a good order beside what is none, takes that away, and says what it cannot take away", async () => {
    const { rig, order } = await rigWithOrder();
    await using _ = rig;
    await mkdir(join(orderAt(rig, nonceOf(1)), "full"), { recursive: true });
    await mkdir(orderAt(rig, nonceOf(2)));
    execFileSync("mkfifo", [orderAt(rig, nonceOf(3))]);
    await symlink("/dev/zero", orderAt(rig, nonceOf(4)));
    await symlink(rig.places.verifier, orderAt(rig, nonceOf(5)));
    await writeFile(orderAt(rig, "other"), "");
    const { told, failure } = await carryOutAll(rig);
    assert.deepEqual(told, [
      "2 refused untrusted",
      "3 refused untrusted",
      "4 refused untrusted",
      "5 refused untrusted",
      "f done null",
    ]);
    assert.match(String(failure), /cannot be taken away \(ENOTEMPTY\)/);
    assert.deepEqual(await readdir(rig.card), []);
    assert.deepEqual(await readdir(join(rig.places.state, "orders")), [`${nonceOf(1)}.order`]);
    assert.match(await readFile(rig.places.verifier, "utf8"), /^bewaard/);
    // It is no worse the next time.
    await rig.put("a", "hello");
    await rig.leave({ ...order, nonce: nonceOf(14) });
    assert.deepEqual((await carryOutAll(rig)).told, ["e done null"]);
  });

  it("lets an order of another card come to its end when one cannot be reported", async () => {
    const { rig } = await rigWithOrder();
    await using _ = rig;
    let others = 0;
    rig.mounts.before = async (what) => {
      if (what !== "read") return;
      await mkdir(join(rig.places.reports, `${nonceOf(1)}.json.partial`));
      await writeFile(orderAt(rig, nonceOf(1)), "no order", { mode: 0o600 });
      // Until that has failed.
      while (!(await readdir(rig.places.used)).includes(nonceOf(1))) others += 1;
    };
    const { told, failure } = await carryOutAll(rig);
    assert.ok(others > 0);
    assert.deepEqual(told, ["f done null"]);
    assert.ok(failure !== undefined);
    assert.equal(rig.mounts.asked.at(-2), "ro");
  });

  it("opens no more than a few of thousands of orders at once, and keeps no more than some hundred reports", async () => {
    const { rig } = await rigWithOrder();
    await using _ = rig;
    for (let number = 100; number < 500; number += 1)
      await writeFile(orderAt(rig, nonceOf(number)), "no order", { mode: 0o600 });
    // Of the tests before this one as well.
    const before = readdirSync("/proc/self/fd").length;
    let most = 0;
    const watched = {
      ...rig.clock,
      // Asked when an order is begun, and when it has ended.
      now() {
        const open = readdirSync("/proc/self/fd").length - before;
        most = Math.max(most, open);
        return rig.clock.now();
      },
    };
    await carryOutOrders(watched, rig.mounts, rig.places, () => undefined);
    assert.ok(most < 150, `${most} open files`);
    assert.equal((await readdir(rig.places.reports)).length, 256);
    assert.deepEqual(await readdir(join(rig.places.state, "orders")), []);
  });

  it("takes no more of many huge orders into its memory than of one", async function () {
    this.timeout(120_000);
    await using rig = await dockedRig();
    for (let number = 0; number < 40; number += 1) {
      const path = orderAt(rig, nonceOf(number));
      await writeFile(path, "", { mode: 0o600 });
      // Sparse, and as long as any order may be.
      await truncate(path, 16 * 1024 * 1024);
    }
    const before = process.memoryUsage().rss;
    let most = 0;
    const watched = {
      ...rig.clock,
      now() {
        most = Math.max(most, process.memoryUsage().rss - before);
        return rig.clock.now();
      },
    };
    await carryOutOrders(watched, rig.mounts, rig.places, () => undefined);
    // All of them are 640 MB.
    assert.ok(most < 350e6, `${most} bytes`);
  });
});
