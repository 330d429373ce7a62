import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import { openPatience } from "../storage/vault/patience.ts";
import { type HandClock, handClock, NEVER, START } from "./fakes/rig.ts";

/** Each sleep moves the clock, and is noted. */
function sleeping(): { clock: Clock; slept: number[]; hand: HandClock } {
  const hand = handClock(START);
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    slept.push(ms);
    hand.move(ms);
  };
  return { clock: { ...hand, sleep }, slept, hand };
}

const away = () => new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });

/** Fails so many times, and counts how often it was asked. */
function failing(times: number, error: () => Error = away) {
  const asked = { times: 0 };
  const request = async (): Promise<string> => {
    asked.times += 1;
    if (asked.times <= times) throw error();
    return "answer";
  };
  return { asked, request };
}

describe("patience with a vault", () => {
  it("asks four times, each wait twice as long and up to a quarter shorter", async () => {
    for (const [random, waits] of [
      [0, [500, 1000, 2000]],
      [0.999, [375, 750, 1501]],
    ] as const) {
      const { clock, slept } = sleeping();
      const { asked, request } = failing(3);
      assert.equal(await openPatience(clock, () => random).persist(request, NEVER), "answer");
      assert.equal(asked.times, 4);
      assert.deepEqual(slept, waits);
    }
    const { clock } = sleeping();
    const { asked, request } = failing(4);
    const persisted = openPatience(clock, () => 0).persist(request, NEVER);
    await assert.rejects(persisted, { code: "VAULT_UNAVAILABLE" });
    assert.equal(asked.times, 4);
  });

  it("asks once for what another time would not mend", async () => {
    for (const error of [
      () => new BewaardError("VAULT_DENIED", "no"),
      () => new BewaardError("VAULT_FULL", "full", { transient: true }),
      () => new TypeError("a bug"),
    ]) {
      const { clock, slept } = sleeping();
      const { asked, request } = failing(1, error);
      await assert.rejects(openPatience(clock, () => 0).persist(request, NEVER));
      assert.deepEqual([asked.times, slept], [1, []]);
    }
  });

  it("leaves a vault alone that failed eight times in a row, then lets one find out for all", async () => {
    const { clock, hand } = sleeping();
    const patience = openPatience(clock, () => 0);
    const { asked, request } = failing(9);
    for (let turn = 0; turn < 2; turn += 1)
      await assert.rejects(patience.persist(request, NEVER), /away/);
    assert.equal(asked.times, 8);
    await assert.rejects(patience.once(request), /not asked/);
    await assert.rejects(
      patience.repeat(() => patience.once(request), NEVER),
      /not asked/,
    );
    assert.equal(asked.times, 8);
    hand.move(30 * SECOND_MS);
    const both = await Promise.allSettled([patience.once(request), patience.once(request)]);
    assert.deepEqual(
      both.map((one) => (one.status === "rejected" ? String(one.reason) : "answer")),
      ["BewaardError: away", "BewaardError: not asked: the vault did not answer 8 times in a row"],
    );
    assert.equal(asked.times, 9);
    hand.move(30 * SECOND_MS);
    assert.equal(await patience.once(request), "answer");
    assert.equal(await patience.once(request), "answer");
  });

  it("counts no failures that are answers, and stops with the signal", async () => {
    const { clock } = sleeping();
    const patience = openPatience(clock, () => 0);
    const denied = failing(100, () => new BewaardError("VAULT_DENIED", "no"));
    for (let turn = 0; turn < 20; turn += 1)
      await assert.rejects(patience.once(denied.request), { code: "VAULT_DENIED" });
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    const { asked, request } = failing(0);
    await assert.rejects(patience.persist(request, stop.signal), /stopped/);
    assert.equal(asked.times, 0);
  });
});
