import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import type { Clock } from "#base/time";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { bytesBody, fileBody } from "../storage/vault/body.ts";
import { FREELY } from "../storage/vault/vault.ts";
import { bucketContract } from "./contracts/bucket.ts";
import { vaultContract } from "./contracts/vault.ts";
import { openBucket, type S3Peer } from "./fakes/bucket.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };

/** This server looks and destroys at once: there is nothing to wait for. */
const hasty: Clock = { ...systemClock, sleep: async (_, signal) => signal.throwIfAborted() };

for (const quirks of ["aws", "ceph"] as const) {
  describe(`the S3 server of this repository, as ${quirks}`, () => {
    let server: S3Server;
    before(async () => {
      server = await startS3Server({ quirks, users: [OWNER] });
    });
    after(() => server[Symbol.asyncDispose]());
    const peer = (): S3Peer => ({ ...server, credential: OWNER, certificate: undefined });
    for (const level of ["plain", "locked"] as const)
      vaultContract(level, () => openBucket(peer(), level, server.endpoint, hasty));
    bucketContract((level) => openBucket(peer(), level, server.endpoint, hasty));
  });
}

describe("a file on its way to a bucket", () => {
  it("is read in turns into a few buffers, and none is overwritten before it went (invariant 1)", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "sealed.age");
    const content = randomBytes(40_000_000);
    await writeFile(path, content);
    await using server = await startS3Server({ quirks: "aws", users: [OWNER] });
    await using under = await openBucket(
      { ...server, credential: OWNER, certificate: undefined },
      "plain",
    );
    const { parts } = bytesBody(content);
    const body = fileBody(path, content.length, parts);
    const keys = ["footage/a", "footage/b", "footage/c"];
    // The server compares what arrives with the hash that came before it.
    await Promise.all(keys.map((key) => under.vault.put(key, body, FREELY, NEVER)));
  });
});
