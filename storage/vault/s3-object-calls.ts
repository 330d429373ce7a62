import { Readable } from "node:stream";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Bucket } from "./bucket.ts";
import type { S3Calls } from "./s3-answers.ts";
import { lengthOf, sending } from "./s3-body.ts";
import { inVaultWords, noAnswer, refusalOf } from "./s3-errors.ts";
import { SHORT, told } from "./s3-told.ts";
import { base64Of, governance, setHeader, UNVERSIONED, unquoted } from "./s3-values.ts";
import type { ByteRange } from "./vault.ts";

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError("a body that is not of bytes");
}

/** @throws BewaardError VAULT_UNAVAILABLE for more than was asked. */
async function* noMoreThan(range: ByteRange | undefined, body: Readable, key: string) {
  let left = range === undefined ? Infinity : range.to - range.from;
  for await (const chunk of body.iterator()) {
    const bytes = asBytes(chunk);
    left -= bytes.length;
    if (left < 0) throw noAnswer(key);
    yield bytes;
  }
}

type ObjectCalls = Pick<S3Calls, "putObject" | "headObject" | "getObject">;

export function objectCalls(client: S3Client, bucket: Bucket): ObjectCalls {
  const at = { Bucket: bucket.name, ExpectedBucketOwner: bucket.owner };
  return {
    async putObject(key, piece, how, signal) {
      const { metadata, held, lockedUntil, once, checksum } = how;
      const put = (body: Readable, abortSignal: AbortSignal) => {
        const command = new PutObjectCommand({
          ...at,
          ...lengthOf(piece),
          ...(checksum === undefined ? {} : { ChecksumSHA256: base64Of(checksum) }),
          Key: key,
          Body: body,
          Metadata: { ...metadata },
          ...(once ? { IfNoneMatch: "*" } : {}),
          ...(held ? { ObjectLockLegalHoldStatus: "ON" } : {}),
          ...(lockedUntil === undefined ? {} : governance(lockedUntil)),
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
      try {
        const { VersionId, ETag } = await sending(piece, signal, put);
        return { versionId: VersionId ?? UNVERSIONED, etag: unquoted(ETag) };
      } catch (error) {
        const status = refusalOf(error)?.status;
        if (once && status === 412) return "taken";
        if (once && status === 501) return "no conditions";
        throw inVaultWords(error, key, signal);
      }
    },
    async headObject(key, versionId) {
      const command = new HeadObjectCommand({
        ...at,
        Key: key,
        VersionId: versionId,
        ChecksumMode: "ENABLED",
      });
      const head = await told(key, client.send(command, SHORT));
      return {
        bytes: head.ContentLength ?? 0,
        etag: unquoted(head.ETag),
        metadata: head.Metadata ?? {},
        checksumSha256: head.ChecksumSHA256,
      };
    },
    async *getObject(key, versionId, range, signal) {
      if (range && range.to <= range.from) return;
      const Range = range && `bytes=${range.from}-${range.to - 1}`;
      const command = new GetObjectCommand({ ...at, Key: key, VersionId: versionId, Range });
      try {
        const { Body, ContentRange } = await client.send(command, { abortSignal: signal });
        // Some give the whole of it to who asks for a part.
        if (range && range.from > 0 && !ContentRange?.startsWith(`bytes ${range.from}-`))
          throw noAnswer(key);
        // What the SDK calls a stream is one only here, in Node.
        if (!(Body instanceof Readable)) throw new TypeError("a body that is no stream");
        yield* noMoreThan(range, Body, key);
      } catch (error) {
        if (refusalOf(error)?.status === 416) return;
        throw inVaultWords(error, key, signal);
      }
    },
  };
}
