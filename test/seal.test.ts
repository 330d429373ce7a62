import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  Decrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { sealedBytes } from "../storage/seal/chunk.ts";
import { makeHeader } from "../storage/seal/header.ts";
import { openSealed } from "../storage/seal/open.ts";
import { openSealPool } from "../storage/seal/pool.ts";
import type { Sealed } from "../storage/seal/sealer.ts";
import { openSealer } from "../storage/seal/sealer.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const NEVER = new AbortController().signal;

/** Every border of chunk and part, and one file of 16 parts. */
const SIZES = [
  0,
  1,
  64 * KIB - 1,
  64 * KIB,
  64 * KIB + 1,
  64 * MIB - 1,
  64 * MIB,
  64 * MIB + 1,
  1024 * MIB,
] as const;

async function identityOf(kind: "pq" | "x25519"): Promise<{ identity: string; recipient: string }> {
  const identity = kind === "pq" ? await generateHybridIdentity() : await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

function decrypterFor(identity: string): Decrypter {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter;
}

async function openedSha256(path: string, identity: string): Promise<string> {
  const hash = createHash("sha256");
  const bytes = createReadStream(path, { highWaterMark: MIB });
  for await (const chunk of openSealed(bytes, decrypterFor(identity))) hash.update(chunk);
  return hash.digest("hex");
}

/** A file of `bytes` random bytes, 8 MiB of them repeated, so that a gigabyte is made quickly. */
async function plaintextFile(folder: string, bytes: number): Promise<string> {
  const path = join(folder, `plain-${bytes}`);
  const block = randomBytes(Math.min(bytes, 8 * MIB));
  function* blocks(): Generator<Uint8Array> {
    for (let left = bytes; left > 0; left -= block.length) {
      yield block.subarray(0, Math.min(left, block.length));
    }
  }
  await pipeline(Readable.from(blocks()), createWriteStream(path));
  return path;
}

function sha256sum(path: string): string {
  return execFileSync("openssl", ["dgst", "-sha256", "-r", path], { encoding: "utf8" }).slice(
    0,
    64,
  );
}

async function sealOne(source: string, target: string, recipients: string[]): Promise<Sealed> {
  await using pool = openSealPool(1);
  return await pool.seal(Buffer.from(source), target, recipients, NEVER);
}

function sealInMemory(
  header: Awaited<ReturnType<typeof makeHeader>>,
  pieces: readonly Uint8Array[],
): Buffer {
  const out: Buffer[] = [];
  const sealer = openSealer(header, (bytes) => out.push(Buffer.from(bytes)));
  for (const piece of pieces) sealer.push(piece);
  sealer.finish();
  return Buffer.concat(out);
}

async function opened(file: Uint8Array, identity: string): Promise<Buffer> {
  const chunks = await Array.fromAsync(openSealed(Readable.from([file]), decrypterFor(identity)));
  return Buffer.concat(chunks);
}

describe("sealed file (DH-01, AR-39)", () => {
  for (const bytes of SIZES) {
    it(`opens with stock age to the camera's own ${bytes} bytes, hash as promised`, async function () {
      this.timeout(240_000);
      await using folder = await temporaryFolder();
      const { identity, recipient } = await identityOf("x25519");
      const source = await plaintextFile(folder.path, bytes);
      const target = join(folder.path, "sealed.age");
      const sealed = await sealOne(source, target, [recipient]);
      const key = join(folder.path, "identity");
      await writeFile(key, identity);
      const stock = execFileSync("sh", [
        "-c",
        'age -d -i "$1" "$2" | openssl dgst -sha256 -r',
        "sh",
        key,
        target,
      ]);
      assert.equal(stock.toString().slice(0, 64), sealed.plaintextSha256);
      assert.equal(sha256sum(source), sealed.plaintextSha256);
      assert.equal(sealed.plaintextBytes, bytes);
    });

    it(`opens what stock age made of ${bytes} bytes`, async function () {
      this.timeout(240_000);
      await using folder = await temporaryFolder();
      const { identity, recipient } = await identityOf("x25519");
      const source = await plaintextFile(folder.path, bytes);
      const target = join(folder.path, "stock.age");
      execFileSync("age", ["-r", recipient, "-o", target, source]);
      assert.equal(await openedSha256(target, identity), sha256sum(source));
    });
  }

  it("gives the digest of every 64 MiB part as split and sha256sum see it", async function () {
    this.timeout(120_000);
    await using folder = await temporaryFolder();
    const { recipient } = await identityOf("x25519");
    const source = await plaintextFile(folder.path, 130 * MIB);
    const target = join(folder.path, "sealed.age");
    const sealed = await sealOne(source, target, [recipient]);
    const split = execFileSync("sh", [
      "-c",
      'split -b 64M --filter="sha256sum" "$1"',
      "sh",
      target,
    ]).toString();
    assert.deepEqual(
      sealed.parts,
      split
        .trim()
        .split("\n")
        .map((line) => line.slice(0, 64)),
    );
    assert.equal(sealed.parts.length, 3);
  });

  it("opens post-quantum sealed bytes with our reader and with typage itself", async () => {
    const { identity, recipient } = await identityOf("pq");
    const plaintext = randomBytes(200_000);
    const file = sealInMemory(await makeHeader([recipient]), [plaintext]);
    assert.deepEqual(await opened(file, identity), plaintext);
    assert.deepEqual(Buffer.from(await decrypterFor(identity).decrypt(file)), plaintext);
  });

  it("is the same file whether the bytes come whole or one by one", async () => {
    const { recipient } = await identityOf("x25519");
    const header = await makeHeader([recipient]);
    const plaintext = randomBytes(64 * KIB + 3);
    const single = [...plaintext].map((byte) => Uint8Array.of(byte));
    assert.deepEqual(sealInMemory(header, [plaintext]), sealInMemory(header, single));
    assert.equal(
      sealInMemory(header, [plaintext]).length,
      sealedBytes(header.prefix.length, plaintext.length),
    );
  });

  it("refuses to seal for post-quantum and classic recipients together", async () => {
    const [classic, hybrid] = [await identityOf("x25519"), await identityOf("pq")];
    await assert.rejects(makeHeader([hybrid.recipient, classic.recipient]), {
      code: "RECIPIENT_MIXED",
    });
  });

  it("refuses a recipient that is no key", async () => {
    await assert.rejects(makeHeader(["age1nonsense"]), { code: "RECIPIENT_INVALID" });
  });

  it("says that a file is sealed to another identity, not that it is broken", async () => {
    const [ours, other] = [await identityOf("x25519"), await identityOf("x25519")];
    const file = sealInMemory(await makeHeader([other.recipient]), [Buffer.from("beeld")]);
    await assert.rejects(opened(file, ours.identity), { code: "SEAL_NOT_FOR_US" });
  });
});

describe("a sealed file that was altered", () => {
  it("is found out by one flipped bit anywhere", async () => {
    const { identity, recipient } = await identityOf("x25519");
    const file = sealInMemory(await makeHeader([recipient]), [randomBytes(64 * KIB + 40)]);
    const places = [...Array(400).keys(), ...Array.from({ length: 250 }, (_, i) => i * 263)];
    for (const place of [...places, file.length - 1]) {
      const altered = Buffer.from(file);
      altered.writeUInt8(altered.readUInt8(place) ^ (1 << (place % 8)), place);
      await assert.rejects(opened(altered, identity), { name: "BewaardError" }, `byte ${place}`);
    }
  }).timeout(120_000);

  it("is found out when it was cut at any chunk border or within a chunk", async () => {
    const { identity, recipient } = await identityOf("x25519");
    const header = await makeHeader([recipient]);
    const file = sealInMemory(header, [randomBytes(3 * 64 * KIB)]);
    const cuts = [0, 1, 2, 3].flatMap((chunk) => {
      const border = header.prefix.length + chunk * (64 * KIB + 16);
      return [border - 1, border, border + 1, border + 16, border + 17];
    });
    for (const cut of cuts.filter((place) => place < file.length)) {
      await assert.rejects(opened(file.subarray(0, cut), identity), { code: "SEAL_BROKEN" });
    }
  });
});

describe("sealing a file", () => {
  it("leaves nothing behind when the source is not a regular file", async () => {
    await using folder = await temporaryFolder();
    const { recipient } = await identityOf("x25519");
    await symlink("/etc/passwd", join(folder.path, "link.mp4"));
    execFileSync("mkfifo", [join(folder.path, "fifo.mp4")]);
    await mkdir(join(folder.path, "folder.mp4"));
    const sealed = join(folder.path, "sealed");
    await mkdir(sealed);
    for (const name of ["link.mp4", "fifo.mp4", "folder.mp4"]) {
      const source = join(folder.path, name);
      await assert.rejects(sealOne(source, join(sealed, "x.age"), [recipient]), {
        code: "SOURCE_IRREGULAR",
      });
    }
    assert.deepEqual(await readdir(sealed), []);
  });

  it("never replaces a sealed file that is already there", async () => {
    await using folder = await temporaryFolder();
    const { recipient } = await identityOf("x25519");
    const source = await plaintextFile(folder.path, 10);
    const target = join(folder.path, "x.age");
    await writeFile(target, "footage");
    await assert.rejects(sealOne(source, target, [recipient]), /EEXIST/);
    assert.equal(await readFile(target, "utf8"), "footage");
  });

  it("reads a name that is not UTF-8", async () => {
    await using folder = await temporaryFolder();
    const { recipient } = await identityOf("x25519");
    const name = Buffer.concat([
      Buffer.from(`${folder.path}/B\xf6rje`, "latin1"),
      Buffer.from([0xff, 0x0a]),
    ]);
    await using file = await open(name, "w");
    await file.writeFile("beeld");
    await using pool = openSealPool(1);
    const sealed = await pool.seal(name, join(folder.path, "x.age"), [recipient], NEVER);
    assert.equal(sealed.plaintextBytes, 5);
  });

  it("fails when its thread ends without a word, and the next file gets another thread", async () => {
    await using folder = await temporaryFolder();
    const recipient = await identityToRecipient(await generateX25519Identity());
    await using pool = openSealPool(1, new URL("data:text/javascript,"));
    const seal = () =>
      pool.seal(Buffer.from("/dev/null"), join(folder.path, "s"), [recipient], NEVER);
    await assert.rejects(seal(), /ended/);
    await assert.rejects(seal(), /ended/);
  });

  it("stops within a block when it is told to, and leaves nothing behind", async () => {
    await using folder = await temporaryFolder();
    const { recipient } = await identityOf("x25519");
    const source = await plaintextFile(folder.path, 256 * MIB);
    const target = join(folder.path, "x.age");
    await using pool = openSealPool(1);
    const stop = new AbortController();
    const sealing = pool.seal(Buffer.from(source), target, [recipient], stop.signal);
    stop.abort();
    await assert.rejects(sealing, { name: "AbortError" });
    assert.deepEqual(await readdir(folder.path), [`plain-${256 * MIB}`]);
  });

  it("can be asked how far it is, which only grows, and is nothing afterwards", async () => {
    await using folder = await temporaryFolder();
    const { recipient } = await identityOf("x25519");
    const source = Buffer.from(await plaintextFile(folder.path, 128 * MIB));
    await using pool = openSealPool(1);
    const target = join(folder.path, "x.age");
    const seen: number[] = [];
    const over = new AbortController();
    const sealing = pool.seal(source, target, [recipient], NEVER).finally(() => over.abort());
    while (!over.signal.aborted) {
      seen.push(pool.bytesRead(source));
      await systemClock.sleep(1, NEVER);
    }
    await sealing;
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    assert.ok(seen.some((bytes) => bytes > 0 && bytes <= 128 * MIB));
    assert.equal(pool.bytesRead(source), 0);
  });
});
