import { CONTENT, type Ground, type Row, refused, same } from "./s3-row.ts";

const ODD = "n/Süd-Kamera é ☃ 日本 +%2B&=?'()* .bin";

async function keep({ s3, bucket }: Ground) {
  const at = { Bucket: bucket, Key: "one" };
  const { VersionId, ETag } = await s3.putObject({ ...at, Body: CONTENT });
  return { ...at, VersionId, ETag };
}

export const READING_ROWS: readonly Row[] = [
  {
    name: "a range is what was asked, and past the end it is refused",
    bucket: "versioned",
    async run(ground) {
      const { Bucket, Key, VersionId } = await keep(ground);
      const by = { Bucket, Key, VersionId };
      for (const [Range, wanted] of [
        ["bytes=0-9", CONTENT.subarray(0, 10)],
        ["bytes=100-199", CONTENT.subarray(100, 200)],
        ["bytes=790-100000", CONTENT.subarray(790)],
        ["bytes=797-", CONTENT.subarray(797)],
        ["bytes=-7", CONTENT.subarray(-7)],
      ] as const) {
        const got = await ground.s3.getObject({ ...by, Range });
        same(got.$metadata.httpStatusCode, 206);
        same(await got.Body?.transformToString(), wanted.toString());
      }
      await refused(ground.s3.getObject({ ...by, Range: "bytes=800-" }), 416, "InvalidRange");
    },
  },
  {
    name: "If-Match and If-None-Match are heeded in reading",
    bucket: "plain",
    async run(ground) {
      const { Bucket, Key, ETag } = await keep(ground);
      await refused(ground.s3.getObject({ Bucket, Key, IfNoneMatch: ETag }), 304);
      await refused(ground.s3.getObject({ Bucket, Key, IfMatch: '"00"' }), 412);
    },
  },
  {
    name: "what is not there is told so, by key",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "nothing" };
      await refused(s3.getObject(at), 404, "NoSuchKey");
      await refused(s3.headObject(at), 404);
    },
  },
  {
    name: "a version that was deleted is told as no version",
    bucket: "versioned",
    async run(ground) {
      const { Bucket, Key, VersionId } = await keep(ground);
      await ground.s3.deleteObject({ Bucket, Key, VersionId });
      await refused(ground.s3.headObject({ Bucket, Key, VersionId }), 404);
      await refused(ground.s3.getObject({ Bucket, Key, VersionId }), 404, "NoSuchVersion");
    },
  },
  {
    name: "who may read but not list is not told whether a key is there",
    bucket: "versioned",
    async run({ peer, s3, other, bucket }) {
      const Statement = [
        {
          Effect: "Allow",
          Principal: { AWS: [peer.other.arn] },
          Action: ["s3:GetObject"],
          Resource: [`arn:aws:s3:::${bucket}/*`],
        },
      ];
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await s3.putBucketPolicy({ Bucket: bucket, Policy });
      await refused(other.getObject({ Bucket: bucket, Key: "nothing" }), 403, "AccessDenied");
    },
  },
  {
    name: "the second part is read by its number",
    bucket: "plain",
    async run(ground) {
      const { Bucket, Key } = await keep(ground);
      await refused(ground.s3.getObject({ Bucket, Key, PartNumber: 2 }), 416);
    },
  },
  {
    name: "GetObjectAttributes tells the size",
    bucket: "plain",
    async run(ground) {
      const { Bucket, Key } = await keep(ground);
      const read = await ground.s3
        .getObjectAttributes({ Bucket, Key, ObjectAttributes: ["ObjectSize"] })
        .catch(() => undefined);
      same(read?.ObjectSize, CONTENT.length);
    },
  },
  {
    name: "keys of any characters come back as they were",
    bucket: "plain",
    async run({ s3, bucket }) {
      await s3.putObject({ Bucket: bucket, Key: ODD, Body: CONTENT });
      const { Body } = await s3.getObject({ Bucket: bucket, Key: ODD });
      same(await Body?.transformToString(), CONTENT.toString());
      const [listed] = (await s3.listObjectsV2({ Bucket: bucket, Prefix: "n/" })).Contents ?? [];
      same(listed?.Key, ODD);
    },
  },
  {
    name: "a list in pages names every key once, in order",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Prefix: "p/" };
      const keys = Array.from({ length: 25 }, (_, n) => `p/${n % 2}/${String(n).padStart(2, "0")}`);
      await Promise.all(keys.map((Key) => s3.putObject({ Bucket: bucket, Key, Body: "x" })));
      await s3.putObject({ Bucket: bucket, Key: "q", Body: "x" });
      const seen: (string | undefined)[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await s3.listObjectsV2({ ...at, MaxKeys: 10, ContinuationToken });
        seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      same(seen.join(" "), keys.toSorted().join(" "));
      const rest = await s3.listObjectsV2({ ...at, StartAfter: seen[19] });
      same(rest.KeyCount, 5);
      const folders = await s3.listObjectsV2({ ...at, Delimiter: "/" });
      same(folders.CommonPrefixes?.map(({ Prefix }) => Prefix).join(" "), "p/0/ p/1/");
      const old = await s3.listObjects({ ...at, MaxKeys: 24 });
      same(old.IsTruncated, true);
      same(
        (await s3.listObjects({ ...at, Marker: old.Contents?.at(-1)?.Key })).Contents?.length,
        1,
      );
    },
  },
];
