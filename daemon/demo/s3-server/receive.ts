import { open, rm } from "node:fs/promises";
import { basename } from "node:path";
import type { Call } from "./call.ts";
import { checksOf } from "./digests.ts";
import { Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";
import type { Piece } from "./state.ts";
import { trailedBody } from "./trailed-body.ts";

const LARGEST_BYTES = 5 * 1024 ** 3;
const LARGEST_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** Bytes of one write: small pieces cost more system calls than they are worth. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Takes the body into a file while comparing it with every digest the client sent.
 * @throws Refusal where one differs or bytes are missing; no file is left then, nor when the client goes away.
 */
export async function receive(call: Call, algorithm: string | undefined): Promise<Piece> {
  const { request, keep } = call;
  const path = keep.newFile();
  const file = await open(path, "wx");
  try {
    const checks = checksOf(call, algorithm);
    let bytes = 0;
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    const flush = async (): Promise<void> => {
      if (waitingBytes > 0) await file.writev(waiting);
      [waiting, waitingBytes] = [[], 0];
    };
    for await (const chunk of bodyOf(call, checks.trailer)) {
      checks.update(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      bytes += chunk.length;
      if (waitingBytes >= WRITE_BYTES) await flush();
    }
    await flush();
    if (bytes !== lengthOf(request)) throw new Refusal(400, "IncompleteBody");
    return { file: basename(path), bytes, ...checks.compared() };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Takes a small document, compared in the same way. */
export async function receiveText(call: Omit<Call, "text">): Promise<string> {
  const length = call.request.header("content-length");
  if (length === undefined || length === "0") return "";
  if (Number(length) > LARGEST_DOCUMENT_BYTES) throw new Refusal(400, "MaxMessageLengthExceeded");
  const checks = checksOf(call, undefined);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyOf(call, checks.trailer)) {
    checks.update(chunk);
    chunks.push(chunk);
  }
  checks.compared();
  return Buffer.concat(chunks).toString("utf8");
}

function bodyOf({ request, quirks }: Omit<Call, "text">, trailer: Map<string, string>) {
  const { incoming, goOn } = request;
  const trailed = request.header("x-amz-decoded-content-length") !== undefined;
  const length = lengthOf(request);
  if (Number.isNaN(length) || (trailed && !quirks.chunkedBodies)) {
    throw new Refusal(411, "MissingContentLength");
  }
  if (length > LARGEST_BYTES) throw new Refusal(400, "EntityTooLarge");
  goOn();
  const chunks: AsyncIterable<Buffer> = incoming;
  return trailed ? trailedBody(chunks, trailer) : chunks;
}

function lengthOf(request: S3Request): number {
  const { header } = request;
  return Number(header("x-amz-decoded-content-length") ?? header("content-length") ?? Number.NaN);
}
