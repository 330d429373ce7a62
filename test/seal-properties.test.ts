import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { CHUNK_BYTES, SEALED_CHUNK_BYTES, sealedBytes } from "../storage/seal/chunk.ts";
import { makeHeader } from "../storage/seal/header.ts";
import { openSealed } from "../storage/seal/open.ts";
import { openWindow } from "../storage/seal/range.ts";
import { type Salvaged, salvageSealed } from "../storage/seal/salvage.ts";
import { openSealer, type Sealed } from "../storage/seal/sealer.ts";

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const decrypter = new Decrypter();
decrypter.addIdentity(identity);

/** Random once, so that a counterexample is a length and not a quarter of a megabyte. */
const NOISE = randomBytes(4 * CHUNK_BYTES);

/** Lengths that lie at chunk borders more often than chance would have it. */
const length = fc.oneof(
  fc.nat({ max: NOISE.length }),
  fc
    .tuple(fc.nat({ max: 4 }), fc.integer({ min: -2, max: 2 }))
    .map(([chunk, by]) => Math.min(NOISE.length, Math.max(0, chunk * CHUNK_BYTES + by))),
);

interface File {
  readonly plaintext: Buffer;
  readonly bytes: Buffer;
  readonly prefixBytes: number;
  readonly sealed: Sealed;
}

async function sealedOf(plaintext: Buffer, cuts: readonly number[] = []): Promise<File> {
  const header = await makeHeader([recipient]);
  const out: Buffer[] = [];
  const sealer = openSealer(header, (bytes) => out.push(Buffer.from(bytes)));
  const places = [0, ...cuts.filter((cut) => cut < plaintext.length), plaintext.length];
  const sorted = places.toSorted((a, b) => a - b);
  for (const [index, from] of sorted.slice(0, -1).entries()) {
    sealer.push(plaintext.subarray(from, sorted[index + 1]));
  }
  const sealed = sealer.finish();
  return { plaintext, bytes: Buffer.concat(out), prefixBytes: header.prefix.length, sealed };
}

async function opened(file: Uint8Array): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(openSealed(Readable.from([file]), decrypter)));
}

async function salvaged(file: Uint8Array): Promise<Salvaged & { readonly plaintext: Buffer }> {
  const pieces: Buffer[] = [];
  const opening = salvageSealed(Readable.from([file]), decrypter);
  for (;;) {
    const next = await opening.next();
    if (next.done) return { ...next.value, plaintext: Buffer.concat(pieces) };
    pieces.push(next.value);
  }
}

function windowOf(file: Uint8Array, cut: boolean) {
  const read = async (from: number, to: number): Promise<Uint8Array> => file.subarray(from, to);
  return openWindow({ bytes: file.length, read }, cut, decrypter);
}

/** What a reader of the format expects of a file of `file` cut to `kept` bytes, reckoned from lengths alone. */
function expectedOf(file: File, kept: number): Salvaged & { readonly plaintextBytes: number } {
  const payload = kept - file.prefixBytes;
  if (kept === file.bytes.length) {
    const chunks = Math.max(1, Math.ceil(file.plaintext.length / CHUNK_BYTES));
    return { chunks, complete: true, lostBytes: 0, plaintextBytes: file.plaintext.length };
  }
  const chunks = Math.floor(payload / SEALED_CHUNK_BYTES);
  const lostBytes = payload - chunks * SEALED_CHUNK_BYTES;
  return { chunks, complete: false, lostBytes, plaintextBytes: chunks * CHUNK_BYTES };
}

async function assertSalvage(file: File, kept: number): Promise<void> {
  const { plaintext, ...told } = await salvaged(file.bytes.subarray(0, kept));
  const { plaintextBytes, ...expected } = expectedOf(file, kept);
  assert.deepEqual(told, expected);
  assert.ok(plaintext.equals(file.plaintext.subarray(0, plaintextBytes)));
  const window = await windowOf(file.bytes.subarray(0, kept), true);
  assert.equal(window.bytes, plaintextBytes);
}

describe("any content, written in any pieces", () => {
  it("opens to the same bytes, with the digests of the whole and an age v1 header", async () => {
    await fc.assert(
      fc.asyncProperty(length, fc.array(fc.nat({ max: NOISE.length })), async (bytes, cuts) => {
        const file = await sealedOf(NOISE.subarray(0, bytes), cuts);
        assert.ok((await opened(file.bytes)).equals(file.plaintext));
        const sha256 = createHash("sha256").update(file.plaintext).digest("hex");
        assert.equal(file.sealed.plaintextSha256, sha256);
        assert.equal(file.sealed.plaintextBytes, bytes);
        assert.equal(file.sealed.ciphertextBytes, file.bytes.length);
        assert.equal(file.bytes.length, sealedBytes(file.prefixBytes, bytes));
        const digest = createHash("sha256").update(file.bytes).digest("hex");
        assert.deepEqual(file.sealed.parts, [digest]);
        const typage = await decrypter.decrypt(file.bytes);
        assert.ok(file.plaintext.equals(typage));
      }),
      { numRuns: 40 },
    );
  }).timeout(120_000);
});

