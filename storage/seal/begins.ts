import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemCode } from "#base/errors";
import type { ObjectVersion, Vault } from "../vault/vault.ts";

const MAGIC = Buffer.from("age-encryption.org/v1\n");

/** Whether the file at `path` begins as an age file; also true when it has gone meanwhile. */
export async function beginsAsAge(path: string): Promise<boolean> {
  try {
    await using file = await open(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const start = Buffer.alloc(MAGIC.length);
    await file.read(start, 0, start.length, 0);
    return start.equals(MAGIC);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    if (systemCode(error) === "ELOOP" || systemCode(error) === "ENXIO") return false;
    throw error;
  }
}

/** The same of an object: its first chunk is read and no more. */
export async function beginsAsAgeIn(
  vault: Vault,
  { key, versionId }: ObjectVersion,
  signal: AbortSignal,
): Promise<boolean> {
  for await (const chunk of vault.read(key, versionId, signal)) {
    return MAGIC.equals(chunk.subarray(0, MAGIC.length));
  }
  return false;
}
