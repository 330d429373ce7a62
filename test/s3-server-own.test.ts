import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { appendFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { describe, it } from "mocha";
import { z } from "zod";
import { systemClock } from "#base/system-clock";
import { DAY_MS, SECOND_MS } from "#base/time";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { CONTENT, clientOf, refused, until } from "./contracts/s3-row.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";
import { S3_USERS, s3Peer } from "./fakes/s3-peer.ts";

const [OWNER] = S3_USERS;
const AT = { Bucket: "footage", Key: "one" };

function open(folder: string): Promise<S3Server> {
  return startS3Server({ folder, quirks: "aws", users: S3_USERS });
}

function ownerOf(server: Pick<S3Server, "endpoint" | "region">) {
  return clientOf(s3Peer(server, DAY_MS), s3Peer(server, DAY_MS).owner);
}

/** The first line of the process. */
const said = z.strictObject({ endpoint: z.string(), region: z.string() });

const inDays = (days: number): Date => new Date(systemClock.now() + days * DAY_MS);

describe("S3 server in this repository", () => {
  it("keeps versions, locks, rules and unfinished uploads when it ends and starts again", async () => {
    await using folder = await temporaryFolder();
    const put = { ...AT, Body: CONTENT, ContentMD5: md5(CONTENT) };
    const retention = {
      ObjectLockMode: "GOVERNANCE",
      ObjectLockRetainUntilDate: inDays(1),
    } as const;
    let before: readonly (string | undefined)[];
    {
      await using server = await open(folder.path);
      const s3 = ownerOf(server);
      await s3.createBucket({ Bucket: AT.Bucket, ObjectLockEnabledForBucket: true });
      const one = await s3.putObject({ ...put, ...retention });
      const two = await s3.putObject({ ...put, ObjectLockLegalHoldStatus: "ON" });
      const gone = await s3.putObject(put);
      await s3.deleteObject({ ...AT, VersionId: gone.VersionId });
      const { UploadId } = await s3.createMultipartUpload(AT);
      await s3.uploadPart({
        ...AT,
        UploadId,
        PartNumber: 1,
        Body: CONTENT,
        ContentMD5: md5(CONTENT),
      });
      before = [two.VersionId, one.VersionId, UploadId];
    }
    await using server = await open(folder.path);
    const s3 = ownerOf(server);
    const { Versions = [] } = await s3.listObjectVersions({ Bucket: AT.Bucket });
    const [two, one, UploadId] = before;
    assert.deepEqual(
      Versions.map(({ VersionId }) => VersionId),
      [two, one],
    );
    await refused(s3.deleteObject({ ...AT, VersionId: one }), 403);
    await refused(s3.deleteObject({ ...AT, VersionId: two }), 403);
    assert.equal((await s3.listParts({ ...AT, UploadId })).Parts?.length, 1);
    const got = await s3.getObject({ ...AT, VersionId: one });
    assert.equal(await got.Body?.transformToString(), CONTENT.toString());
  });

  it("forgets at a start what it had not written to the end: a line, and bytes without a name", async () => {
    await using folder = await temporaryFolder();
    {
      await using server = await open(folder.path);
      await ownerOf(server).createBucket({ Bucket: AT.Bucket });
    }
    await appendFile(join(folder.path, "journal"), '{"kind":"bucket gone","bu');
    await writeFile(join(folder.path, "bodies", "left"), CONTENT);
    await using server = await open(folder.path);
    await ownerOf(server).headBucket({ Bucket: AT.Bucket });
    assert.deepEqual(await readdir(join(folder.path, "bodies")), []);
  });

  it("leaves no bytes of a PUT that was refused or broken off, nor of what was deleted", async () => {
    await using folder = await temporaryFolder();
    await using server = await open(folder.path);
    const s3 = ownerOf(server);
    const bytes = () => readdir(join(folder.path, "bodies"));
    await s3.createBucket({ Bucket: AT.Bucket });
    await refused(s3.putObject({ ...AT, Body: CONTENT, ContentMD5: md5(Buffer.from("x")) }), 400);
    assert.deepEqual(await bytes(), []);
    await brokenOff(server);
    await until("the broken off one is cleared away", async () => (await bytes()).length === 0);
    await s3.putObject({ ...AT, Body: "first" });
    await s3.putObject({ ...AT, Body: "second" });
    assert.equal((await bytes()).length, 1);
    await s3.deleteObject(AT);
    assert.deepEqual(await bytes(), []);
  });

  it("ends locks and follows rules by the clock it is given", async () => {
    const clock = simulatedClock(systemClock.now());
    await using server = await startS3Server({ quirks: "aws", users: S3_USERS, clock });
    const s3 = ownerOf(server);
    await s3.createBucket({ Bucket: AT.Bucket, ObjectLockEnabledForBucket: true });
    await s3.putObject({
      ...AT,
      Body: CONTENT,
      ContentMD5: md5(CONTENT),
      ObjectLockMode: "GOVERNANCE",
      ObjectLockRetainUntilDate: inDays(26),
    });
    const rule = {
      Status: "Enabled",
      Filter: { Prefix: "" },
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    } as const;
    await s3.putBucketLifecycleConfiguration({
      Bucket: AT.Bucket,
      LifecycleConfiguration: { Rules: [rule] },
    });
    const left = async () => (await s3.listObjectVersions({ Bucket: AT.Bucket })).Versions?.length;
    for (let day = 1; day <= 26; day += 1) await clock.pass(DAY_MS, NEVER);
    assert.equal(await left(), 1);
    for (let day = 27; day <= 28; day += 1) await clock.pass(DAY_MS, NEVER);
    assert.equal(await left(), undefined);
  });

  it("takes an address that was signed, until it expires and for nothing else", async () => {
    await using server = await startS3Server({ quirks: "aws", users: S3_USERS });
    const s3 = ownerOf(server);
    await s3.createBucket({ Bucket: AT.Bucket });
    await s3.putObject({ ...AT, Body: CONTENT });
    const now = systemClock.now();
    const status = async (address: string) => (await fetch(address)).status;
    assert.equal(await status(signed(server, "/footage/one", now, 60)), 200);
    const bent = signed(server, "/footage/one", now, 60).replace("/one?", "/two?");
    assert.equal(await status(bent), 403);
    assert.equal(await status(signed(server, "/footage/one", now - 61 * SECOND_MS, 60)), 403);
  });

  it("runs as a process, says where on its first line, and ends when nobody holds it", async () => {
    const main = join(import.meta.dirname, "../daemon/demo/s3-server/main.ts");
    const user = `owner:${OWNER?.accessKeyId}:${OWNER?.secretAccessKey}`;
    const child = spawn(process.execPath, [main, "--user", user, "--quirks", "ceph"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    try {
      const heard: unknown[] = await once(createInterface(child.stdout), "line");
      const s3 = ownerOf(said.parse(JSON.parse(String(heard[0]))));
      await s3.createBucket({ Bucket: AT.Bucket });
      await s3.createBucket({ Bucket: AT.Bucket });
    } finally {
      child.stdin.end();
    }
    assert.deepEqual(await ended, [0, null]);
  });
});

function md5(content: Uint8Array): string {
  return createHash("md5").update(content).digest("base64");
}

/** Resolves once the server has begun to take an object and its client has gone away. */
async function brokenOff(server: S3Server): Promise<void> {
  const stop = new AbortController();
  async function* half() {
    for (let piece = 0; piece < 32; piece += 1) yield Buffer.alloc(65_536);
    stop.abort();
    await new Promise<never>(() => {});
  }
  const Body = Readable.from(half(), { objectMode: false });
  const put = { ...AT, Body, ContentLength: 10_000_000 };
  await assert.rejects(ownerOf(server).putObject(put, { abortSignal: stop.signal }));
}

/** An address with the owner's signature in it, made from the rules. */
function signed(
  { endpoint, region }: S3Server,
  path: string,
  atMs: number,
  holdsS: number,
): string {
  const date = new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const query = new URLSearchParams({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${OWNER?.accessKeyId}/${scope}`,
    "X-Amz-Date": date,
    "X-Amz-Expires": String(holdsS),
    "X-Amz-SignedHeaders": "host",
  });
  const host = new URL(endpoint).host;
  const asked = ["GET", path, String(query), `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"];
  const hash = createHash("sha256").update(asked.join("\n")).digest("hex");
  let key: string | Buffer = `AWS4${OWNER?.secretAccessKey}`;
  for (const step of scope.split("/")) key = createHmac("sha256", key).update(step).digest();
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`;
  const signature = createHmac("sha256", key).update(text).digest("hex");
  return `${endpoint}${path}?${String(query)}&X-Amz-Signature=${signature}`;
}
