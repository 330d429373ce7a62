import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { type Clock, HOUR_MS, plus } from "#base/time";
import { readBack } from "../../storage/vault/read-back.ts";
import { openBucket, patternBody, TWO_PARTS_BYTES } from "../fakes/bucket.ts";
import { NEVER } from "../fakes/rig.ts";
import { type Fault, openS3Proxy, type S3Proxy } from "../fakes/s3-proxy.ts";
import { type Ceph, startCeph } from "./ceph.ts";

const hasty: Clock = { ...systemClock, sleep: async (_, signal) => signal.throwIfAborted() };
const body = patternBody(TWO_PARTS_BYTES);

const FAULTS: Readonly<Record<string, Fault>> = {
  "breaks in the middle": { kind: "reset", afterBytes: 40_000 },
  "ends in 500": { kind: "answer", status: 500, code: "InternalError" },
  "is done and never answered": { kind: "answer lost" },
};

describe("an upload of several parts to Ceph, over a line on which things go wrong", () => {
  let ceph: Ceph;
  let proxy: S3Proxy;
  before(async () => {
    // What is put and locked stays: gigabytes, which are better on a disk than in memory.
    ceph = await startCeph({ store: "disk" });
    proxy = await openS3Proxy(ceph.endpoint);
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await ceph[Symbol.asyncDispose]();
  });

  // In a locked bucket of Ceph it goes up in one request, in parts in a plain one.
  for (const level of ["locked", "plain"] as const) {
    for (const [what, fault] of Object.entries(FAULTS))
      it(`is there once, whole, kept as ${level}, with no part left over, whichever request ${what}`, () =>
        convergesAt(level, fault));
  }

  async function convergesAt(level: "locked" | "plain", fault: Fault): Promise<void> {
    proxy.passed.length = 0;
    let parts = 0;
    let requests = 1;
    for (let nth = 0; nth < requests; nth += 1) {
      await using under = await openBucket(
        { ...ceph, certificate: undefined },
        level,
        proxy.endpoint,
        hasty,
      );
      const key = `footage/dock-1/upload-${nth}`;
      const lockedUntil = plus(systemClock.now(), HOUR_MS);
      const keeping = { facts: { id: "x" }, held: true, lockedUntil };
      let seen = 0;
      proxy.fault = () => {
        seen += 1;
        return seen - 1 === nth ? fault : undefined;
      };
      await under.vault.put(key, body, keeping, NEVER).catch((error: unknown) => {
        if (!(error instanceof BewaardError)) throw error;
      });
      requests = Math.max(requests, seen);
      proxy.fault = () => undefined;
      const version = await under.vault.put(key, body, keeping, NEVER);
      const traces = { versions: 1, markers: 0, unfinished: 0 };
      assert.deepEqual(await under.vault.traces(key), traces, `request ${nth}`);
      await readBack(under.vault, key, version, body, "sampled", NEVER);
      assert.equal(await under.vault.isHeld(key, version), level === "locked", `request ${nth}`);
      parts += proxy.passed.filter(({ url }) => url.includes("partNumber")).length;
      if (level === "plain") continue;
      await under.vault.setHold(key, version, false);
      await assert.rejects(under.vault.destroy(key, version), { code: "VAULT_LOCKED" });
    }
    assert.ok(requests > 6, `${requests} requests`);
    assert.equal(parts > 0, level === "plain");
  }
});
