import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { bytesBody, fileBody } from "../storage/vault/body.ts";
import { readBack } from "../storage/vault/read-back.ts";
import { FREELY, type ObjectBody } from "../storage/vault/vault.ts";
import { openBucket } from "./fakes/bucket.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const KEY = "footage/dock-1/a.age";
const ODD_BYTES = 5 * 1024 * 1024 + 77;

async function sealedFile(folder: string, bytes: number) {
  const content = randomBytes(bytes);
  const path = join(folder, "a.age");
  await writeFile(path, content);
  const { parts } = bytesBody(content);
  return { content, body: (promised = bytes) => fileBody(path, promised, parts) };
}

async function bytesOf(body: ObjectBody, range?: { from: number; to: number }): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body.open(range), (chunk) => Buffer.from(chunk)));
}

describe("a sealed file in the spool", () => {
  it("reaches a bucket as it is, though all its chunks lie in the same memory", async () => {
    await using folder = await temporaryFolder();
    await using server = await startS3Server({ quirks: "aws", users: [OWNER] });
    const peer = { ...server, credential: OWNER, certificate: undefined };
    await using bucket = await openBucket(peer, "plain");
    const { content, body } = await sealedFile(folder.path, ODD_BYTES);
    const version = await bucket.vault.put(KEY, body(), FREELY, NEVER);
    const kept = await Array.fromAsync(bucket.vault.read(KEY, version, NEVER));
    assert.ok(Buffer.concat(kept).equals(content));
    await readBack(bucket.vault, KEY, version, body(), "sampled", NEVER);
  });

  it("gives the bytes of a range, of one past its end those it has, and of an empty one none", async () => {
    await using folder = await temporaryFolder();
    const { content, body } = await sealedFile(folder.path, ODD_BYTES);
    const part = { from: 1024 * 1024 - 5, to: 3 * 1024 * 1024 + 5 };
    assert.ok((await bytesOf(body(), part)).equals(content.subarray(part.from, part.to)));
    const end = { from: ODD_BYTES - 9, to: ODD_BYTES + 9 };
    assert.ok((await bytesOf(body(), end)).equals(content.subarray(-9)));
    assert.equal((await bytesOf(body(), { from: 7, to: 7 })).length, 0);
  });

  it("that is longer than was sealed is read so far that it is noticed, and no further", async () => {
    await using folder = await temporaryFolder();
    const { body } = await sealedFile(folder.path, 100);
    assert.equal((await bytesOf(body(60))).length, 61);
  });

  it("that cannot be read is not taken for the vault's failure", async () => {
    const body = fileBody("/nowhere/a.age", 1, []);
    const isSpoolError = (error: unknown) =>
      error instanceof BewaardError && error.code === "SPOOL_IO";
    await assert.rejects(bytesOf(body), isSpoolError);
  });

  it("is compared with what is read back also where the next chunk overwrites the last", async () => {
    await using server = await startS3Server({ quirks: "aws", users: [OWNER] });
    const peer = { ...server, credential: OWNER, certificate: undefined };
    await using bucket = await openBucket(peer, "plain");
    const content = randomBytes(1024 * 1024);
    const body = bytesBody(content);
    const version = await bucket.vault.put(KEY, body, FREELY, NEVER);
    const memory = Buffer.alloc(1000);
    const reusing: ObjectBody = {
      ...body,
      async *open({ from, to } = { from: 0, to: content.length }) {
        for (let at = from; at < to; at += memory.length) {
          const taken = content.copy(memory, 0, at, Math.min(to, at + memory.length));
          yield memory.subarray(0, taken);
        }
      },
    };
    await readBack(bucket.vault, KEY, version, reusing, "sampled", NEVER);
  });
});
