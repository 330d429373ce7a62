import { createHash } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { type Row, refused, same } from "./s3-conformance.ts";

const CONTENT = Buffer.from("segment ".repeat(100));

export const WRITING_ROWS: readonly Row[] = [
  {
    name: "PUT gives a version and its MD5 as tag; GET and HEAD by version give it back",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const put = await s3.send(
        new PutObjectCommand({ ...at, Body: CONTENT, Metadata: { sha256: "ab" } }),
      );
      same(put.ETag, `"${createHash("md5").update(CONTENT).digest("hex")}"`);
      await s3.send(new PutObjectCommand({ ...at, Body: "other" }));
      const by = { ...at, VersionId: put.VersionId };
      const head = await s3.send(new HeadObjectCommand(by));
      same(head.ContentLength, CONTENT.length);
      same(head.Metadata?.["sha256"], "ab");
      const got = await s3.send(new GetObjectCommand(by));
      same(await got.Body?.transformToString(), CONTENT.toString());
    },
  },
  {
    name: "DELETE of a version takes it away for good; without one it leaves a marker",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const put = await s3.send(new PutObjectCommand({ ...at, Body: CONTENT }));
      const marked = await s3.send(new DeleteObjectCommand(at));
      same(marked.DeleteMarker, true);
      await refused(s3.send(new GetObjectCommand(at)), 404, "NoSuchKey");
      await s3.send(new HeadObjectCommand({ ...at, VersionId: put.VersionId }));
      await s3.send(new DeleteObjectCommand({ ...at, VersionId: put.VersionId }));
      await refused(s3.send(new HeadObjectCommand({ ...at, VersionId: put.VersionId })), 404);
      const listed = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
      same(listed.Versions?.length ?? 0, 0);
      same(listed.DeleteMarkers?.length, 1);
    },
  },
];
