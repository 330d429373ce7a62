import assert from "node:assert/strict";
import { GetObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { DAY_MS, SECOND_MS } from "#base/time";
import { type At, put, read, setHold, startUpload, versionsOf } from "./objects.ts";
import { BOX, BUCKET, openPoliced, type Policed } from "./policed.ts";
import { seen } from "./wall.ts";

// Ceph's own lifecycle with the rules as `bewaard vault policy` prints them. Its "day" lasts seconds.

const DAY_S = 3;
/** Of a lock under which others are seen to go: a slow machine needs some days for that. */
const LOCK_MS = 45 * SECOND_MS;
/** Of a term that is not over by then. */
const TERM_DAYS = 28;
const WITHIN_MS = 90 * SECOND_MS;
const key = (name: string) => `footage/${BOX}/dev-1/2026/11/01/080000Z-${name}.age`;
const NONE = { versions: [], markers: 0 };

async function isGone(site: Policed, { Key }: At): Promise<boolean> {
  const { versions, markers } = await versionsOf(site.as("custodian"), Key);
  return versions.length === 0 && markers === 0;
}

async function isThere(site: Policed, at: At): Promise<boolean> {
  return (await versionsOf(site.as("custodian"), at.Key)).versions.includes(at.VersionId);
}

const gone = (site: Policed, what: string, at: At) => seen(what, () => isGone(site, at), WITHIN_MS);

describe("the lifecycle of a locked bucket (R-01)", function () {
  this.timeout(300_000);

  it("destroys each version after the end of its own lock, without anybody's help", async () => {
    await using site = await openPoliced("locked", { dayS: DAY_S });
    const box = site.as("box");
    const until = new Date(systemClock.now() + LOCK_MS);
    const free = await put(box, key("free"), "sealed");
    const locked = await put(box, key("locked"), "sealed", { until });
    await gone(site, "what was not locked is gone", free);
    assert.ok(await isThere(site, locked));
    // Hidden by key meanwhile, which is why evidence is found by version.
    const byKey = box.send(new GetObjectCommand({ Bucket: BUCKET, Key: locked.Key }));
    await assert.rejects(byKey, { name: "NoSuchKey" });
    assert.equal(String(await read(box, locked)), "sealed");
    await seen(
      "the locked one is gone",
      async () => {
        if (await isThere(site, locked)) return false;
        assert.ok(systemClock.now() >= until.getTime(), "gone while it was locked");
        return isGone(site, locked);
      },
      WITHIN_MS,
    );
  });

  it("keeps what is held, locked or not, until it is released, and then destroys it (AR-26)", async () => {
    await using site = await openPoliced("locked", { dayS: DAY_S });
    const [box, custodian] = [site.as("box"), site.as("custodian")];
    const soon = () => ({ until: new Date(systemClock.now() + 10 * SECOND_MS) });
    const held = await put(box, key("held"), "sealed", soon(), true);
    const later = await put(box, key("held-later"), "sealed", soon());
    await setHold(custodian, later, "ON");
    const released = await put(box, key("released"), "sealed", soon(), true);
    await setHold(custodian, released, "OFF");
    await gone(site, "what was released is gone", released);
    // As many days again.
    const witness = await put(box, key("witness"), "sealed");
    await gone(site, "the witness is gone", witness);
    assert.equal(String(await read(custodian, held)), "sealed");
    assert.equal(String(await read(custodian, later)), "sealed");
    for (const at of [held, later]) await setHold(custodian, at, "OFF");
    for (const at of [held, later]) await gone(site, "released now, and gone", at);
  });

  it("destroys what a thief wrote over footage, and not the footage", async () => {
    await using site = await openPoliced("locked", { dayS: DAY_S });
    const box = site.as("box");
    const until = new Date(systemClock.now() + DAY_MS);
    const first = await put(box, key("first"), "sealed", { until });
    const forged = await put(box, key("first"), "forged");
    await seen("what was forged is gone", async () => !(await isThere(site, forged)), WITHIN_MS);
    assert.equal(String(await read(box, first)), "sealed");
  });

  it("ends unfinished uploads, destroys old lists of what boxes took, and touches neither ledger nor desk", async () => {
    await using site = await openPoliced("locked", { dayS: DAY_S });
    const [box, custodian] = [site.as("box"), site.as("custodian")];
    const ledger = await put(box, `ledger/${BOX}/checkpoint`, "signed");
    const desk = await put(custodian, "desk/000001.json", "{}");
    const list = await put(custodian, "desk/seen/2026-11-01.json", "[]");
    const openUploads = [`ledger/${BOX}/1`, key("broken-off")];
    for (const at of openUploads) await startUpload(box, at);
    const free = await put(box, key("free"), "sealed");
    await gone(site, "what was not locked is gone", free);
    await gone(site, "an old list is gone", list);
    await seen("the upload is gone", async () => (await uploads(site)).length === 1, WITHIN_MS);
    assert.deepEqual(await uploads(site), [`ledger/${BOX}/1`]);
    for (const at of [ledger, desk]) {
      const { versions, markers } = await versionsOf(custodian, at.Key);
      assert.deepEqual([versions, markers], [[at.VersionId], 0]);
    }
  });
});

describe("the lifecycle of a plain bucket", () => {
  it("is a long stop at the term where held footage lies on a separate medium (AR-20)", async () => {
    const names = { termMs: 6 * DAY_MS, separateCopy: true };
    await using site = await openPoliced("plain", { dayS: DAY_S, names });
    const box = site.as("box");
    const putAtMs = systemClock.now();
    const at = await put(box, key("left"), "sealed");
    await put(box, key("left"), "a second version");
    await gone(site, "what no destroyer came for is gone", at);
    assert.ok(systemClock.now() >= putAtMs + 6 * DAY_S * SECOND_MS, "gone before its term");
  });

  it("takes what is written over long before the term, by the box's own credential: docs/vault.md warns of it", async () => {
    const names = { termMs: TERM_DAYS * DAY_MS, separateCopy: true };
    await using site = await openPoliced("plain", { dayS: DAY_S, names });
    const box = site.as("box");
    const putAtMs = systemClock.now();
    const first = await put(box, key("there"), "sealed");
    const over = await put(box, key("there"), "junk");
    const versions = async () => (await versionsOf(box, first.Key)).versions;
    await seen(
      "the first is gone",
      async () => !(await versions()).includes(first.VersionId),
      WITHIN_MS,
    );
    assert.deepEqual(await versions(), [over.VersionId]);
    assert.ok(systemClock.now() < putAtMs + TERM_DAYS * DAY_S * SECOND_MS, "not before its term");
  });

  it("destroys no footage where there is no separate medium, only backups, within the term", async () => {
    const names = { termMs: 6 * DAY_MS, separateCopy: false };
    await using site = await openPoliced("plain", { dayS: DAY_S, names });
    const box = site.as("box");
    const at = await put(box, key("held"), "sealed");
    const backup = await put(box, `backup/${BOX}/catalog-1.age`, "sealed");
    await seen(
      "the backup is gone",
      async () => {
        const left = await versionsOf(box, backup.Key);
        return left.versions.length + left.markers === 0;
      },
      WITHIN_MS,
    );
    assert.deepEqual(await versionsOf(box, at.Key), { ...NONE, versions: [at.VersionId] });
  });
});

async function uploads(site: Policed): Promise<readonly string[]> {
  const asked = new ListMultipartUploadsCommand({ Bucket: BUCKET });
  const { Uploads = [] } = await site.as("box").send(asked);
  return Uploads.map(({ Key = "" }) => Key);
}
