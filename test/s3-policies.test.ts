import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { S3 } from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { DAY_MS, plus } from "#base/time";
import { ACCOUNT } from "../daemon/demo/s3-server/call.ts";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { lifecycleOf } from "../daemon/vault-policy/lifecycle.ts";
import {
  type Dialect,
  userOf,
  type VaultNames,
  type VaultRole,
} from "../daemon/vault-policy/names.ts";
import { bucketPolicy } from "../daemon/vault-policy/policies.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { openS3Vault } from "../storage/vault/s3.ts";
import { memoryNotes } from "../storage/vault/upload-notes.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";
import {
  destroying,
  eachRefused,
  forging,
  prying,
  resetting,
  unlocking,
} from "./peers/attempts.ts";
import { makeCertificate } from "./peers/ceph-files.ts";
import { BOX, BUCKET, OTHER_BOX } from "./peers/policed.ts";

const OWN = `footage/${BOX}/dev-1/2026/11/01/080000Z-01J00000000000000000000001.age`;
const OTHERS = `footage/${OTHER_BOX}/dev-9/2026/11/01/080000Z-01J00000000000000000000009.age`;

/** A bucket as docs/vault.md sets it up, over TLS, on the server of this repository. */
async function openPoliced(dialect: Dialect, level: VaultNames["level"]) {
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await temporaryFolder());
  const names: VaultNames = {
    bucket: BUCKET,
    level,
    dialect,
    nodes: [BOX, OTHER_BOX],
    account: ACCOUNT,
    users: "bewaard",
    termMs: 28 * DAY_MS,
    separateCopy: true,
  };
  const owner = credentialOf("owner");
  const roles = [
    ...[BOX, OTHER_BOX].flatMap((node) => [
      userOf(names, "box", node),
      userOf(names, "destroyer", node),
    ]),
    userOf(names, "custodian", ""),
    userOf(names, "break-glass", ""),
  ];
  const users = ["owner", ...roles].map((name) => ({ name, ...credentialOf(name) }));
  const made = await makeCertificate(folder);
  const tls = { cert: made.pem, key: await readFile(made.path, "utf8") };
  const server = undo.use(await startS3Server({ quirks: dialect, users, tls }));
  const { endpoint, region } = server;
  const as = (credentials: Credential) =>
    new S3({
      endpoint,
      region,
      credentials,
      forcePathStyle: true,
      maxAttempts: 1,
      requestHandler: { httpsAgent: { ca: tls.cert } },
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
  await setUp(as(owner), names);
  const own = { provider: "own", owner: undefined, reports: [], certificate: tls.cert };
  const bucket = { ...own, region, endpoint, name: BUCKET, level };
  const stack = undo.move();
  return {
    client: (role: VaultRole, node: string) => as(credentialOf(userOf(names, role, node))),
    vault: (node: string) =>
      openS3Vault(
        systemClock,
        bucket,
        {
          box: credentialOf(userOf(names, "box", node)),
          ...(level === "plain" && { destroyer: credentialOf(userOf(names, "destroyer", node)) }),
        },
        { residency: async () => {}, notes: memoryNotes() },
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type Credential = ReturnType<typeof credentialOf>;

function credentialOf(name: string) {
  return { accessKeyId: name.toUpperCase(), secretAccessKey: `secret of ${name}` };
}

async function setUp(owner: S3, names: VaultNames): Promise<void> {
  const at = { Bucket: names.bucket };
  await owner.createBucket({ ...at, ObjectLockEnabledForBucket: names.level === "locked" });
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await owner.putBucketVersioning({ ...at, VersioningConfiguration });
  const LifecycleConfiguration = { Rules: [...lifecycleOf(names).Rules] };
  await owner.putBucketLifecycleConfiguration({ ...at, LifecycleConfiguration });
  await owner.putBucketPolicy({ ...at, Policy: JSON.stringify(bucketPolicy(names)) });
}

for (const dialect of ["aws", "ceph"] as const) {
  describe(`the policies as printed for ${dialect}, on the server of this repository`, () => {
    it("let a box store, lock and read, and destroy, free or see nothing beyond (R-01)", async () => {
      await using site = await openPoliced(dialect, "locked");
      await using vault = site.vault(BOX);
      await using elsewhere = site.vault(OTHER_BOX);
      const lockedUntil = plus(systemClock.now(), 26 * DAY_MS);
      const keeping = { facts: { id: "01" }, held: true, lockedUntil };
      const VersionId = await vault.put(OWN, bytesBody(Buffer.from("sealed")), keeping, NEVER);
      const got = await Array.fromAsync(vault.read(OWN, VersionId, NEVER));
      assert.equal(Buffer.concat(got).toString(), "sealed");
      const theirs = await elsewhere.put(OTHERS, bytesBody(Buffer.from("theirs")), keeping, NEVER);
      const box = site.client("box", BOX);
      const at = { Bucket: BUCKET, Key: OWN, VersionId };
      const { "set a hold": _, ...unlock } = unlocking(box, at, systemClock.now());
      await eachRefused({ ...destroying(box, at), ...unlock, ...resetting(box) });
      const other = { Bucket: BUCKET, Key: OTHERS, VersionId: theirs };
      await eachRefused({ ...prying(box, other), ...forging(box, other, "none") });
      await eachRefused(destroying(box, other));
    });

    it("let a box of a plain bucket destroy with the destroyer's credential only", async () => {
      await using site = await openPoliced(dialect, "plain");
      await using vault = site.vault(BOX);
      const keeping = { facts: { id: "01" }, held: false, lockedUntil: undefined };
      const VersionId = await vault.put(OWN, bytesBody(Buffer.from("sealed")), keeping, NEVER);
      const at = { Bucket: BUCKET, Key: OWN, VersionId };
      await eachRefused(destroying(site.client("box", BOX), at));
      await eachRefused(destroying(site.client("destroyer", OTHER_BOX), at));
      const destroyer = site.client("destroyer", BOX);
      await eachRefused(prying(destroyer, at));
      await destroyer.deleteObject(at);
    });

    it("let a box store what is larger than a part, and not destroy that either", async () => {
      await using site = await openPoliced(dialect, "locked");
      await using vault = site.vault(BOX);
      const lockedUntil = plus(systemClock.now(), 26 * DAY_MS);
      const keeping = { facts: { id: "01" }, held: false, lockedUntil };
      const large = bytesBody(Buffer.alloc(64 * 1024 * 1024 + 1));
      const VersionId = await vault.put(OWN, large, keeping, NEVER);
      const box = site.client("box", BOX);
      await eachRefused(destroying(box, { Bucket: BUCKET, Key: OWN, VersionId }));
    });
  });
}
