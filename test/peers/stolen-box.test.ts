import assert from "node:assert/strict";
import { DeleteObjectCommand, DeleteObjectsCommand } from "@aws-sdk/client-s3";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { DAY_MS } from "#base/time";
import type { VaultNames } from "../../daemon/vault-policy/names.ts";
import { bucketPolicy } from "../../daemon/vault-policy/policies.ts";
import { openText, sealText } from "../../storage/seal/small.ts";
import { destroying, eachRefused, forging, prying, resetting, unlocking } from "./attempts.ts";
import { holdOf, lockOf, put, read, setHold, startUpload, versionsOf } from "./objects.ts";
import { BOX, OTHER_BOX, openPoliced, type Policed } from "./policed.ts";

// With users and policies exactly as `bewaard vault policy` prints them, on Ceph.

const OWN = `footage/${BOX}/dev-1/2026/11/01/080000Z-01.age`;
const OTHERS = `footage/${OTHER_BOX}/dev-9/2026/11/01/080000Z-09.age`;
const identity = await generateX25519Identity();
const sealed = await sealText([await identityToRecipient(identity)], "what the camera saw");
const inDays = (days: number) => ({ until: new Date(systemClock.now() + days * DAY_MS) });

/** What another box and the desk have in the same bucket. */
async function ofOthers(site: Policed) {
  const [other, custodian] = [site.as("box", OTHER_BOX), site.as("custodian")];
  return {
    footage: await put(other, OTHERS, sealed),
    upload: await startUpload(other, OTHERS),
    backup: await put(other, `backup/${OTHER_BOX}/catalog-1.age`, "sealed too"),
    desk: await put(custodian, "desk/entries/000001.json", "{}"),
    deskUpload: await startUpload(custodian, "desk/entries/000001.json"),
  };
}

describe("a stolen box, at a locked bucket", () => {
  it("can neither destroy, unlock, free nor change what it stored, however it asks (R-01)", async () => {
    await using site = await openPoliced("locked");
    const [box, custodian] = [site.as("box"), site.as("custodian")];
    const at = await put(box, OWN, sealed, inDays(26), true);
    const lock = await lockOf(custodian, at);
    await eachRefused({
      ...destroying(box, at),
      ...unlocking(box, at, systemClock.now()),
      ...resetting(box),
    });
    assert.match(lock, /^GOVERNANCE /);
    assert.equal(await lockOf(custodian, at), lock);
    assert.equal(await holdOf(custodian, at), "ON");
    assert.deepEqual(await read(custodian, at), Buffer.from(sealed));
  });

  it("adds a version by writing over one, and the first stays, locked as it was", async () => {
    await using site = await openPoliced("locked");
    const box = site.as("box");
    const first = await put(box, OWN, sealed, inDays(26));
    const lock = await lockOf(box, first);
    const second = await put(box, OWN, "forged");
    assert.deepEqual((await versionsOf(box, OWN)).versions, [second.VersionId, first.VersionId]);
    assert.deepEqual(await read(box, first), Buffer.from(sealed));
    assert.equal(await lockOf(box, first), lock);
    await eachRefused({ ...destroying(box, first), ...unlocking(box, first, systemClock.now()) });
  });

  it("sees and touches nothing of another box, and of the desk only what it reads", async () => {
    await using site = await openPoliced("locked");
    const box = site.as("box");
    const { footage, upload, backup, desk, deskUpload } = await ofOthers(site);
    await eachRefused({ ...prying(box, footage), ...forging(box, footage, upload) });
    await eachRefused({ ...destroying(box, footage) });
    await eachRefused({ ...prying(box, backup), ...forging(box, backup, "none") });
    await eachRefused({ ...forging(box, desk, deskUpload), ...destroying(box, desk) });
    assert.equal(String(await read(box, desk)), "{}");
  });

  it("reads of its own only ciphertext, that a key which never was on it opens (DH-09)", async () => {
    await using site = await openPoliced("locked");
    const at = await put(site.as("box"), OWN, sealed, inDays(26));
    const got = await read(site.as("box"), at);
    assert.ok(!got.includes("camera"));
    await assert.rejects(openText(await generateX25519Identity(), got), {
      code: "SEAL_NOT_FOR_US",
    });
    assert.equal(await openText(identity, got), "what the camera saw");
  });

  it("could free and unlock what it stored on Ceph, if that were only not granted", async () => {
    // Who puts an object there owns it. So the policy must refuse by name, and this test knows whether it still must.
    const policy = (names: VaultNames) => {
      const { Statement, ...rest } = bucketPolicy(names);
      return { ...rest, Statement: Statement.filter(({ Effect }) => Effect === "Allow") };
    };
    await using site = await openPoliced("locked", { policy });
    const box = site.as("box");
    const at = await put(box, OWN, sealed, inDays(26), true);
    const tries = unlocking(box, at, systemClock.now());
    await tries["lift its hold"]?.();
    await tries["lengthen its lock until it turns round"]?.();
    assert.equal(await holdOf(box, at), "OFF");
    assert.match(await lockOf(box, at), /^GOVERNANCE 1990-/);
  });

  it("can on Ceph still add junk: held, or locked for as long as it says", async () => {
    // docs/vault.md says so. A Ceph that refuses this can be given more.
    await using site = await openPoliced("locked");
    const box = site.as("box");
    const held = await put(box, OWN, "junk", undefined, true);
    assert.equal(await holdOf(box, held), "ON");
    const locked = await put(box, OWN, "junk", { ...inDays(2), mode: "COMPLIANCE" });
    assert.match(await lockOf(box, locked), /^COMPLIANCE /);
  });
});

