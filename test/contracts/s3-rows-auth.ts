import { CONTENT, clientOf, OTHER_CONTENT, type Row, refused, same } from "./s3-row.ts";

export const AUTH_ROWS: readonly Row[] = [
  {
    name: "a wrong secret is refused",
    bucket: "plain",
    async run({ peer, bucket }) {
      const wrong = clientOf(peer, { ...peer.owner, secretAccessKey: "not the secret" });
      const put = wrong.putObject({ Bucket: bucket, Key: "one", Body: CONTENT });
      await refused(put, 403, "SignatureDoesNotMatch");
    },
  },
  {
    name: "an unknown key is refused",
    bucket: "plain",
    async run({ peer, bucket }) {
      const nobody = clientOf(peer, { ...peer.owner, accessKeyId: "NOBODYNOBODY" });
      await refused(nobody.listObjectsV2({ Bucket: bucket }), 403, "InvalidAccessKeyId");
    },
  },
  {
    name: "nobody in particular is refused, for reading, listing and writing",
    bucket: "plain",
    async run({ peer, s3, bucket }) {
      await s3.putObject({ Bucket: bucket, Key: "one", Body: CONTENT });
      const base = `${peer.endpoint}/${bucket}`;
      same((await fetch(`${base}/one`)).status, 403);
      same((await fetch(`${base}?list-type=2`)).status, 403);
      same((await fetch(`${base}/two`, { method: "PUT", body: "x" })).status, 403);
    },
  },
  {
    name: "another user is refused",
    bucket: "plain",
    async run({ s3, other, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      await s3.putObject({ ...at, Body: CONTENT });
      await refused(other.getObject(at), 403, "AccessDenied");
      await refused(other.putObject({ ...at, Body: "x" }), 403, "AccessDenied");
      await refused(other.listObjectVersions({ Bucket: bucket }), 403, "AccessDenied");
      await refused(other.deleteObject(at), 403, "AccessDenied");
    },
  },
  {
    name: "a body that is not the one that was signed is refused",
    bucket: "plain",
    async run({ peer, s3, bucket }) {
      const at = { Bucket: bucket, Key: "one" };
      const tampering = clientOf(peer, peer.owner);
      tampering.middlewareStack.add(
        (next) => (args) => {
          Object.assign(Object(args.request), { body: OTHER_CONTENT });
          return next(args);
        },
        { step: "deserialize", priority: "low" },
      );
      await refused(
        tampering.putObject({ ...at, Body: CONTENT }),
        400,
        "XAmzContentSHA256Mismatch",
      );
      await refused(s3.headObject(at), 404);
    },
  },
  {
    name: "a clock that is an hour wrong is refused",
    bucket: "plain",
    async run({ peer, bucket }) {
      const late = clientOf(peer, peer.owner, {
        systemClockOffset: -3_600_000,
        disableClockSkewCorrection: false,
      });
      await refused(late.listObjectsV2({ Bucket: bucket }), 403, "RequestTimeTooSkewed");
    },
  },
];
