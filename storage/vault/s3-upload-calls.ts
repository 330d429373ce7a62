import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Bucket } from "./bucket.ts";
import type { S3Calls, Upload, UploadPart } from "./s3-answers.ts";
import { lengthOf, sending } from "./s3-body.ts";
import { inVaultWords, noAnswer, refusalOf } from "./s3-errors.ts";
import { SHORT, told } from "./s3-told.ts";
import { governance, setHeader, unquoted } from "./s3-values.ts";

type UploadCalls = Pick<
  S3Calls,
  "createUpload" | "uploadPart" | "completeUpload" | "abortUpload" | "listUploads" | "listParts"
>;

export function uploadCalls(client: S3Client, bucket: Bucket): UploadCalls {
  const at = { Bucket: bucket.name, ExpectedBucketOwner: bucket.owner };
  const of = named(at);
  return {
    async createUpload(key, metadata, lockedUntil) {
      const command = new CreateMultipartUploadCommand({
        ...at,
        Key: key,
        Metadata: { ...metadata },
        ChecksumAlgorithm: "SHA256",
        ...(lockedUntil === undefined ? {} : governance(lockedUntil)),
      });
      const { UploadId } = await told(key, client.send(command, SHORT));
      if (UploadId === undefined) throw noAnswer(key);
      return UploadId;
    },
    async uploadPart(upload, number, piece, signal) {
      const put = (body: Readable, abortSignal: AbortSignal) => {
        const command = new UploadPartCommand({
          ...of(upload),
          ...lengthOf(piece),
          PartNumber: number,
          Body: body,
        });
        command.middlewareStack.add(
          (next) => (args) => {
            setHeader(args.request, "x-amz-content-sha256", piece.sha256);
            return next(args);
          },
          { step: "build" },
        );
        return client.send(command, { abortSignal });
      };
      const { ETag, ChecksumSHA256 } = await told(upload.key, sending(piece, signal, put), signal);
      const etag = unquoted(ETag);
      // Nothing could be completed with it.
      if (etag === "") throw noAnswer(upload.key);
      return { number, etag, bytes: piece.bytes, checksumSha256: ChecksumSHA256 };
    },
    async completeUpload(upload, parts, signal) {
      const Parts = parts.map(({ number, etag, checksumSha256 }) => ({
        PartNumber: number,
        ETag: `"${etag}"`,
        ...(checksumSha256 === undefined ? {} : { ChecksumSHA256: checksumSha256 }),
      }));
      const command = new CompleteMultipartUploadCommand({
        ...of(upload),
        MultipartUpload: { Parts },
        // Not known by all: who calls this looks afterwards.
        IfNoneMatch: "*",
      });
      const doing = client.send(command, { abortSignal: signal });
      return (await told(upload.key, doing, signal)).VersionId;
    },
    async abortUpload(upload) {
      try {
        await client.send(new AbortMultipartUploadCommand(of(upload)), SHORT);
      } catch (error) {
        if (refusalOf(error)?.code !== "NoSuchUpload") throw inVaultWords(error, upload.key);
      }
    },
    ...listCalls(client, bucket),
  };
}

type Place = { readonly Bucket: string; readonly ExpectedBucketOwner: string | undefined };

function named(at: Place) {
  return ({ key, uploadId }: Upload) => ({ ...at, Key: key, UploadId: uploadId });
}

interface Markers {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

/** Where the next page begins; undefined after the last. @throws BewaardError VAULT_UNAVAILABLE when it says neither. */
function markersOf(page: ListMultipartUploadsCommandOutput): Markers | undefined {
  const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
  if (IsTruncated === false) return undefined;
  if (IsTruncated === undefined || NextKeyMarker === undefined) throw noAnswer(page.Prefix ?? "");
  return {
    KeyMarker: NextKeyMarker,
    ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
  };
}

function listCalls(client: S3Client, bucket: Bucket): Pick<S3Calls, "listUploads" | "listParts"> {
  const at = { Bucket: bucket.name, ExpectedBucketOwner: bucket.owner };
  const of = named(at);
  return {
    async listUploads(prefix) {
      const uploads: Upload[] = [];
      const seen = new Set<string>();
      let next: Markers | undefined = {};
      while (next) {
        const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
          ...at,
          Prefix: prefix,
          ...next,
        });
        const page: ListMultipartUploadsCommandOutput = await told(
          prefix,
          client.send(command, SHORT),
        );
        for (const { Key = "", UploadId = "" } of page.Uploads ?? [])
          uploads.push({ key: Key, uploadId: UploadId });
        next = markersOf(page);
        const place = JSON.stringify(next);
        if (seen.has(place)) throw noAnswer(prefix);
        seen.add(place);
      }
      return uploads;
    },
    async listParts(upload) {
      const parts: UploadPart[] = [];
      let marker: string | undefined;
      do {
        const command = new ListPartsCommand({ ...of(upload), PartNumberMarker: marker });
        const page = await told(upload.key, client.send(command, SHORT));
        for (const { PartNumber = 0, ETag, Size = 0, ChecksumSHA256 } of page.Parts ?? []) {
          const etag = unquoted(ETag);
          parts.push({ number: PartNumber, etag, bytes: Size, checksumSha256: ChecksumSHA256 });
        }
        const before = marker;
        marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
        // Whatever is not listed is sent again.
        if (marker !== undefined && Number(marker) <= Number(before ?? 0))
          throw noAnswer(upload.key);
      } while (marker !== undefined);
      return parts;
    },
  };
}
