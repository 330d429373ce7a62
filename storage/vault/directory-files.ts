import { access, mkdir, open, readdir, readFile, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { progress } from "#base/progress";

// File system calls of the directory vault, with what may go wrong said in the vault's words.

export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    progress();
    return names;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw translated(error, folder);
  }
}

export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    await using file = await open(path, "r");
    return (await file.stat()).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw translated(error, path);
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return false;
    throw translated(error, path);
  }
}

/**
 * Makes every missing folder between `root` and `path`, each name durable. Never `root` itself: what is
 * missing there is a NAS that went away, and its mount point must stay empty.
 */
export async function makeFolder(path: string, root: string): Promise<void> {
  if (path === root || (await exists(path))) return;
  await makeFolder(dirname(path), root);
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  await syncDirectory(dirname(path));
}

export async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
    await syncDirectory(dirname(folder));
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "ENOENT" && code !== "EEXIST")
      throw translated(error, folder);
  }
}

export async function readText(path: string, key: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw translated(error, key);
  }
}

/** `doing`, its failure said in the vault's words. */
export async function inVaultWords<T>(key: string, doing: Promise<T>): Promise<T> {
  try {
    return await doing;
  } catch (error) {
    throw translated(error, key);
  }
}

export async function* translating<T>(
  key: string,
  source: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* source;
  } catch (error) {
    throw translated(error, key);
  }
}

export function translated(error: unknown, key: string): unknown {
  if (error instanceof BewaardError) return error;
  const code = systemCode(error);
  if (code === undefined || code === "ABORT_ERR") return error;
  if (code === "ENOENT") return notFound(key, error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new BewaardError("VAULT_FULL", `${key}: the vault is full`, {
      transient: true,
      cause: error,
    });
  }
  return new BewaardError("VAULT_UNAVAILABLE", `${key}: the vault does not answer (${code})`, {
    transient: true,
    cause: error,
  });
}

export function notFound(key: string, cause?: unknown): BewaardError {
  return new BewaardError("VAULT_NOT_FOUND", `${key}: the vault has no such version`, { cause });
}

export function wentAway(key: string, cause: unknown): BewaardError {
  const message = `${key}: the vault went away while it was written`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true, cause });
}

export function heldError(key: string): BewaardError {
  return new BewaardError("VAULT_HELD", `${key}: held, not destroyed`);
}
