import assert from "node:assert/strict";
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { OWN_TELLS } from "../../config/eea-table.ts";
import { whereaboutsOf } from "../../storage/vault/residency.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import { startCeph } from "./ceph.ts";

const OWN = { reports: ["eu-central-1"], tells: OWN_TELLS };
const LOOKING = ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetReplicationConfiguration"];

describe("a bucket of Ceph that is asked where it is (DH-11)", function () {
  this.timeout(120_000);

  it("answers the box that may look, and nobody else", async () => {
    await using ceph = await startCeph();
    const { endpoint, region, credential } = ceph;
    const client = new S3Client({
      endpoint,
      region,
      credentials: credential,
      forcePathStyle: true,
    });
    const at = { Bucket: "beelden" };
    await client.send(new CreateBucketCommand(at));
    const box = await ceph.addUser("box");
    const bucket = {
      provider: "own",
      region,
      endpoint,
      name: "beelden",
      owner: undefined,
      level: "plain",
      certificate: undefined,
      reports: [],
    } as const;
    await using calls = openS3Calls(bucket, box);
    const allow = async (actions: readonly string[]) => {
      const statement = {
        Effect: "Allow",
        Principal: { AWS: ["arn:aws:iam:::user/box"] },
        Action: actions,
        Resource: ["arn:aws:s3:::beelden"],
      };
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
      await client.send(new PutBucketPolicyCommand({ ...at, Policy }));
    };
    assert.equal((await whereaboutsOf(calls, OWN)).refused, "its header: denied");
    await allow(LOOKING);
    // Ceph 16 has no header for it.
    assert.deepEqual(await whereaboutsOf(calls, OWN), {
      header: "not told",
      location: "eu-central-1",
      replication: [],
      refused: undefined,
    });
    const elsewhere = await whereaboutsOf(calls, { ...OWN, reports: ["eu-west-2"] });
    assert.equal(elsewhere.refused, "its location says eu-central-1, which is not eu-west-2");
    for (const denied of LOOKING) {
      await allow(LOOKING.filter((action) => action !== denied));
      assert.match((await whereaboutsOf(calls, OWN)).refused ?? "", /: denied$/, denied);
    }
    client.destroy();
  });
});
