import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { store } from "../daemon/store.ts";
import { confirmTime } from "../daemon/trust.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { openBucket } from "./fakes/bucket.ts";
import { letBucketDestroy } from "./fakes/bucket-rules.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, openRig, type Rig, START, UPLOAD } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import { clientOf } from "./peers/ceph-client.ts";

const TERM_MS = 10 * DAY_MS;
const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };

interface Box extends AsyncDisposable {
  readonly rig: Rig;
  readonly vault: Vault;
  /** Time passes for the box, and for the bucket. */
  pass(ms: number): Promise<void>;
}

async function inDirectory(): Promise<Box> {
  const rig = await openRig({ termMs: TERM_MS });
  return {
    rig,
    vault: rig.vault,
    pass: async (ms) => rig.clock.move(ms),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

async function inBucket(level: "plain" | "locked"): Promise<Box> {
  await using opened = new AsyncDisposableStack();
  const rig = opened.use(await openRig({ termMs: TERM_MS }));
  const clock = simulatedClock(START);
  const server = opened.use(await startS3Server({ quirks: "aws", users: [OWNER], clock }));
  const peer = { ...server, credential: OWNER, certificate: undefined };
  const { vault, bucket } = opened.use(await openBucket(peer, level, server.endpoint, rig.clock));
  const client = clientOf(peer, OWNER);
  if (level === "locked") await letBucketDestroy(client, bucket.name);
  client.destroy();
  const closing = opened.move();
  return {
    rig,
    vault,
    async pass(ms) {
      rig.clock.move(ms);
      await clock.pass(ms, NEVER);
    },
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}

async function sweep({ rig, vault }: Box): Promise<void> {
  await retainOnce({ ...rig, vault });
}

/** Until so long after the recording, a sweep every six hours on the way. */
async function liveUntil(box: Box, ageMs: number): Promise<void> {
  for (let left = 1; left > 0; ) {
    left = START + ageMs - box.rig.clock.now();
    await box.pass(Math.min(Math.max(0, left), 6 * HOUR_MS));
    await sweep(box);
  }
}

async function rowsOf({ rig }: Box, sql: string): Promise<readonly unknown[]> {
  const rows = await rig.database.transaction((one) => one.all(sql));
  return rows.map((row) => row["value"]);
}

const stateOf = (box: Box) => rowsOf(box, "select state as value from segment");
const destroyedBy = (box: Box) =>
  rowsOf(
    box,
    `select body ->> 'by' as value from batch_row join batch on batch.id = batch_id
     where kind = 'destroyed'`,
  );

async function kept(box: Box): Promise<Box> {
  const { rig, vault } = box;
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  await rig.record("beeld");
  await rig.adoptOnce();
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, spool, box: of } = rig;
  await store(clock, events, database, spool, vault, of.node, UPLOAD, signal);
  assert.deepEqual(await stateOf(box), ["stored"]);
  return box;
}

async function leftIn({ vault }: Box): Promise<number> {
  return (await Array.fromAsync(vault.list("footage/", NEVER))).length;
}

describe("a term of ten days (AR-26: policy can only be shorter)", function () {
  this.timeout(60_000);

  for (const level of ["directory", "plain"] as const) {
    it(`${level}: the box destroys in the last hour of the tenth day, not before`, async () => {
      await using box = await kept(await (level === "plain" ? inBucket(level) : inDirectory()));
      await liveUntil(box, TERM_MS - HOUR_MS - 5 * MINUTE_MS);
      assert.deepEqual(await stateOf(box), ["stored"]);
      await liveUntil(box, TERM_MS - HOUR_MS + MINUTE_MS);
      assert.deepEqual(await stateOf(box), ["destroyed"]);
      assert.deepEqual(await destroyedBy(box), ["box"]);
      assert.equal(await leftIn(box), 0);
    });
  }

  it("locked: the bucket destroys between the eighth and the tenth day, by its own rule", async () => {
    await using box = await kept(await inBucket("locked"));
    await liveUntil(box, TERM_MS - 2 * DAY_MS - 5 * MINUTE_MS);
    assert.deepEqual(await stateOf(box), ["stored"]);
    await liveUntil(box, TERM_MS - 2 * DAY_MS + MINUTE_MS);
    assert.deepEqual(await stateOf(box), ["destroying"]);
    assert.equal(await leftIn(box), 1);
    await liveUntil(box, TERM_MS - HOUR_MS);
    assert.deepEqual(await stateOf(box), ["destroyed"]);
    assert.deepEqual(await destroyedBy(box), ["bucket"]);
    assert.equal(await leftIn(box), 0);
  });
});
