import { Readable } from "node:stream";
import {
  base64Of,
  CONTENT,
  clientOf,
  type Ground,
  OTHER_CONTENT,
  type Row,
  refused,
  same,
  signing,
} from "./s3-row.ts";

const WRONG_TAG = '"00000000000000000000000000000000"';

function stream(content: Buffer): Readable {
  return Readable.from([content.subarray(0, 300), content.subarray(300)], { objectMode: false });
}

/** A megabyte, and then nothing more ever. */
function half(stop: AbortController): Readable {
  async function* pieces() {
    for (let piece = 0; piece < 16; piece += 1) yield Buffer.alloc(65_536);
    stop.abort();
    await new Promise<never>(() => {});
  }
  return Readable.from(pieces(), { objectMode: false });
}

async function nothingAt({ s3, bucket }: Ground, key: string): Promise<void> {
  await refused(s3.headObject({ Bucket: bucket, Key: key }), 404);
  same((await s3.listObjectVersions({ Bucket: bucket })).Versions?.length ?? 0, 0);
}

export const WRITING_ROWS: readonly Row[] = [
  {
    name: "a stream with its length, unsigned, arrives whole; its tag is its MD5",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const put = await s3.putObject({
        ...at,
        Body: stream(CONTENT),
        ContentLength: CONTENT.length,
      });
      same(put.ETag, `"${Buffer.from(base64Of("md5", CONTENT), "base64").toString("hex")}"`);
      const { Body } = await s3.getObject(at);
      same(await Body?.transformToString(), CONTENT.toString());
    },
  },
  {
    name: "no bytes are an object",
    bucket: "plain",
    async run({ s3, bucket }) {
      await s3.putObject({ Bucket: bucket, Key: "none", Body: Buffer.alloc(0) });
      same((await s3.headObject({ Bucket: bucket, Key: "none" })).ContentLength, 0);
    },
  },
  {
    name: "a stream in pieces with a trailer, as the SDK makes it unasked",
    bucket: "plain",
    async run({ peer, s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const unasked = clientOf(peer, peer.owner, { requestChecksumCalculation: "WHEN_SUPPORTED" });
      await unasked.putObject({ ...at, Body: stream(CONTENT), ContentLength: CONTENT.length });
      const { Body } = await s3.getObject(at);
      same(await Body?.transformToString(), CONTENT.toString());
    },
  },
  {
    name: "a wrong Content-MD5 is refused and leaves nothing",
    bucket: "versioned",
    async run(ground) {
      const asked = { Bucket: ground.bucket, Key: "one", ContentMD5: base64Of("md5", CONTENT) };
      await refused(ground.s3.putObject({ ...asked, Body: OTHER_CONTENT }), 400, "BadDigest");
      await nothingAt(ground, "one");
    },
  },
  {
    name: "a stream whose signed hash is wrong is refused and leaves nothing",
    bucket: "versioned",
    async run(ground) {
      const put = signing(ground.peer, OTHER_CONTENT).putObject({
        Bucket: ground.bucket,
        Key: "one",
        Body: stream(CONTENT),
        ContentLength: CONTENT.length,
      });
      await refused(put, 400, "XAmzContentSHA256Mismatch");
      await nothingAt(ground, "one");
    },
  },
  {
    name: "a wrong x-amz-checksum-sha256 is refused and leaves nothing",
    bucket: "versioned",
    async run(ground) {
      const put = ground.s3.putObject({
        Bucket: ground.bucket,
        Key: "one",
        Body: CONTENT,
        ChecksumSHA256: base64Of("sha256", OTHER_CONTENT),
      });
      await refused(put, 400, "BadDigest");
      await nothingAt(ground, "one");
    },
  },
  {
    name: "the vault's way: a stream with its hash in both headers is taken and kept",
    bucket: "versioned",
    async run({ peer, bucket }) {
      const s3 = signing(peer, CONTENT);
      const put = await s3.putObject({
        Bucket: bucket,
        Key: "one",
        Body: stream(CONTENT),
        ContentLength: CONTENT.length,
        ChecksumSHA256: base64Of("sha256", CONTENT),
        IfNoneMatch: "*",
        Metadata: { sha256: "ab" },
      });
      const by = { Bucket: bucket, Key: "one", VersionId: put.VersionId };
      const head = await clientOf(peer, peer.owner).headObject(by);
      same(head.ContentLength, CONTENT.length);
      same(head.ETag, put.ETag);
      same(head.VersionId, put.VersionId);
      same(head.Metadata?.["sha256"], "ab");
    },
  },
  {
    name: "a checksum that was sent is given back",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const ChecksumSHA256 = base64Of("sha256", CONTENT);
      const put = await s3.putObject({ ...at, Body: CONTENT, ChecksumSHA256 });
      same(put.ChecksumSHA256, ChecksumSHA256);
      const head = await s3.headObject({ ...at, ChecksumMode: "ENABLED" });
      same(head.ChecksumSHA256, ChecksumSHA256);
    },
  },
  {
    name: "a PUT that breaks off half way leaves nothing",
    bucket: "versioned",
    async run(ground) {
      const { s3, bucket } = ground;
      const stop = new AbortController();
      const put = { Bucket: bucket, Key: "one", Body: half(stop), ContentLength: 10_000_000 };
      const ended = await s3.putObject(put, { abortSignal: stop.signal }).then(
        () => "accepted",
        () => "broken off",
      );
      same(ended, "broken off");
      await nothingAt(ground, "one");
    },
  },
  {
    name: "If-None-Match lets a key be written once where there are no versions",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      await s3.putObject({ ...at, Body: CONTENT, IfNoneMatch: "*" });
      const again = s3.putObject({ ...at, Body: "other", IfNoneMatch: "*" });
      await refused(again, 412, "PreconditionFailed");
      same((await s3.headObject(at)).ContentLength, CONTENT.length);
    },
  },
  {
    name: "If-None-Match lets a key be written once where there are versions",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      await s3.putObject({ ...at, Body: CONTENT, IfNoneMatch: "*" });
      const again = s3.putObject({ ...at, Body: "other", IfNoneMatch: "*" });
      await refused(again, 412, "PreconditionFailed");
      same((await s3.listObjectVersions({ Bucket: bucket })).Versions?.length, 1);
    },
  },
  {
    name: "of eight writers with If-None-Match one wins where there are no versions",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one", IfNoneMatch: "*" };
      const writers = ["1", "2", "3", "4", "5", "6", "7", "8"];
      const all = await Promise.allSettled(writers.map((Body) => s3.putObject({ ...at, Body })));
      same(all.filter(({ status }) => status === "fulfilled").length, 1);
    },
  },
  {
    name: "If-None-Match sees nothing behind a delete marker",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      await s3.putObject({ ...at, Body: CONTENT, IfNoneMatch: "*" });
      await s3.deleteObject(at);
      await s3.putObject({ ...at, Body: "other", IfNoneMatch: "*" });
      same((await s3.listObjectVersions({ Bucket: bucket })).Versions?.length, 2);
    },
  },
  {
    name: "If-Match of another tag is refused",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      await s3.putObject({ ...at, Body: CONTENT });
      const put = s3.putObject({ ...at, Body: "other", IfMatch: WRONG_TAG });
      await refused(put, 412, "PreconditionFailed");
    },
  },
  {
    name: "metadata in ASCII comes back as it was, up to 2 KB",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const Metadata = { device: "bc-0101", long: "m".repeat(1900), odd: "%C3%BC=; a" };
      await s3.putObject({ ...at, Body: "x", Metadata });
      const read = (await s3.headObject(at)).Metadata;
      same(read?.["device"], Metadata.device);
      same(read?.["long"], Metadata.long);
      same(read?.["odd"], Metadata.odd);
    },
  },
];
