import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeTime } from "ulid";
import { diskError } from "#base/disk-errors";
import { BewaardError, systemCode } from "#base/errors";
import { openPartDigests } from "../seal/part-digests.ts";
import {
  MANIFEST_LIMIT_BYTES,
  type Manifest,
  parseManifest,
  type SegmentManifest,
} from "./manifest.ts";

const READ_BYTES = 1024 * 1024;

/**
 * Names of the manifests that lie in a producer's folder, oldest id first, as bytes.
 * @throws BewaardError SPOOL_IO (transient).
 */
export async function manifestNames(folder: string): Promise<readonly Buffer[]> {
  try {
    const names = await readdir(Buffer.from(folder), { encoding: "buffer" });
    return names
      .filter((name) => name.subarray(-5).toString("latin1") === ".json")
      .toSorted((a, b) => a.compare(b));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw diskError(error, `looking for manifests in incoming/${basename(folder)}`);
  }
}

/** Whose files are taken; one of these. */
export type Owners = readonly number[];

/**
 * Reads the manifest `name` of a producer, a file of one of `owners`, written for `node`.
 * @throws BewaardError MANIFEST_LIES when it is not exactly what docs/format.md says.
 */
export async function readManifest(
  folder: string,
  name: Uint8Array,
  expected: { readonly node: string; readonly owners: Owners },
): Promise<Manifest> {
  const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
  await using file = await openOwned(path, expected.owners);
  const { size } = await file.stat();
  if (size > MANIFEST_LIMIT_BYTES) throw lies(`manifest of ${size} bytes`);
  // No more than was looked at, whatever is written to it meanwhile.
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
  const manifest = parseManifest(buffer.subarray(0, bytesRead));
  if (`${manifest.id}.json` !== Buffer.from(name).toString("latin1"))
    throw lies("id is not the file's name");
  if (manifest.producer !== basename(folder)) throw lies("names another producer");
  if (manifest.node !== expected.node) throw lies("names another node");
  return manifest;
}

/**
 * Recomputes the digests of the sealed file at `path`, and that it is a regular file; of one of `owners`, where they are named.
 * Returns the file, open: for as long as it is, no other can pass for it. Undefined when there is no such file.
 * @throws BewaardError MANIFEST_LIES.
 */
export async function openAgreeing(
  path: string,
  manifest: SegmentManifest,
  owners: Owners | undefined,
): Promise<FileHandle | undefined> {
  let sealed: FileHandle;
  try {
    sealed = await openOwned(Buffer.from(path), owners);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    await requireAgreement(sealed, manifest);
    return sealed;
  } catch (error) {
    await sealed.close();
    throw error;
  }
}

async function requireAgreement(sealed: FileHandle, { ciphertext }: SegmentManifest) {
  const { size } = await sealed.stat();
  if (size !== ciphertext.bytes) throw lies(`sealed file has ${size} bytes`);
  const digests = openPartDigests();
  const block = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, Math.max(1, size)));
  // Who makes it longer meanwhile need never end.
  for (let read = 0; read <= size; ) {
    const { bytesRead } = await sealed.read(block, 0, block.length);
    if (bytesRead === 0) break;
    digests.update(block.subarray(0, bytesRead));
    read += bytesRead;
  }
  const { ciphertextBytes, parts } = digests.finish();
  const same =
    ciphertextBytes === ciphertext.bytes &&
    parts.length === ciphertext.parts.length &&
    parts.every((part, index) => part === ciphertext.parts[index]);
  if (!same) throw lies("digests are not those of the sealed file");
}

/** Where a producer puts the sealed file of a manifest. */
export function sealedPath(folder: string, id: string): string {
  return join(folder, `${id}.age`);
}

async function openOwned(path: Buffer, owners: Owners | undefined): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: FileHandle;
  try {
    file = await open(path, flags);
  } catch (error) {
    if (systemCode(error) === "ELOOP" || systemCode(error) === "ENXIO")
      throw lies("not a regular file");
    if (systemCode(error) === "EACCES") throw lies("not readable");
    throw error;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw lies("not a regular file");
    if (stats.nlink !== 1) throw lies("has a second name");
    if (owners?.includes(stats.uid) === false) throw lies("belongs to another user");
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function lies(what: string): BewaardError {
  return new BewaardError("MANIFEST_LIES", what);
}

/**
 * When what lies in incoming/ under `name` was begun, by the box's clock: producers name it by ULID, which
 * has the moment in it. Undefined for any other name.
 */
export function begunAt(name: string): number | undefined {
  const [, id] = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\./.exec(name) ?? [];
  return id === undefined ? undefined : decodeTime(id);
}
