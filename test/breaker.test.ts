import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { HOUR_MS, instant, MINUTE_MS } from "#base/time";
import type { Bucket } from "../storage/vault/bucket.ts";
import { openPatience, type Patience } from "../storage/vault/patience.ts";
import type { After, ListedVersion } from "../storage/vault/s3-answers.ts";
import { destroyVersion } from "../storage/vault/s3-destroy.ts";
import { handClock, NEVER, START } from "./fakes/rig.ts";

const BUCKET: Bucket = {
  provider: "own",
  region: "huis",
  endpoint: "https://s3.example.nl",
  name: "beelden",
  owner: undefined,
  level: "plain",
  certificate: undefined,
  reports: [],
};
const VERSION: ListedVersion = {
  key: "footage/x",
  versionId: "v",
  bytes: 0,
  etag: "",
  marker: false,
  latest: false,
  modifiedAt: instant(0),
};
const AWAY = new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
const DENIED = new BewaardError("VAULT_DENIED", "403");
const GONE = new BewaardError("SPOOL_IO", "no such file");

async function broken(patience: Patience): Promise<void> {
  for (let failure = 0; failure < 8; failure += 1)
    await assert.rejects(
      patience.once(() => Promise.reject(AWAY)),
      AWAY,
    );
}

/** Whether a request is made at all. */
async function asks(patience: Patience, ending: () => Promise<unknown>): Promise<boolean> {
  let asked = false;
  const request = () => {
    asked = true;
    return ending();
  };
  await patience.once(request).catch(() => undefined);
  return asked;
}

describe("the patience with a vault", () => {
  it("gives one that does not answer a rest, and lets one request find out for all", async () => {
    const clock = handClock(START);
    const patience = openPatience(clock, () => 0);
    await broken(patience);
    const away = () => Promise.reject(AWAY);
    assert.equal(await asks(patience, away), false);
    clock.jump(HOUR_MS);
    assert.equal(await asks(patience, away), false);
    clock.move(MINUTE_MS);
    const asked = await Promise.all([asks(patience, away), asks(patience, away)]);
    assert.deepEqual(asked, [true, false]);
    clock.move(MINUTE_MS);
    assert.equal(await asks(patience, async () => "here"), true);
    assert.equal(await asks(patience, async () => "here"), true);
  });

  it("does not wait for the one that finds out longer than for a rest", async () => {
    const clock = handClock(START);
    const patience = openPatience(clock, () => 0);
    await broken(patience);
    clock.move(MINUTE_MS);
    const { promise, resolve } = Promise.withResolvers<string>();
    // As a large object over a slow line.
    const slow = patience.once(() => promise);
    assert.equal(await asks(patience, async () => "here"), false);
    clock.move(MINUTE_MS);
    assert.equal(await asks(patience, async () => "here"), true);
    assert.equal(await asks(patience, async () => "here"), true);
    resolve("late");
    assert.equal(await slow, "late");
  });

  it("takes for an answer what the vault said, no too, and not what broke or stopped here", async () => {
    for (const nothing of [GONE, new Error("stopped")]) {
      const clock = handClock(START);
      const patience = openPatience(clock, () => 0);
      await broken(patience);
      clock.move(MINUTE_MS);
      assert.equal(await asks(patience, () => Promise.reject(nothing)), true);
      assert.equal(await asks(patience, async () => "here"), false, nothing.message);
      clock.move(MINUTE_MS);
      assert.equal(await asks(patience, () => Promise.reject(DENIED)), true);
      assert.equal(await asks(patience, async () => "here"), true);
    }
  });
});

describe("destruction in a bucket", () => {
  it("removes delete markers however many somebody has put there (R-01)", async () => {
    const marked = Array.from({ length: 2500 }, (_, index) => ({
      ...VERSION,
      versionId: `m${index}`,
      marker: true,
    }));
    const deleted = new Set<string>();
    const calls = {
      bucket: BUCKET,
      getHold: async () => false,
      getRetention: async () => undefined,
      listVersions: async () => ({
        versions: marked.filter(({ versionId }) => !deleted.has(versionId)),
        next: undefined,
      }),
      async deleteVersions(versions: readonly { readonly versionId: string }[]) {
        if (versions.length > 1000) throw new BewaardError("VAULT_DENIED", "400 MalformedXML");
        for (const { versionId } of versions) deleted.add(versionId);
        return [];
      },
    };
    await destroyVersion(calls, calls, "footage/x", "v", START, NEVER);
    assert.equal(deleted.size, 2501);
  });

  it("looks at no more than a few of ten thousand versions for each that it removes (invariant 3)", async () => {
    const left = Array.from({ length: 10_000 }, (_, index) => ({
      ...VERSION,
      versionId: `${index}`,
    }));
    let listed = 0;
    const calls = {
      bucket: BUCKET,
      getHold: async () => false,
      getRetention: async () => undefined,
      async listVersions(_prefix: string, after: After | undefined, most: number) {
        const from = left.findIndex(({ versionId }) => versionId === after?.versionId) + 1;
        const versions = left.slice(from, from + most);
        listed += versions.length;
        const last = versions.at(-1);
        const next = last && from + most < left.length ? last : undefined;
        return { versions, next };
      },
      async deleteVersions(versions: readonly { readonly versionId: string }[]) {
        for (const { versionId } of versions)
          left.splice(
            left.findIndex((one) => one.versionId === versionId),
            1,
          );
        return [];
      },
    };
    for (let index = 0; index < 100; index += 1)
      await destroyVersion(calls, calls, "footage/x", `${index}`, START, NEVER);
    assert.equal(left.length, 9900);
    assert.ok(listed < 1000, `${listed}`);
    // One that the bucket says it removed, and lists.
    const keeping = { ...calls, deleteVersions: async () => [] };
    const [{ versionId } = VERSION] = left;
    const destroying = destroyVersion(keeping, keeping, "footage/x", versionId, START, NEVER);
    await assert.rejects(destroying, { code: "VAULT_UNAVAILABLE", transient: true });
  });
});
