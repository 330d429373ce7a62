import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import { PART_BYTES } from "../seal/part-digests.ts";
import type { Piece, Upload, UploadPart } from "./s3-answers.ts";
import { checksumOf, metadataOf } from "./s3-facts.ts";
import { keyListing } from "./s3-list.ts";
import type { Put, Writer, Written } from "./s3-put.ts";
import type { ObjectBody } from "./vault.ts";

/**
 * Uploads a body of several parts and completes it. What a restart finds noted is continued with the parts the
 * provider says it has; any other upload of this key is superseded and aborted. Off a transient failure the upload
 * stays, to be continued; off any other it is aborted, and nothing is left.
 */
export async function uploadParts(writer: Writer, put: Put, signal: AbortSignal): Promise<Written> {
  try {
    const { upload, arrived } = await begunOrBegin(writer, put);
    const parts = await sendMissing(writer, put.body, upload, arrived, signal);
    const written = await complete(writer, upload, parts, signal);
    step("store.completed");
    return { ...written, checksum: checksumOf(put.body.parts) };
  } catch (error) {
    if (error instanceof BewaardError && error.code === "VAULT_NOT_FOUND") {
      // A rule of the bucket, or somebody, has aborted it: what is noted of it is worth nothing.
      await writer.notes.end(put.key);
      throw gone(put.key, error);
    }
    const continued = signal.aborted || (error instanceof BewaardError && error.transient);
    if (!continued) await abandonUploads(writer, put.key);
    throw error;
  }
}

/** Aborts every upload of exactly `key`. */
export async function abandonUploads({ patient, notes }: Abandoner, key: string): Promise<void> {
  for (const upload of await uploadsOf(patient, key)) await patient.abortUpload(upload);
  await notes.end(key);
}

type Abandoner = Pick<Writer, "patient" | "notes">;

/** Those of an object that is there already: its completion was answered to nobody, or another wrote it. */
export async function abandonNoted(writer: Abandoner, key: string): Promise<void> {
  if (await writer.notes.resume(key)) await abandonUploads(writer, key);
}

export async function uploadsOf(
  patient: Writer["patient"],
  key: string,
): Promise<readonly Upload[]> {
  return (await patient.listUploads(key)).filter((upload) => upload.key === key);
}

async function begunOrBegin(
  { calls, patient, patience, notes }: Writer,
  { key, body, keeping }: Put,
): Promise<{ upload: Upload; arrived: ReadonlyMap<number, UploadPart> }> {
  const note = await notes.resume(key);
  let begun: Upload | undefined;
  for (const upload of await uploadsOf(patient, key)) {
    if (upload.uploadId === note?.uploadId) begun = upload;
    else await patient.abortUpload(upload);
  }
  if (note && begun) {
    const listed = await patient.listParts(begun);
    const agreeing = listed.filter(
      ({ number, etag, bytes }) =>
        note.parts.get(number) === etag && bytes === pieceOf(body, number).bytes,
    );
    return { upload: begun, arrived: new Map(agreeing.map((part) => [part.number, part])) };
  }
  const metadata = metadataOf(keeping.facts, body);
  const uploadId = await patience.once(() => calls.createUpload(key, metadata));
  step("store.upload-begun");
  await notes.begin(key, uploadId);
  step("store.upload-noted");
  return { upload: { key, uploadId }, arrived: new Map() };
}

/** Sends what has not arrived, a few parts at a time. A part that fails lets those beside it finish. */
async function sendMissing(
  writer: Writer,
  body: ObjectBody,
  upload: Upload,
  arrived: ReadonlyMap<number, UploadPart>,
  signal: AbortSignal,
): Promise<readonly UploadPart[]> {
  const { patient, notes, parallelParts } = writer;
  const parts = new Map(arrived);
  const missing = body.parts.map((_, index) => index + 1).filter((number) => !parts.has(number));
  let failed = false;
  const sendInTurn = async (): Promise<void> => {
    for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
      if (failed) return;
      try {
        await writer.mayWrite();
        const part = await patient.uploadPart(upload, number, pieceOf(body, number), signal);
        await notes.part(upload.key, number, part.etag);
        step("store.part-noted");
        parts.set(number, part);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: parallelParts }, sendInTurn));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  return [...parts.values()].toSorted((one, other) => one.number - other.number);
}

/** Part `number`, from 1. */
function pieceOf(body: ObjectBody, number: number): Piece {
  const from = (number - 1) * PART_BYTES;
  const to = Math.min(from + PART_BYTES, body.bytes);
  const sha256 = body.parts[number - 1];
  if (sha256 === undefined) throw new TypeError(`no part ${number}`);
  return { open: () => body.open({ from, to }), bytes: to - from, sha256 };
}

/** Some answer with no version and no ETag; to a completion whose first answer was lost, that there is no upload. */
async function complete(
  { calls, patient, patience }: Writer,
  upload: Upload,
  parts: readonly UploadPart[],
  signal: AbortSignal,
): Promise<Omit<Written, "checksum">> {
  const { key } = upload;
  let versionId: string | undefined;
  try {
    versionId = await patience.persist(() => calls.completeUpload(upload, parts, signal), signal);
  } catch (error) {
    if (!(error instanceof BewaardError && error.code === "VAULT_NOT_FOUND")) throw error;
  }
  versionId ??= (await keyListing(patient, key, signal)).versions[0]?.versionId;
  if (versionId !== undefined) return { versionId, etag: undefined };
  throw gone(key);
}

function gone(key: string, cause?: unknown): BewaardError {
  const message = `${key}: the upload is gone, and so is what it made`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true, cause });
}
