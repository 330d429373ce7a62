import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { type Peer, seenIn } from "./contracts/s3-conformance.ts";
import { WRITING_ROWS } from "./contracts/s3-rows-writing.ts";

const USERS = [
  { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" },
  { name: "other", accessKeyId: "OTHER", secretAccessKey: "others-secret" },
] as const;

function peerOf({ endpoint, region }: S3Server): Peer {
  const [owner, other] = USERS;
  return {
    endpoint,
    region,
    owner: { ...owner, arn: "arn:aws:iam:::user/owner" },
    other: { ...other, arn: "arn:aws:iam:::user/other" },
  };
}

describe("S3 server in this repository", () => {
  for (const quirks of ["aws", "ceph"] as const) {
    for (const row of WRITING_ROWS) {
      it(`${quirks}: ${row.name}`, async () => {
        await using server = await startS3Server({ quirks, users: USERS });
        assert.equal(await seenIn(peerOf(server), row), "ok");
      });
    }
  }
});
