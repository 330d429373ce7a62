import { createHash, randomBytes } from "node:crypto";
import {
  base64Of,
  CONTENT,
  type Ground,
  OTHER_CONTENT,
  type Row,
  refused,
  same,
  signing,
} from "./s3-row.ts";

const MIB = 1024 * 1024;
const PARTS = [randomBytes(5 * MIB), randomBytes(5 * MIB), CONTENT];

async function begin({ s3, bucket }: Ground) {
  const at = { Bucket: bucket, Key: "one" };
  const { UploadId } = await s3.createMultipartUpload(at);
  return { ...at, UploadId };
}

/** All parts, uploaded; with what Complete wants to hear of them. */
async function whole(ground: Ground) {
  const upload = await begin(ground);
  const Parts = [];
  for (const [at, Body] of PARTS.entries()) {
    const { ETag } = await ground.s3.uploadPart({ ...upload, PartNumber: at + 1, Body });
    Parts.push({ PartNumber: at + 1, ETag });
  }
  return { upload, MultipartUpload: { Parts } };
}

function tagOf(parts: readonly Buffer[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(createHash("md5").update(part).digest());
  return `"${hash.digest("hex")}-${parts.length}"`;
}

export const UPLOAD_ROWS: readonly Row[] = [
  {
    name: "parts become one object, whose tag is made of theirs",
    bucket: "versioned",
    async run(ground) {
      const { s3 } = ground;
      const { upload, MultipartUpload } = await whole(ground);
      const listed = await s3.listParts(upload);
      same(listed.Parts?.map(({ Size }) => Size).join(), PARTS.map(({ length }) => length).join());
      same(listed.Parts?.[0]?.ETag, MultipartUpload.Parts[0]?.ETag);
      const { VersionId } = await s3.completeMultipartUpload({ ...upload, MultipartUpload });
      const { Bucket, Key } = upload;
      const head = await s3.headObject({ Bucket, Key, VersionId });
      same(head.ETag, tagOf(PARTS));
      same(head.ContentLength, Buffer.concat(PARTS).length);
      const got = await s3.getObject({ Bucket, Key, VersionId, Range: `bytes=${10 * MIB - 5}-` });
      same(await got.Body?.transformToString("latin1"), latin1(PARTS).slice(10 * MIB - 5));
    },
  },
  {
    name: "Complete tells the version",
    bucket: "versioned",
    async run(ground) {
      const { upload, MultipartUpload } = await whole(ground);
      const done = await ground.s3.completeMultipartUpload({ ...upload, MultipartUpload });
      const { Bucket, Key } = upload;
      same(done.VersionId, (await ground.s3.headObject({ Bucket, Key })).VersionId);
    },
  },
  {
    name: "Complete tells the tag",
    bucket: "versioned",
    async run(ground) {
      const { upload, MultipartUpload } = await whole(ground);
      const done = await ground.s3.completeMultipartUpload({ ...upload, MultipartUpload });
      same(done.ETag, tagOf(PARTS));
    },
  },
  {
    name: "Complete after a lost answer is told that there is no such upload",
    bucket: "versioned",
    async run(ground) {
      const { upload, MultipartUpload } = await whole(ground);
      await ground.s3.completeMultipartUpload({ ...upload, MultipartUpload });
      const again = ground.s3.completeMultipartUpload({ ...upload, MultipartUpload });
      await refused(again, 404, "NoSuchUpload");
    },
  },
  {
    name: "Complete after a lost answer makes no second version",
    bucket: "versioned",
    async run(ground) {
      const { s3, bucket } = ground;
      const { upload, MultipartUpload } = await whole(ground);
      await s3.completeMultipartUpload({ ...upload, MultipartUpload });
      await s3.completeMultipartUpload({ ...upload, MultipartUpload }).catch(() => undefined);
      same((await s3.listObjectVersions({ Bucket: bucket })).Versions?.length, 1);
      same((await s3.listMultipartUploads({ Bucket: bucket })).Uploads?.length ?? 0, 0);
    },
  },
  {
    name: "Complete heeds If-None-Match",
    bucket: "versioned",
    async run(ground) {
      const { s3, bucket } = ground;
      await s3.putObject({ Bucket: bucket, Key: "one", Body: CONTENT });
      const { upload, MultipartUpload } = await whole(ground);
      const done = s3.completeMultipartUpload({ ...upload, MultipartUpload, IfNoneMatch: "*" });
      await refused(done, 412, "PreconditionFailed");
    },
  },
  {
    name: "Complete with another part's tag is refused",
    bucket: "versioned",
    async run(ground) {
      const { upload, MultipartUpload } = await whole(ground);
      const [one, ...others] = MultipartUpload.Parts;
      const Parts = [{ PartNumber: 1, ETag: others[0]?.ETag ?? one?.ETag }, ...others];
      const done = ground.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
      await refused(done, 400, "InvalidPart");
    },
  },
  {
    name: "a small part that is not the last is refused at Complete",
    bucket: "versioned",
    async run(ground) {
      const upload = await begin(ground);
      const Parts = [];
      for (const PartNumber of [1, 2]) {
        const { ETag } = await ground.s3.uploadPart({ ...upload, PartNumber, Body: CONTENT });
        Parts.push({ PartNumber, ETag });
      }
      const done = ground.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
      await refused(done, 400, "EntityTooSmall");
    },
  },
  {
    name: "a part sent again replaces the one before",
    bucket: "versioned",
    async run(ground) {
      const upload = await begin(ground);
      await ground.s3.uploadPart({ ...upload, PartNumber: 1, Body: OTHER_CONTENT });
      const { ETag } = await ground.s3.uploadPart({ ...upload, PartNumber: 1, Body: CONTENT });
      same((await ground.s3.listParts(upload)).Parts?.length, 1);
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await ground.s3.completeMultipartUpload({ ...upload, MultipartUpload });
      const got = await ground.s3.getObject({ Bucket: upload.Bucket, Key: upload.Key });
      same(await got.Body?.transformToString(), CONTENT.toString());
    },
  },
  {
    name: "a part whose signed hash is wrong is refused, and is no part",
    bucket: "versioned",
    async run(ground) {
      const upload = await begin(ground);
      const wrong = signing(ground.peer, OTHER_CONTENT);
      const part = wrong.uploadPart({ ...upload, PartNumber: 1, Body: CONTENT });
      await refused(part, 400, "XAmzContentSHA256Mismatch");
      same((await ground.s3.listParts(upload)).Parts?.length ?? 0, 0);
    },
  },
  {
    name: "a part with a wrong Content-MD5 is refused",
    bucket: "versioned",
    async run(ground) {
      const ContentMD5 = base64Of("md5", OTHER_CONTENT);
      const part = { ...(await begin(ground)), PartNumber: 1, Body: CONTENT, ContentMD5 };
      await refused(ground.s3.uploadPart(part), 400, "BadDigest");
    },
  },
  {
    name: "checksums of parts are given back, and one made of them",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket, Key: "one", ChecksumAlgorithm: "SHA256" } as const;
      const { UploadId } = await s3.createMultipartUpload(at);
      const upload = { Bucket: bucket, Key: "one", UploadId };
      const ChecksumSHA256 = base64Of("sha256", CONTENT);
      const part = { ...upload, PartNumber: 1, Body: CONTENT, ChecksumSHA256 };
      const { ETag, ChecksumSHA256: told } = await s3.uploadPart(part);
      same(told, ChecksumSHA256);
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag, ChecksumSHA256 }] };
      const done = await s3.completeMultipartUpload({ ...upload, MultipartUpload });
      const sum = base64Of("sha256", Buffer.from(ChecksumSHA256, "base64"));
      same(done.ChecksumSHA256, `${sum}-1`);
    },
  },
  {
    name: "unfinished uploads are listed by prefix until they are aborted",
    bucket: "versioned",
    async run(ground) {
      const { s3, bucket } = ground;
      const upload = await begin(ground);
      await s3.uploadPart({ ...upload, PartNumber: 1, Body: CONTENT });
      same((await s3.listObjectVersions({ Bucket: bucket })).Versions?.length ?? 0, 0);
      const listed = async (Prefix: string) =>
        (await s3.listMultipartUploads({ Bucket: bucket, Prefix })).Uploads ?? [];
      same((await listed("on")).map(({ UploadId }) => UploadId).join(), upload.UploadId);
      same((await listed("two")).length, 0);
      await s3.abortMultipartUpload(upload);
      same((await listed("")).length, 0);
      await refused(s3.listParts(upload), 404);
      const late = s3.uploadPart({ ...upload, PartNumber: 2, Body: CONTENT });
      await refused(late, 404, "NoSuchUpload");
      await refused(s3.abortMultipartUpload(upload), 404, "NoSuchUpload");
    },
  },
  {
    name: "parts of an upload that is not there are told as no upload",
    bucket: "versioned",
    async run(ground) {
      const upload = await begin(ground);
      await ground.s3.abortMultipartUpload(upload);
      await refused(ground.s3.listParts(upload), 404, "NoSuchUpload");
    },
  },
  {
    name: "Complete of an upload that was aborted is told so",
    bucket: "versioned",
    async run(ground) {
      const { upload, MultipartUpload } = await whole(ground);
      await ground.s3.abortMultipartUpload(upload);
      const done = ground.s3.completeMultipartUpload({ ...upload, MultipartUpload });
      await refused(done, 404, "NoSuchUpload");
      same(
        (await ground.s3.listObjectVersions({ Bucket: upload.Bucket })).Versions?.length ?? 0,
        0,
      );
    },
  },
];

function latin1(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString("latin1");
}
