import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Ask } from "../daemon/control/client.ts";
import { METHODS, READ } from "../daemon/control/protocol.ts";
import { roomKeeper } from "../daemon/record/keep-room.ts";
import { handClock, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

async function asked(cameras: number, limitBytes: number): Promise<readonly number[]> {
  const wanted: number[] = [];
  const ask: Ask = async (method, params) => {
    wanted.push(METHODS.room.params.parse(params).bytes);
    return READ[method]({ granted: true });
  };
  const turn = turns(handClock(START), 12);
  await roomKeeper(turn.clock, ask, () => cameras, limitBytes).run(turn.clock, turn.signal);
  return wanted;
}

describe("room for cameras", () => {
  it("is asked for each ten seconds, two minutes of each camera ahead", async () => {
    assert.deepEqual(await asked(2, 40e9), [120e6, 120e6]);
  });

  it("is never more than a quarter of the spool: that could not be had", async () => {
    assert.deepEqual(await asked(24, 1e9), [250e6, 250e6]);
  });
});
