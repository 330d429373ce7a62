import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { parseDeviceId, parseNodeId, parseSegmentId } from "#base/ids";
import { DAY_MS, plus } from "#base/time";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { emptyVault } from "../daemon/destroy.ts";
import { textBody } from "../storage/vault/body.ts";
import { footageKey } from "../storage/vault/keys.ts";
import { FREELY } from "../storage/vault/vault.ts";
import { openBucket } from "./fakes/bucket.ts";
import { NEVER, START } from "./fakes/rig.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const ID = parseSegmentId("01J00000000000000000000001");
const KEY = footageKey(parseNodeId("dock-1"), parseDeviceId("bc-0101"), plus(START, DAY_MS), ID);

describe("what somebody deleted in a plain bucket before its term", () => {
  for (const quirks of ["aws", "ceph"] as const) {
    let server: S3Server;
    before(async () => {
      server = await startS3Server({ quirks, users: [OWNER] });
    });
    after(() => server[Symbol.asyncDispose]());

    it(`and left a delete marker of is destroyed, on ${quirks}, and does not stay for ever (invariants 3, 8)`, async () => {
      const bucket = await openBucket(
        { ...server, credential: OWNER, certificate: undefined },
        "plain",
      );
      const { vault, calls } = bucket;
      const versionId = await vault.put(KEY, textBody("beeld"), FREELY, NEVER);
      await bucket.hide(KEY);
      // As a rule for versions that are not current does.
      await calls.deleteVersions([{ key: KEY, versionId }]);
      assert.deepEqual(await vault.traces(KEY), { versions: 0, markers: 1, unfinished: 0 });
      assert.equal(await emptyVault(vault, KEY), 0);
      assert.deepEqual(await vault.traces(KEY), { versions: 0, markers: 0, unfinished: 0 });
    });
  }
});
