import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Call } from "./call.ts";
import { Refusal } from "./refusal.ts";
import { headersFrom, type S3Request } from "./request.ts";

interface Digest {
  update(bytes: Uint8Array): void;
  base64(): string;
}

const DIGESTS: Readonly<Record<string, () => Digest>> = {
  crc32: crcDigest,
  sha1: () => hashDigest("sha1"),
  sha256: () => hashDigest("sha256"),
};

/** @throws Refusal InvalidRequest where the client sent no digest in a header of its own. */
export function needDigest(request: S3Request): void {
  const named = Object.keys(headersFrom(request, "x-amz-checksum-"));
  const sums = named.filter((name) => DIGESTS[name.slice("x-amz-checksum-".length)] !== undefined);
  if (request.header("content-md5") !== undefined || sums.length > 0) return;
  const why = "Content-MD5 OR x-amz-checksum- HTTP header is required for this request";
  throw new Refusal(400, "InvalidRequest", why);
}

/** The checksum a client wants kept, in lower case. */
export function algorithmOf({ request, quirks }: Call): string | undefined {
  const named =
    request.header("x-amz-sdk-checksum-algorithm") ?? request.header("x-amz-checksum-algorithm");
  return quirks.checksums ? named?.toLowerCase() : undefined;
}

/** Every digest to compare or keep, fed in one pass. */
export function checksOf(call: Omit<Call, "text">, algorithm: string | undefined) {
  const { request, payload, quirks } = call;
  const wanted = new Map<string, string>();
  const sent = quirks.checksums ? headersFrom(request, "x-amz-checksum-") : {};
  for (const [name, value] of Object.entries(sent)) {
    const what = name.slice("x-amz-checksum-".length);
    if (what !== "algorithm" && what !== "type") wanted.set(what, value);
  }
  const trailer = new Map<string, string>();
  const promised = quirks.checksums ? request.header("x-amz-trailer") : undefined;
  const late = promised?.slice("x-amz-checksum-".length);
  const sums = new Map<string, Digest>();
  for (const name of [...wanted.keys(), late, algorithm]) {
    if (name === undefined) continue;
    const digest = DIGESTS[name];
    if (digest === undefined) throw new Refusal(501, "NotImplemented", `no ${name} here`);
    sums.set(name, digest());
  }
  const md5 = createHash("md5");
  const signed = /^[0-9a-f]{64}$/.test(payload);
  // One hash for both where it is also the checksum.
  const ofPayload = signed ? (sums.get("sha256") ?? hashDigest("sha256")) : undefined;
  const every = new Set([...sums.values(), ...(ofPayload === undefined ? [] : [ofPayload])]);
  return {
    trailer,
    update(chunk: Uint8Array): void {
      md5.update(chunk);
      for (const digest of every) digest.update(chunk);
    },
    /** @throws Refusal for the first that differs. */
    compared(): { md5: string; sums: Record<string, string> } {
      const tag = md5.digest();
      const asked = request.header("content-md5");
      if (asked !== undefined && asked !== tag.toString("base64")) {
        throw new Refusal(400, "BadDigest");
      }
      const made = Object.fromEntries([...sums].map(([name, digest]) => [name, digest.base64()]));
      const arrived = made["sha256"] ?? ofPayload?.base64();
      if (signed && arrived !== Buffer.from(payload, "hex").toString("base64")) {
        throw new Refusal(400, "XAmzContentSHA256Mismatch");
      }
      if (late !== undefined) wanted.set(late, trailer.get(`x-amz-checksum-${late}`) ?? "");
      for (const [name, value] of wanted) {
        if (made[name] !== value) throw new Refusal(400, "BadDigest", `${name} differs`);
      }
      return { md5: tag.toString("hex"), sums: made };
    },
  };
}

function hashDigest(name: string): Digest {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), base64: () => hash.digest("base64") };
}

function crcDigest(): Digest {
  let value = 0;
  return {
    update(bytes) {
      value = crc32(bytes, value);
    },
    base64() {
      const four = Buffer.alloc(4);
      four.writeUInt32BE(value);
      return four.toString("base64");
    },
  };
}