describe("others at a locked bucket", () => {
  it("lets a custodian read, hold and release, and neither destroy, unlock nor store (AR-26)", async () => {
    await using site = await openPoliced("locked");
    const [box, custodian] = [site.as("box"), site.as("custodian")];
    const at = await put(box, OWN, sealed, inDays(26));
    await setHold(custodian, at, "ON");
    assert.equal(await holdOf(box, at), "ON");
    await setHold(custodian, at, "OFF");
    assert.equal(await holdOf(box, at), "OFF");
    assert.deepEqual(await read(custodian, at), Buffer.from(sealed));
    const {
      "lift its hold": _lift,
      "set a hold": _set,
      ...rest
    } = unlocking(custodian, at, systemClock.now());
    await eachRefused({ ...destroying(custodian, at), ...rest, ...resetting(custodian) });
    await eachRefused(forging(custodian, at, await startUpload(box, OWN)));
  });

  it("lets two people destroy before the lock ends, but not what is held, and read nothing", async () => {
    await using site = await openPoliced("locked");
    const [box, custodian, twoPeople] = [
      site.as("box"),
      site.as("custodian"),
      site.as("break-glass"),
    ];
    const at = await put(box, OWN, sealed, inDays(26), true);
    const bypassed = new DeleteObjectCommand({ ...at, BypassGovernanceRetention: true });
    await assert.rejects(twoPeople.send(bypassed), { name: "AccessDenied" });
    await eachRefused({
      ...unlocking(twoPeople, at, systemClock.now()),
      ...forging(twoPeople, at, "none"),
    });
    const { "read it": see, "read it by key": byKey } = prying(twoPeople, at);
    assert.ok(see && byKey);
    await eachRefused({ see, byKey });
    await setHold(custodian, at, "OFF");
    await twoPeople.send(bypassed);
    assert.deepEqual(await versionsOf(box, OWN), { versions: [], markers: 0 });
    await resetting(twoPeople)["remove the policy"]?.();
  });

  it("refuses even its owner, for as long as the policy stands", async () => {
    await using site = await openPoliced("locked");
    const at = await put(site.as("box"), OWN, sealed, inDays(26), true);
    const { "set a policy": _set, "open the bucket to all": open, ...rest } = resetting(site.owner);
    assert.ok(open);
    await eachRefused({ ...destroying(site.owner, at), ...rest, open });
    await eachRefused(unlocking(site.owner, at, systemClock.now()));
  });
});

describe("a stolen box, at a plain bucket", () => {
  it("destroys nothing with its own credential, and writing over adds a version (R-01)", async () => {
    await using site = await openPoliced("plain");
    const box = site.as("box");
    const first = await put(box, OWN, sealed);
    const second = await put(box, OWN, "forged");
    await eachRefused({ ...destroying(box, first), ...resetting(box) });
    assert.deepEqual((await versionsOf(box, OWN)).versions, [second.VersionId, first.VersionId]);
    assert.deepEqual(await read(box, first), Buffer.from(sealed));
    const { footage, upload } = await ofOthers(site);
    await eachRefused({ ...prying(box, footage), ...forging(box, footage, upload) });
  });

  it("destroys with the destroyer's, of its own box, and neither reads, lists nor writes with it", async () => {
    await using site = await openPoliced("plain");
    const [box, destroyer] = [site.as("box"), site.as("destroyer")];
    const [one, two] = [await put(box, OWN, sealed), await put(box, OWN, sealed)];
    await eachRefused({ ...prying(destroyer, one), ...forging(destroyer, one, "none") });
    const { Bucket, Key, VersionId } = two;
    await destroyer.send(new DeleteObjectCommand(one));
    const Delete = { Objects: [{ Key, VersionId }] };
    const { Errors = [] } = await destroyer.send(new DeleteObjectsCommand({ Bucket, Delete }));
    assert.deepEqual(Errors, []);
    assert.deepEqual(await versionsOf(box, OWN), { versions: [], markers: 0 });
  });

  it("destroys no ledger, no desk entry and nothing of another box with the destroyer's", async () => {
    await using site = await openPoliced("plain");
    const [box, destroyer] = [site.as("box"), site.as("destroyer")];
    const { footage, desk } = await ofOthers(site);
    const ledger = await put(box, `ledger/${BOX}/checkpoint`, "signed");
    for (const at of [footage, desk, ledger]) await eachRefused(destroying(destroyer, at));
    await eachRefused(resetting(destroyer));
  });

  it("lets a custodian read and write the desk's entries, and destroy nothing", async () => {
    await using site = await openPoliced("plain");
    const custodian = site.as("custodian");
    const at = await put(site.as("box"), OWN, sealed);
    const { desk } = await ofOthers(site);
    assert.deepEqual(await read(custodian, at), Buffer.from(sealed));
    await eachRefused({ ...destroying(custodian, at), ...forging(custodian, at, "none") });
    await eachRefused({ ...destroying(custodian, desk), ...resetting(custodian) });
  });
});
