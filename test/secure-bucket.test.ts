import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { instant } from "#base/time";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { openMedium } from "../daemon/open-medium.ts";
import { hold, release, rowsOf, secureOnce } from "./fakes/medium.ts";
import { NEVER, openRig, type Rig } from "./fakes/rig.ts";
import { clientOf } from "./peers/ceph-client.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };

async function makeBucket({ endpoint, region }: S3Server, bucket: string): Promise<void> {
  const client = clientOf({ endpoint, region, certificate: undefined }, OWNER);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const versioned = { Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } } as const;
  await client.send(new PutBucketVersioningCommand(versioned));
  client.destroy();
}

/** The bucket as the separate medium of the rig's box, as its configuration would have it. */
async function openBucketMedium(rig: Rig, { endpoint, region }: S3Server, bucket: string) {
  const credential = join(rig.folder, "secured.credential");
  await writeFile(credential, `${OWNER.accessKeyId}:${OWNER.secretAccessKey}\n`, { mode: 0o600 });
  const declared = { country: "NL", declared_by: "beheer", declared_on: instant(1e12) } as const;
  const s3 = { provider: "own", region, endpoint, bucket, ...declared };
  const secured = { s3, medium: "emmer", serial: "veilig-1" };
  const medium = await openMedium(rig.clock, rig.database, { secured, state: rig.folder });
  assert.ok(medium);
  return medium;
}

describe("a bucket as the separate medium (AR-20)", () => {
  it("takes held footage, is verified, lets go of every version, and is no other bucket", async () => {
    await using rig = await openRig();
    await using server = await startS3Server({ quirks: "aws", users: [OWNER], clock: rig.clock });
    await makeBucket(server, "veilig");
    await makeBucket(server, "ander");
    await using medium = await openBucketMedium(rig, server, "veilig");
    const footage = () => Array.fromAsync(medium.vault.list("footage/", NEVER));
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    assert.equal((await footage()).length, 1);
    assert.equal((await rowsOf(rig, "select 1 from hold where secured_at_ms > 0")).length, 1);
    assert.deepEqual(await rig.check("hashes", medium), []);
    await using other = await openBucketMedium(rig, server, "ander");
    await assert.rejects(other.vault.versions("footage/x"), { code: "VAULT_IDENTITY" });
    await release(rig);
    await secureOnce(rig, medium);
    assert.deepEqual(await footage(), []);
    assert.deepEqual(await rig.check("hashes", medium), []);
  });
});
