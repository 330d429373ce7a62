import { after, before, describe } from "mocha";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { bucketContract } from "./contracts/bucket.ts";
import { vaultContract } from "./contracts/vault.ts";
import { openBucket, type S3Peer } from "./fakes/bucket.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };

for (const quirks of ["aws", "ceph"] as const) {
  describe(`the S3 server of this repository, as ${quirks}`, () => {
    let server: S3Server;
    before(async () => {
      server = await startS3Server({ quirks, users: [OWNER] });
    });
    after(() => server[Symbol.asyncDispose]());
    const peer = (): S3Peer => ({ ...server, credential: OWNER, certificate: undefined });
    for (const level of ["plain", "locked"] as const)
      vaultContract(level, () => openBucket(peer(), level));
    bucketContract((level) => openBucket(peer(), level));
  });
}
