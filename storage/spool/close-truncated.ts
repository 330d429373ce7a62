import { type FileHandle, link, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory, writeDurably } from "#base/durable";
import { systemCode } from "#base/errors";
import { step } from "#base/step";
import { PAYLOAD_NONCE_BYTES, TAG_BYTES } from "../seal/chunk.ts";
import { HANDED_OVER } from "../seal/handed-over.ts";
import { openPartDigests } from "../seal/part-digests.ts";
import { HEADER_LIMIT_BYTES, headerEnd } from "../seal/reader.ts";
import { sealedPath } from "./incoming.ts";
import { type Intent, intentPath } from "./intent.ts";
import { ciphertextOf, manifestText, type SegmentManifest } from "./manifest.ts";

const READ_BYTES = 1024 * 1024;

/** `nothing`: no byte of footage could ever be opened in it, and it was removed. */
export type Closed = "closed" | "nothing";

/**
 * Closes a sealed file that a crash cut off and whose source is gone: it gets its name, the digests of
 * the bytes as they are, and a manifest that calls it truncated. It is never gone on with: its key was in
 * memory only, and a nonce would come twice. Repeating it after a crash of its own is harmless.
 */
export async function closeTruncated(folder: string, intent: Intent): Promise<Closed> {
  const path = sealedPath(folder, intent.id);
  await giveName(`${path}.partial`, path);
  await syncDirectory(folder);
  step("close.named");
  const ciphertext = await readDigests(path);
  if (ciphertext === undefined) {
    await rm(path, { force: true });
    await syncDirectory(folder);
    await rm(intentPath(folder, intent.id), { force: true });
    return "nothing";
  }
  const text = manifestText(manifestOf(intent, ciphertext));
  await writeDurably(join(folder, `${intent.id}.json`), text, HANDED_OVER);
  step("close.handed-over");
  await rm(intentPath(folder, intent.id), { force: true });
  return "closed";
}

/** What was written survives from here on, under its name. A name that exists is never replaced. */
async function giveName(partial: string, path: string): Promise<void> {
  try {
    await using file = await open(partial, "r");
    await file.sync();
    await link(partial, path);
  } catch (error) {
    // The crash came after the name was given: it is the same file.
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "EEXIST") throw error;
  }
  await rm(partial, { force: true });
}

/** Digests of the file as it is; undefined when not even its header is whole. */
async function readDigests(path: string): Promise<SegmentManifest["ciphertext"] | undefined> {
  await using file = await openIfThere(path);
  if (!file || !(await holdsFootage(file))) return undefined;
  const digests = openPartDigests();
  const block = Buffer.allocUnsafeSlow(READ_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(block, 0, block.length, at);
    if (bytesRead === 0) break;
    digests.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  return ciphertextOf(digests.finish());
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Header, nonce, and more than the tag of a chunk: less than that has no byte of footage in it. */
async function holdsFootage(file: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(HEADER_LIMIT_BYTES);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const end = headerEnd(head.subarray(0, bytesRead));
  if (end === undefined || !head.toString("latin1", 0, 21).startsWith("age-encryption.org/v1"))
    return false;
  const { size } = await file.stat();
  return size > end + PAYLOAD_NONCE_BYTES + TAG_BYTES;
}

function manifestOf(intent: Intent, ciphertext: SegmentManifest["ciphertext"]): SegmentManifest {
  const { id, node, producer, device, arrivedAt, arrivedUptime, recording, file } = intent;
  const { kind, sealedFor, rewritten } = intent;
  return {
    bewaard: "manifest/1",
    kind,
    id,
    node,
    producer,
    device,
    arrivedAt,
    arrivedUptime,
    recording,
    file,
    plaintext: null,
    ciphertext,
    sealedFor,
    truncated: true,
    rewritten,
  };
}
