import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { BUCKET } from "./policed.ts";

/** One version of one object. */
export interface At {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId: string;
}

/** As a box does in a locked bucket. */
export interface Lock {
  readonly until: Date;
  readonly mode?: "GOVERNANCE" | "COMPLIANCE";
}

export async function put(
  client: S3Client,
  Key: string,
  Body: Uint8Array | string,
  lock?: Lock,
  held = false,
): Promise<At> {
  const { VersionId = "" } = await client.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key,
      Body,
      ...(lock && {
        ObjectLockMode: lock.mode ?? "GOVERNANCE",
        ObjectLockRetainUntilDate: lock.until,
      }),
      ...(held && { ObjectLockLegalHoldStatus: "ON" }),
    }),
  );
  return { Bucket: BUCKET, Key, VersionId };
}

export async function read(client: S3Client, at: At): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand(at));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Ids of the versions under `Prefix`, newest first, and how many markers hide them. */
export async function versionsOf(client: S3Client, Prefix: string) {
  const page = await client.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix }));
  const versions = (page.Versions ?? []).map(({ VersionId = "" }) => VersionId);
  return { versions, markers: page.DeleteMarkers?.length ?? 0 };
}

export async function lockOf(client: S3Client, at: At): Promise<string> {
  const { Retention } = await client.send(new GetObjectRetentionCommand(at));
  return `${Retention?.Mode} ${Retention?.RetainUntilDate?.toISOString()}`;
}

export async function holdOf(client: S3Client, at: At): Promise<string | undefined> {
  return (await client.send(new GetObjectLegalHoldCommand(at))).LegalHold?.Status;
}

export async function setHold(client: S3Client, at: At, Status: "ON" | "OFF"): Promise<void> {
  await client.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status } }));
}

/** Resolves with the id of an upload that nobody finishes. */
export async function startUpload(client: S3Client, Key: string): Promise<string> {
  const upload = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  return upload.UploadId ?? "";
}
