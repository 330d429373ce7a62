import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { DAY_MS, plus } from "#base/time";
import { lifecycleOf } from "../../daemon/vault-policy/lifecycle.ts";
import type { VaultNames } from "../../daemon/vault-policy/names.ts";
import { bytesBody } from "../../storage/vault/body.ts";
import type { Bucket } from "../../storage/vault/bucket.ts";
import { readBack } from "../../storage/vault/read-back.ts";
import { openS3Vault } from "../../storage/vault/s3.ts";
import type { Piece, S3Calls } from "../../storage/vault/s3-answers.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import { memoryNotes } from "../../storage/vault/upload-notes.ts";
import { FREELY } from "../../storage/vault/vault.ts";
import { patternBody, TWO_PARTS_BYTES } from "../fakes/bucket.ts";
import { NEVER } from "../fakes/rig.ts";
import { put } from "./objects.ts";
import { BOX, openPoliced, type Policed } from "./policed.ts";

// The other side of stolen-box.test.ts: a policy that is too narrow stops a box.

const OWN = `footage/${BOX}/dev-1/2026/11/01/080000Z-01.age`;
const sealed = randomBytes(100_000);

/** What is asked before the first byte, and by `bewaard check --vault`. */
async function asksAll(calls: S3Calls, names: VaultNames): Promise<void> {
  await calls.headBucket();
  assert.deepEqual(await calls.location(), { region: "eu-central-1" });
  assert.equal(await calls.versioning(), "Enabled");
  assert.ok(await calls.lockConfiguration());
  const rules = await calls.lifecycle();
  assert.ok(rules !== "not told" && rules.length === lifecycleOf(names).Rules.length);
  assert.deepEqual(await calls.replication(), []);
  const policy = await calls.policy();
  assert.ok(policy !== "not told" && policy.json?.includes("NobodyElseDestroys"));
  await calls.policyStatus();
  await calls.publicAccess();
}

/** An upload that is finished, and one that is abandoned. */
async function uploads(calls: S3Calls, key: string): Promise<void> {
  const upload = { key, uploadId: await calls.createUpload(key, {}) };
  const part = await calls.uploadPart(upload, 1, pieceOf(sealed), NEVER);
  assert.equal((await calls.listParts(upload)).length, 1);
  assert.equal((await calls.listUploads(key)).length, 1);
  await calls.completeUpload(upload, [part], NEVER);
  const abandoned = { key, uploadId: await calls.createUpload(key, {}) };
  await calls.abortUpload(abandoned);
  assert.deepEqual(await calls.listUploads(key), []);
}

/** A file of several parts, through the vault as a box opens it: locked from its first moment where it must be. */
async function putsLarge({ bucket, credential }: Policed, level: Bucket["level"]): Promise<void> {
  const credentials = { box: credential("box"), destroyer: credential("destroyer") };
  const { box } = credentials;
  const options = { residency: async () => undefined, notes: memoryNotes() };
  const used = level === "plain" ? credentials : { box };
  await using vault = openS3Vault(systemClock, bucket, used, options);
  const body = patternBody(TWO_PARTS_BYTES);
  const lockedUntil = level === "locked" ? plus(systemClock.now(), 26 * DAY_MS) : undefined;
  const key = `footage/${BOX}/dev-1/2026/11/01/090000Z-02.age`;
  const versionId = await vault.put(key, body, { ...FREELY, lockedUntil }, NEVER);
  await readBack(vault, key, versionId, body, "whole", NEVER);
  if (level === "plain") {
    await vault.destroy(key, versionId);
    assert.deepEqual(await vault.traces(key), { versions: 0, markers: 0, unfinished: 0 });
  } else {
    await assert.rejects(vault.destroy(key, versionId), { code: "VAULT_LOCKED" });
  }
}

function pieceOf(content: Uint8Array): Piece {
  const body = bytesBody(content);
  const [sha256] = body.parts;
  assert.ok(sha256);
  return { open: () => body.open(), bytes: body.bytes, sha256 };
}

describe("a box at work", () => {
  for (const level of ["locked", "plain"] as const) {
    it(`does all that it must with its own credential, at a ${level} bucket`, async () => {
      await using site = await openPoliced(level);
      await put(site.as("custodian"), "desk/1.json", "{}");
      await using calls = openS3Calls(site.bucket, site.credential("box"));
      await asksAll(calls, site.names);
      const locks = level === "locked";
      const lockedUntil = locks ? plus(systemClock.now(), 26 * DAY_MS) : undefined;
      const how = { metadata: { id: "01" }, held: locks, lockedUntil, once: true };
      const answer = await calls.putObject(OWN, pieceOf(sealed), how, NEVER);
      assert.ok(typeof answer !== "string");
      const { versionId } = answer;
      assert.equal((await calls.headObject(OWN, versionId)).metadata["id"], "01");
      const got = await Array.fromAsync(calls.getObject(OWN, versionId, undefined, NEVER));
      assert.deepEqual(Buffer.concat(got), sealed);
      assert.equal((await calls.listVersions(OWN, undefined, 1000)).versions.length, 1);
      assert.equal((await calls.listVersions("desk/", undefined, 1000)).versions.length, 1);
      await uploads(calls, `${OWN}-large`);
      await putsLarge(site, level);
      if (!locks) return;
      assert.equal(await calls.getHold(OWN, versionId), true);
      assert.equal((await calls.getRetention(OWN, versionId))?.mode, "GOVERNANCE");
    });
  }
});