describe("a sealed file that was cut", () => {
  it("is salvaged to its last whole chunk, and says how much that is and what was lost", async () => {
    await fc.assert(
      fc.asyncProperty(length, fc.double({ min: 0, max: 1, noNaN: true }), async (bytes, share) => {
        const file = await sealedOf(NOISE.subarray(0, bytes));
        const payload = file.bytes.length - file.prefixBytes;
        await assertSalvage(file, file.prefixBytes + Math.round(share * payload));
      }),
      { numRuns: 60 },
    );
  }).timeout(120_000);

  it("at every chunk border and one byte beside it: never more than was there, never called whole", async () => {
    const file = await sealedOf(NOISE.subarray(0, 3 * CHUNK_BYTES + 100));
    for (const chunk of [0, 1, 2, 3]) {
      const border = file.prefixBytes + chunk * SEALED_CHUNK_BYTES;
      for (const kept of [border - 1, border, border + 1]) {
        if (kept >= file.prefixBytes) await assertSalvage(file, kept);
        else await assert.rejects(salvaged(file.bytes.subarray(0, kept)), { code: "SEAL_BROKEN" });
      }
    }
    for (const kept of [file.bytes.length - 1, file.bytes.length]) await assertSalvage(file, kept);
    const longer = Buffer.concat([file.bytes, Buffer.alloc(1)]);
    const { complete, lostBytes } = await salvaged(longer);
    assert.deepEqual([complete, lostBytes], [false, 100 + 16 + 1]);
  });

  it("and another thing put behind it is not whole: what follows its last chunk was never sealed", async () => {
    const file = await sealedOf(NOISE.subarray(0, 2 * CHUNK_BYTES));
    const { plaintext, ...told } = await salvaged(Buffer.concat([file.bytes, Buffer.alloc(5)]));
    assert.deepEqual(told, { chunks: 2, complete: false, lostBytes: 5 });
    assert.ok(plaintext.equals(file.plaintext));
  });
});

describe("a sealed file of which any bit was flipped", () => {
  it("is found out, and salvaged no further than the chunk before it", async () => {
    await fc.assert(
      fc.asyncProperty(length, fc.nat(), fc.nat({ max: 7 }), async (bytes, at, bit) => {
        const file = await sealedOf(NOISE.subarray(0, bytes));
        const place = at % file.bytes.length;
        const altered = Buffer.from(file.bytes);
        altered.writeUInt8(altered.readUInt8(place) ^ (1 << bit), place);
        await assert.rejects(opened(altered), { name: "BewaardError" });
        if (place < file.prefixBytes - 16) {
          await assert.rejects(salvaged(altered), { name: "BewaardError" });
          return;
        }
        // The nonce is part of every chunk's key: then nothing authenticates.
        const damaged = Math.floor((place - file.prefixBytes) / SEALED_CHUNK_BYTES);
        const { plaintext, complete, chunks } = await salvaged(altered);
        assert.deepEqual([chunks, complete], [Math.max(0, damaged), false]);
        assert.ok(plaintext.equals(file.plaintext.subarray(0, chunks * CHUNK_BYTES)));
      }),
      { numRuns: 80 },
    );
  }).timeout(120_000);
});

describe("any window of a sealed file", () => {
  it("is exactly those bytes, and opens no other chunk than it touches", async () => {
    const file = await sealedOf(NOISE.subarray(0, 3 * CHUNK_BYTES + 77));
    await fc.assert(
      fc.asyncProperty(length, length, async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const reads: number[] = [];
        const read = async (start: number, end: number): Promise<Uint8Array> => {
          reads.push(start);
          return file.bytes.subarray(start, end);
        };
        const window = await openWindow({ bytes: file.bytes.length, read }, false, decrypter);
        reads.length = 0;
        const pieces = await Array.fromAsync(window.read(from, to));
        assert.ok(Buffer.concat(pieces).equals(file.plaintext.subarray(from, to)));
        const end = Math.min(to, file.plaintext.length);
        const touched =
          from >= end ? 0 : Math.ceil(end / CHUNK_BYTES) - Math.floor(from / CHUNK_BYTES);
        assert.equal(reads.length, touched);
      }),
      { numRuns: 100 },
    );
  }).timeout(120_000);

  it("of a cut file that calls itself whole is refused at its last chunk", async () => {
    const file = await sealedOf(NOISE.subarray(0, 3 * CHUNK_BYTES));
    const window = await windowOf(file.bytes.subarray(0, -SEALED_CHUNK_BYTES), false);
    assert.ok(
      Buffer.concat(await Array.fromAsync(window.read(0, 10))).equals(NOISE.subarray(0, 10)),
    );
    await assert.rejects(Array.fromAsync(window.read(0, window.bytes)), { code: "SEAL_BROKEN" });
  });
});
