import type { ListObjectVersionsCommandOutput, S3 } from "@aws-sdk/client-s3";
import { CONTENT, type Row, refused, same } from "./s3-row.ts";

/** Every version and marker, two at a time. */
async function allOf(s3: S3, bucket: string) {
  const all: { Key: string | undefined; VersionId: string | undefined }[] = [];
  let page: ListObjectVersionsCommandOutput | undefined;
  do {
    page = await s3.listObjectVersions({
      Bucket: bucket,
      MaxKeys: 2,
      KeyMarker: page?.NextKeyMarker,
      VersionIdMarker: page?.NextVersionIdMarker,
    });
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      all.push({ Key, VersionId });
    }
  } while (page.IsTruncated === true);
  return all;
}

export const VERSION_ROWS: readonly Row[] = [
  {
    name: "each PUT is a version of its own, and each is read by its id",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const first = await s3.putObject({ ...at, Body: "first" });
      await s3.putObject({ ...at, Body: "second" });
      const { Body } = await s3.getObject({ ...at, VersionId: first.VersionId });
      same(await Body?.transformToString(), "first");
      const { Versions = [] } = await s3.listObjectVersions({ Bucket: bucket, Prefix: "one" });
      same(Versions.map(({ IsLatest }) => IsLatest).join(), "true,false");
      same(Versions[1]?.VersionId, first.VersionId);
      same(Versions[1]?.Size, 5);
      same(Versions[1]?.ETag, first.ETag);
    },
  },
  {
    name: "a bucket without versions keeps one, called null",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      same((await s3.putObject({ ...at, Body: "first" })).VersionId, undefined);
      await s3.putObject({ ...at, Body: "second" });
      const { Versions = [] } = await s3.listObjectVersions({ Bucket: bucket });
      same(Versions.map(({ VersionId, Size }) => `${VersionId} ${Size}`).join(), "null 6");
      await s3.deleteObject({ ...at, VersionId: "null" });
      await refused(s3.headObject(at), 404);
    },
  },
  {
    name: "DELETE without a version leaves a marker, and the version stays",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({ ...at, Body: CONTENT });
      const marked = await s3.deleteObject(at);
      same(marked.DeleteMarker, true);
      await refused(s3.getObject(at), 404, "NoSuchKey");
      same((await s3.headObject({ ...at, VersionId })).ContentLength, CONTENT.length);
      same((await s3.listObjectsV2({ Bucket: bucket })).KeyCount, 0);
      const listed = await s3.listObjectVersions({ Bucket: bucket });
      same(listed.Versions?.[0]?.IsLatest, false);
      same(listed.DeleteMarkers?.[0]?.IsLatest, true);
      same(listed.DeleteMarkers?.[0]?.VersionId, marked.VersionId);
    },
  },
  {
    name: "reading a marker by its version is refused as no method for it",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const { VersionId } = await s3.deleteObject({ Bucket: bucket, Key: "one" });
      const read = s3.getObject({ Bucket: bucket, Key: "one", VersionId });
      await refused(read, 405, "MethodNotAllowed");
    },
  },
  {
    name: "a marker that is deleted brings the version back",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      await s3.putObject({ ...at, Body: CONTENT });
      const { VersionId } = await s3.deleteObject(at);
      const deleted = await s3.deleteObject({ ...at, VersionId });
      same(deleted.DeleteMarker, true);
      same((await s3.headObject(at)).ContentLength, CONTENT.length);
    },
  },
  {
    name: "DELETE of a version takes it away; again is no error",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({ ...at, Body: CONTENT });
      same((await allOf(s3, bucket)).length, 1);
      await s3.deleteObject({ ...at, VersionId });
      await s3.deleteObject({ ...at, VersionId });
      same((await allOf(s3, bucket)).length, 0);
    },
  },
  {
    name: "pages that end inside a key lose no version, and all can be deleted at once",
    bucket: "versioned",
    async run({ s3, bucket }) {
      for (const Key of ["a", "b", "b", "b", "c"]) {
        await s3.putObject({ Bucket: bucket, Key, Body: "x" });
      }
      await s3.deleteObject({ Bucket: bucket, Key: "b" });
      const all = await allOf(s3, bucket);
      same(new Set(all.map(({ VersionId }) => VersionId)).size, 6);
      const Objects = all.map(({ Key, VersionId }) => ({ Key, VersionId }));
      const done = await s3.deleteObjects({ Bucket: bucket, Delete: { Objects, Quiet: true } });
      same(done.Errors?.length ?? 0, 0);
      same((await allOf(s3, bucket)).length, 0);
    },
  },
  {
    name: "DeleteObjects tells what it did, unless it is to be quiet",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const { VersionId } = await s3.putObject({ Bucket: bucket, Key: "one", Body: "x" });
      const Objects = [{ Key: "one", VersionId }];
      const done = await s3.deleteObjects({ Bucket: bucket, Delete: { Objects } });
      same(done.Deleted?.map((one) => `${one.Key} ${one.VersionId}`).join(), `one ${VersionId}`);
    },
  },
];
