import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { SECOND_MS } from "#base/time";
import { startS3Server } from "../../daemon/demo/s3-server/server.ts";
import { ROWS } from "../contracts/s3-conformance.ts";
import { CEPH_QUIRKS } from "../contracts/s3-quirks.ts";
import { type Peer, seenIn } from "../contracts/s3-row.ts";
import { S3_USERS, s3Peer } from "../fakes/s3-peer.ts";
import { startCeph } from "./ceph.ts";

const DAY_S = 4;

describe("rows about S3, asked of Ceph and of the server in this repository beside it", () => {
  const open = new AsyncDisposableStack();
  let ceph: Peer;
  let ours: Peer;

  before(async () => {
    const started = open.use(await startCeph({ dayS: DAY_S }));
    const other = await started.addUser("other");
    const { endpoint, region, credential } = started;
    ceph = {
      endpoint,
      region,
      owner: { ...credential, arn: "arn:aws:iam:::user/admin" },
      other: { ...other, arn: "arn:aws:iam:::user/other" },
      dayMs: DAY_S * SECOND_MS,
    };
    const dayMs = 200;
    const server = await startS3Server({ quirks: "ceph", users: S3_USERS, dayMs });
    ours = s3Peer(open.use(server), dayMs);
  });
  after(() => open.disposeAsync());

  for (const row of ROWS) {
    const quirk = CEPH_QUIRKS[row.name];
    it(`${row.name}${quirk === undefined ? "" : ` – not here: ${quirk.why}`}`, async () => {
      const expected = quirk?.seen ?? "ok";
      const [theirs, mine] = await Promise.all([seenIn(ceph, row), seenIn(ours, row)]);
      assert.deepEqual({ ceph: theirs, ours: mine }, { ceph: expected, ours: expected });
    });
  }
});
