import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { ROWS } from "./contracts/s3-conformance.ts";
import { CEPH_QUIRKS } from "./contracts/s3-quirks.ts";
import { seenIn } from "./contracts/s3-row.ts";
import { S3_USERS, s3Peer } from "./fakes/s3-peer.ts";

/** A day of lifecycle rules here. */
const DAY_MS = 200;

for (const quirks of ["aws", "ceph"] as const) {
  describe(`S3 server in this repository, as ${quirks}`, () => {
    for (const row of ROWS) {
      const expected = quirks === "ceph" ? CEPH_QUIRKS[row.name] : undefined;
      it(`${row.name}${expected === undefined ? "" : ` – not here: ${expected.why}`}`, async () => {
        await using server = await startS3Server({ quirks, users: S3_USERS, dayMs: DAY_MS });
        assert.equal(await seenIn(s3Peer(server, DAY_MS), row), expected?.seen ?? "ok");
      });
    }
  });
}

describe("rows about S3", () => {
  it("have a name each, and every quirk is about one of them", () => {
    const names = new Set(ROWS.map(({ name }) => name));
    assert.equal(names.size, ROWS.length);
    for (const name of Object.keys(CEPH_QUIRKS)) assert.ok(names.has(name), name);
  });
});
