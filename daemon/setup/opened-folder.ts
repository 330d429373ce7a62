import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError } from "#base/errors";
import { aloneIfFree } from "../helper/alone.ts";
import { type Owner, writeOwned } from "./own-files.ts";
import { isThere } from "./settle-configuration.ts";

/** In memory; root's. A folder of each user's box that is being set up, by the user's whole name, and its lock. */
export const OPENED = "/run/bewaard-setup";

export type Put = (name: string, secret: Uint8Array) => Promise<void>;

/**
 * Lets no other setup of this user's box begin until this is disposed of: each of two would go by what it saw before the other changed it.
 * @throws BewaardError USAGE while another is at work.
 */
export async function onlySetup(base: string, user: string): Promise<AsyncDisposable> {
  await makeBase(base);
  return (await aloneIfFree(join(base, `${user}.setup`))) ?? atWork();
}

async function makeBase(base: string): Promise<void> {
  await mkdir(base, { recursive: true });
  await chmod(base, 0o711);
}

function atWork(): never {
  const message = "een andere setup is hier nog bezig / another setup is still at work here";
  throw new BewaardError("USAGE", message);
}

/**
 * A folder of secrets in `base` for `owner`, who can read each by its name, and can make nothing in it: root removes it.
 * @throws BewaardError USAGE while another setup of this user has it open; what `fill` throws, and nothing is left then.
 */
export async function openFolder(
  base: string,
  user: string,
  owner: Owner,
  fill: (put: Put) => Promise<void>,
): Promise<AsyncDisposable & { readonly path: string }> {
  await makeBase(base);
  const path = join(base, user);
  const held = (await aloneIfFree(path)) ?? atWork();
  const close = async (): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    await held[Symbol.asyncDispose]();
  };
  try {
    // What a setup that was killed has left.
    await rm(path, { recursive: true, force: true });
    await mkdir(path);
    // Whatever the umask.
    await chmod(path, 0o711);
    await fill(async (name, secret) => {
      await writeOwned(owner, join(path, name), secret, 0o400, "replace");
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: close };
}

/** Removes what setups that were killed have left of anybody's secrets; nothing of one that is at work. */
export async function removeLeft(base: string): Promise<void> {
  if (!(await isThere(base))) return;
  for (const name of await readdir(base)) {
    if (name.endsWith(".lock")) continue;
    const path = join(base, name);
    await using held = await aloneIfFree(path);
    if (held) await rm(path, { recursive: true, force: true });
  }
}
