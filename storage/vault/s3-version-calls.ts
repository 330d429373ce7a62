import {
  type DeleteMarkerEntry,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type ObjectVersion,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Bucket } from "./bucket.ts";
import type { ListedVersion, S3Calls } from "./s3-answers.ts";
import { noAnswer, refusalOf } from "./s3-errors.ts";
import { SHORT, told } from "./s3-told.ts";
import { instantIn, setContentMd5, sizeIn, UNVERSIONED, unquoted } from "./s3-values.ts";

type VersionCalls = Pick<S3Calls, "listVersions" | "deleteVersions">;

export function versionCalls(client: S3Client, bucket: Bucket): VersionCalls {
  const at = { Bucket: bucket.name, ExpectedBucketOwner: bucket.owner };
  return {
    async listVersions(prefix, after, most) {
      const command = new ListObjectVersionsCommand({
        ...at,
        Prefix: prefix,
        MaxKeys: most,
        ...(after === undefined ? {} : { KeyMarker: after.key, VersionIdMarker: after.versionId }),
      });
      const page = await told(prefix, client.send(command, SHORT));
      // An empty listing is a proof, so it must be seen to be one, and of this.
      if (page.IsTruncated === undefined || (page.Prefix ?? "") !== prefix) throw noAnswer(prefix);
      const versions = [
        ...(page.Versions ?? []).map((version) => listed(version, false)),
        ...(page.DeleteMarkers ?? []).map((version) => listed(version, true)),
      ];
      if (!page.IsTruncated) return { versions, next: undefined };
      const { NextKeyMarker: key, NextVersionIdMarker: versionId } = page;
      // More, and nowhere to go on from: what was listed is not all.
      if (key === undefined) throw noAnswer(prefix);
      return { versions, next: { key, versionId } };
    },
    async deleteVersions(versions) {
      const Objects = versions.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
      const command = new DeleteObjectsCommand({ ...at, Delete: { Objects, Quiet: true } });
      command.middlewareStack.add(
        (next) => (args) => {
          setContentMd5(args.request);
          return next(args);
        },
        { step: "build", priority: "low" },
      );
      const what = versions[0]?.key ?? bucket.name;
      const sent = client.send(command, SHORT).catch((error: unknown) => {
        // Ceph refuses as a whole whoever may delete nothing there.
        const refusal = refusalOf(error);
        if (refusal?.status !== 403 || refusal.code !== "AccessDenied") throw error;
        return { Errors: Objects.map((one) => ({ ...one, Code: refusal.code })) };
      });
      const { Errors = [] } = await told(what, sent);
      return Errors.filter(({ Code }) => Code !== "NoSuchVersion" && Code !== "NoSuchKey").map(
        ({ Key = "", VersionId = "", Code = "?" }) => ({
          key: Key,
          versionId: VersionId,
          code: Code,
        }),
      );
    },
  };
}

function listed(version: ObjectVersion | DeleteMarkerEntry, marker: boolean): ListedVersion {
  return {
    key: version.Key ?? "",
    versionId: version.VersionId ?? UNVERSIONED,
    bytes: marker || !("Size" in version) ? 0 : sizeIn(version.Size, version.Key ?? ""),
    etag: "ETag" in version ? unquoted(version.ETag) : "",
    marker,
    latest: version.IsLatest ?? false,
    modifiedAt: instantIn(version.LastModified),
  };
}
