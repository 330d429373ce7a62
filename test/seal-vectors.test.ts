import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { inflateSync } from "node:zlib";
import { Decrypter } from "age-encryption";
import * as vectors from "cctv-age";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { openSealed } from "../storage/seal/open.ts";
import { openWindow } from "../storage/seal/range.ts";
import { type Salvaged, salvageSealed } from "../storage/seal/salvage.ts";

interface Vector {
  readonly name: string;
  readonly expect: string;
  readonly payloadSha256: string | undefined;
  readonly armored: boolean;
  readonly file: Buffer;
  readonly decrypter: Decrypter;
}

/** Reads a C2SP/CCTV age test vector: header lines, an empty line, the file. */
function readVector(name: string, raw: Buffer): Vector {
  const end = raw.indexOf("\n\n");
  const fields = new Map<string, string>();
  const decrypter = new Decrypter();
  for (const line of raw.subarray(0, end).toString().split("\n")) {
    const [key = "", ...rest] = line.split(": ");
    const value = rest.join(": ");
    if (key === "identity") decrypter.addIdentity(value);
    else if (key === "passphrase") decrypter.addPassphrase(value);
    else fields.set(key, value);
  }
  const body = raw.subarray(end + 2);
  return {
    name,
    expect: fields.get("expect") ?? "",
    payloadSha256: fields.get("payload"),
    armored: fields.has("armored"),
    file: fields.get("compressed") === "zlib" ? inflateSync(body) : body,
    decrypter,
  };
}

async function openedSha256(vector: Vector, pieces: Iterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of openSealed(Readable.from(pieces), vector.decrypter)) hash.update(chunk);
  return hash.digest("hex");
}

/** Byte by byte, or for a large file in odd pieces: chunk borders fall anywhere. */
function* piecewise(file: Buffer): Generator<Buffer> {
  const step = file.length < 2000 ? 1 : 9973;
  for (let at = 0; at < file.length; at += step) yield file.subarray(at, at + step);
}

const ALL = Object.entries(vectors).map(([name, raw]) => readVector(name, Buffer.from(raw)));
// bewaard seals binary files only; armor is a transport form it neither writes nor reads.
const BINARY = ALL.filter(({ armored }) => !armored);

async function salvagedOf({ file, decrypter }: Vector): Promise<Salvaged & { sha256: string }> {
  const hash = createHash("sha256");
  const opening = salvageSealed(Readable.from(piecewise(file)), decrypter);
  for (;;) {
    const next = await opening.next();
    if (next.done) return { ...next.value, sha256: hash.digest("hex") };
    hash.update(next.value);
  }
}

/** What a failed opening may give of the payload: its prefix, where the vector tells one. */
const PREFIXED = BINARY.filter(
  ({ expect, payloadSha256 }) => expect === "payload failure" && payloadSha256 !== undefined,
);

describe("the age test vectors, salvaged", () => {
  it("give of each damaged payload exactly the prefix that the vector tells, and do not call it whole", async () => {
    assert.ok(PREFIXED.length >= 12);
    for (const vector of PREFIXED) {
      const { sha256, complete } = await salvagedOf(vector);
      assert.equal(sha256, vector.payloadSha256, vector.name);
      assert.equal(complete, false, vector.name);
    }
  });

  it("give of each good one the whole payload, and call it whole, read in windows too", async () => {
    for (const vector of BINARY.filter(({ expect }) => expect === "success")) {
      const salvaged = await salvagedOf(vector);
      assert.equal(salvaged.sha256, vector.payloadSha256, vector.name);
      assert.deepEqual([salvaged.complete, salvaged.lostBytes], [true, 0], vector.name);
      const { file } = vector;
      const read = async (from: number, to: number): Promise<Buffer> => file.subarray(from, to);
      const window = await openWindow({ bytes: file.length, read }, false, vector.decrypter);
      const hash = createHash("sha256");
      for await (const piece of window.read(0, window.bytes)) hash.update(piece);
      assert.equal(hash.digest("hex"), vector.payloadSha256, vector.name);
    }
  });

  it("give nothing where the header is damaged", async () => {
    for (const vector of BINARY.filter(({ expect }) => !/success|payload/.test(expect))) {
      await assert.rejects(salvagedOf(vector), BewaardError, vector.name);
    }
  });
});

describe("the age test vectors (C2SP/CCTV)", () => {
  it("are all here: 110 binary ones among them", () => {
    assert.equal(BINARY.length, 110);
  });

  for (const vector of BINARY) {
    it(`${vector.name}: ${vector.expect}`, async function () {
      for (const pieces of [[vector.file], piecewise(vector.file)]) {
        if (vector.expect === "success") {
          assert.equal(await openedSha256(vector, pieces), vector.payloadSha256);
        } else {
          await assert.rejects(openedSha256(vector, pieces), BewaardError);
        }
      }
    });
  }

  it("are refused, not misread, in their armored form", async () => {
    for (const vector of ALL.filter(({ armored }) => armored)) {
      await assert.rejects(openedSha256(vector, [vector.file]), { code: "SEAL_BROKEN" });
    }
  });
});
