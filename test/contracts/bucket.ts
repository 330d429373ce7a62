import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { HOUR_MS, type Instant, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { PART_BYTES } from "../../storage/seal/part-digests.ts";
import { bytesBody } from "../../storage/vault/body.ts";
import { readBack } from "../../storage/vault/read-back.ts";
import { keysUnder } from "../../storage/vault/s3-list.ts";
import { FREELY, type ObjectBody } from "../../storage/vault/vault.ts";
import { type BucketUnderTest, patternBody, TWO_PARTS_BYTES } from "../fakes/bucket.ts";
import { NEVER } from "../fakes/rig.ts";

const KEY = "footage/dock-1/bc-0101/2026/06/01/100000Z-01J00000000000000000000001.age";
const NOTHING = { versions: 0, markers: 0, unfinished: 0 };

function put(
  { vault }: Pick<BucketUnderTest, "vault">,
  body: ObjectBody,
  asked: { held?: boolean; lockedUntil?: Instant } = {},
): Promise<string> {
  const { held = false, lockedUntil } = asked;
  return vault.put(KEY, body, { facts: { id: "x", ended: "" }, held, lockedUntil }, NEVER);
}

const text = (content: string): ObjectBody => bytesBody(Buffer.from(content));

/** Stops the upload of a body when its second part is asked for. */
function cutAtSecondPart(body: ObjectBody, cut: AbortController): ObjectBody {
  return {
    ...body,
    async *open(range) {
      if (range?.from === PART_BYTES) cut.abort(new Error("cut off"));
      yield* body.open(range);
    },
  };
}

/** What a bucket promises beyond test/contracts/vault.ts, at each level. Run for each kind of server. */
export function bucketContract(
  open: (level: "plain" | "locked") => Promise<BucketUnderTest>,
): void {
  for (const level of ["plain", "locked"] as const) {
    describe(`bucket contract: ${level}`, () => ofBothLevels(() => open(level)));
  }
  describe("bucket contract: locks", () => ofLocked(() => open("locked")));
}

function ofBothLevels(open: () => Promise<BucketUnderTest>): void {
  it("finds by version what a delete marker hides, and takes the marker along (DH-06)", async () => {
    await using under = await open();
    const version = await put(under, text("beeld"));
    await under.hide(KEY);
    assert.deepEqual(await under.vault.traces(KEY), { versions: 1, markers: 1, unfinished: 0 });
    assert.equal(await put(under, text("beeld")), version);
    await assert.rejects(put(under, text("ander")), { code: "VAULT_CONFLICT" });
    await under.vault.destroy(KEY, version);
    assert.deepEqual(await under.vault.traces(KEY), NOTHING);
    assert.notEqual(await put(under, text("nieuw")), version);
  });

  it("loses no version where a page of the listing ends inside a key (R-01)", async () => {
    await using under = await open();
    for (const key of ["footage/a/1", "footage/a/2", "footage/a/3"])
      for (const content of ["a", "b", "c"]) await under.overwrite(key, Buffer.from(content));
    await under.hide("footage/a/2");
    for (const most of [1, 2, 4, 5, 1000]) {
      const keys = await Array.fromAsync(keysUnder(under.calls, "footage/a/", NEVER, "", most));
      const seen = keys.map((one) => `${one.key} ${one.versions.length}+${one.markers.length}`);
      assert.deepEqual(seen, ["footage/a/1 3+0", "footage/a/2 3+1", "footage/a/3 3+0"], `${most}`);
    }
  });

  it("keeps a body of several parts, in any range, and nothing unfinished", async () => {
    await using under = await open();
    const body = patternBody(TWO_PARTS_BYTES);
    const version = await put(under, body);
    await readBack(under.vault, KEY, version, body, "whole", NEVER);
    await readBack(under.vault, KEY, version, body, "sampled", NEVER);
    assert.deepEqual(await under.vault.facts(KEY, version), { id: "x", ended: "" });
    assert.deepEqual(await under.vault.traces(KEY), { ...NOTHING, versions: 1 });
    assert.equal(await put(under, body), version);
    const other = patternBody(TWO_PARTS_BYTES, 1);
    await assert.rejects(put(under, other), { code: "VAULT_CONFLICT" });
  });

  it("continues an upload that was cut off, and sends only what had not arrived (invariant 8)", async () => {
    await using under = await open();
    const cut = new AbortController();
    const body = patternBody(TWO_PARTS_BYTES);
    const first = under.again({ parallelParts: 1 });
    await assert.rejects(first.put(KEY, cutAtSecondPart(body, cut), FREELY, cut.signal), /cut off/);
    assert.deepEqual(await under.vault.unfinished("footage/"), [KEY]);
    const sent: (number | undefined)[] = [];
    const watched: ObjectBody = {
      ...body,
      open(range) {
        sent.push(range?.from);
        return body.open(range);
      },
    };
    const version = await under.vault.put(KEY, watched, FREELY, NEVER);
    assert.deepEqual(sent, [PART_BYTES]);
    await readBack(under.vault, KEY, version, body, "whole", NEVER);
    assert.deepEqual(await under.vault.traces(KEY), { ...NOTHING, versions: 1 });
  });

  it("aborts an upload that another superseded, and one that nobody noted", async () => {
    await using under = await open();
    await under.breakOff(KEY);
    await under.breakOff(`${KEY}.other`);
    await put(under, patternBody(TWO_PARTS_BYTES));
    assert.deepEqual(await under.vault.traces(KEY), { ...NOTHING, versions: 1 });
    assert.deepEqual(await under.vault.unfinished("footage/"), [`${KEY}.other`]);
  });

  it("stores nothing of several parts when one is not as promised", async () => {
    await using under = await open();
    const { parts } = patternBody(TWO_PARTS_BYTES);
    const body = { ...patternBody(TWO_PARTS_BYTES, 1), parts };
    await assert.rejects(put(under, body), { code: "VAULT_CORRUPT" });
    assert.deepEqual(await under.vault.traces(KEY), NOTHING);
  });

  it("finds a vault that kept something else than it said, though its listing agrees", async () => {
    await using under = await open();
    const body = patternBody(5_000_000);
    await put(under, body);
    const others = patternBody(5_000_000, 1);
    for (const how of ["sampled", "whole"] as const) {
      const [only] = await under.vault.versions(KEY);
      const reading = readBack(under.vault, KEY, only?.versionId ?? "", others, how, NEVER);
      await assert.rejects(reading, { code: "VAULT_CORRUPT" }, how);
    }
  });
}

function ofLocked(open: () => Promise<BucketUnderTest>): void {
  for (const [what, bytes] of [
    ["one part", 1000],
    ["several parts", TWO_PARTS_BYTES],
  ] as const) {
    it(`refuses to destroy ${what} while the lock lasts, and destroys afterwards (AR-26)`, async () => {
      await using under = await open();
      const lockedUntil = plus(systemClock.now(), HOUR_MS);
      const version = await put(under, patternBody(bytes), { lockedUntil });
      const retention = await under.calls.getRetention(KEY, version);
      assert.equal(retention?.mode, "GOVERNANCE");
      assert.ok(retention.until >= lockedUntil && retention.until < lockedUntil + SECOND_MS);
      await assert.rejects(under.vault.destroy(KEY, version), { code: "VAULT_LOCKED" });
      assert.equal((await under.vault.versions(KEY)).length, 1);
      await endSoon(under, version);
      await destroyed(under, version);
      assert.deepEqual(await under.vault.traces(KEY), NOTHING);
    });
  }

  it("stores nothing that is to be locked when a part is not as promised", async () => {
    await using under = await open();
    const { parts } = patternBody(TWO_PARTS_BYTES);
    const body = { ...patternBody(TWO_PARTS_BYTES, 1), parts };
    const lockedUntil = plus(systemClock.now(), HOUR_MS);
    await assert.rejects(put(under, body, { lockedUntil }), { code: "VAULT_CORRUPT" });
    assert.deepEqual(await under.vault.traces(KEY), NOTHING);
  });

  it("holds several parts from their first moment, and gives the hold its own refusal", async () => {
    await using under = await open();
    const version = await put(under, patternBody(TWO_PARTS_BYTES), { held: true });
    assert.equal(await under.vault.isHeld(KEY, version), true);
    await assert.rejects(under.vault.destroy(KEY, version), { code: "VAULT_HELD" });
    await under.vault.setHold(KEY, version, false);
    await under.vault.destroy(KEY, version);
  });

  it("locks and holds what was there already without", async () => {
    await using under = await open();
    const version = await put(under, text("beeld"));
    const lockedUntil = plus(systemClock.now(), HOUR_MS);
    assert.equal(await put(under, text("beeld"), { held: true, lockedUntil }), version);
    assert.equal(await under.vault.isHeld(KEY, version), true);
    assert.ok(((await under.calls.getRetention(KEY, version))?.until ?? 0) >= lockedUntil);
    await under.vault.setHold(KEY, version, false);
    await assert.rejects(under.vault.destroy(KEY, version), { code: "VAULT_LOCKED" });
  });
}

/** Lets the lock end in a second: or later, where that was over before the server was asked. */
async function endSoon(under: BucketUnderTest, version: string): Promise<void> {
  for (let inMs = SECOND_MS; ; inMs *= 2) {
    try {
      return await under.shortenLock(KEY, version, plus(systemClock.now(), inMs));
    } catch (error) {
      if (inMs > MINUTE_MS) throw error;
    }
  }
}

/** Polls until the lock has ended, by the server's clock. */
async function destroyed({ vault }: BucketUnderTest, version: string): Promise<void> {
  const refusals = new Set(["VAULT_DENIED", "VAULT_LOCKED"]);
  for (;;) {
    try {
      return await vault.destroy(KEY, version);
    } catch (error) {
      if (!(error instanceof BewaardError && refusals.has(error.code))) throw error;
      await systemClock.sleep(50, NEVER);
    }
  }
}
