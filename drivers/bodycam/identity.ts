import { constants, open } from "node:fs/promises";
import { systemCode } from "#base/errors";
import { printable } from "#base/printable";
import { type CardFile, joined } from "./card.ts";

/** A longer file says more than which camera it is of. */
const READ_BYTES = 64 * 1024;
const LONGEST = 64;

/**
 * Which camera the card says that it is of, as a camera wrote it into a file; undefined when there is no such
 * file among `files`, or nothing in it is like the pattern. It proves nothing: anybody can write a file.
 */
export async function readIdentity(
  identity: { readonly file: string; readonly pattern: string } | null,
  root: string,
  files: readonly CardFile[],
): Promise<string | undefined> {
  const named = identity?.file.toLowerCase();
  // Only what was listed: no link leads to another file.
  const found = files.find(({ path }) => printable(path).toLowerCase() === named);
  if (identity === null || found === undefined) return undefined;
  const text = await head(joined(Buffer.from(root), found.path));
  const match = new RegExp(identity.pattern, "mu").exec(text ?? "");
  const said = (match?.[1] ?? match?.[0] ?? "").trim();
  return said === "" ? undefined : printable(Buffer.from(said.slice(0, LONGEST)));
}

async function head(path: Buffer): Promise<string | undefined> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(path, flags);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(READ_BYTES) });
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
