import { constants } from "node:fs";
import { type FileHandle, open, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError, systemCode } from "#base/errors";
import { readTrusted } from "#base/trusted-file";
import { ORDER_BYTES } from "../orders/order.ts";
import type { HelperPlaces } from "./places.ts";

// Core's user may do with its folder what it likes, at any moment. So the folder is opened, and what lies in it is
// reached through what was opened: were it a link by now, root would read and remove in another place.

const ORDER = /^([0-9a-f]{32})\.order$/;

/** Nonces of the orders that core left. What else is called an order is taken away: the path unit starts us for it. */
export async function noncesLeft(places: HelperPlaces): Promise<readonly string[]> {
  await using folder = await openOrders(places);
  if (folder === undefined) return [];
  const nonces: string[] = [];
  for (const name of (await readdir(inside(folder, ""))).toSorted()) {
    const [, nonce] = ORDER.exec(name) ?? [];
    if (nonce !== undefined) nonces.push(nonce);
    else if (name.endsWith(".order")) await remove(inside(folder, name));
  }
  return nonces;
}

/** The order as it lies there, if only one of `owners` (user ids) can have written it. */
export async function readLeft(
  places: HelperPlaces,
  nonce: string,
  owners: readonly number[],
): Promise<Buffer | "absent" | "untrusted"> {
  await using folder = await openOrders(places);
  if (folder === undefined) return "absent";
  return await readTrusted(inside(folder, `${nonce}.order`), owners, ORDER_BYTES);
}

/**
 * Removes the order, durably.
 * @throws BewaardError ORDER_REFUSED for what cannot be removed, as a folder of that name that is not empty.
 */
export async function takeAway(places: HelperPlaces, nonce: string): Promise<void> {
  await using folder = await openOrders(places);
  if (folder === undefined) return;
  await remove(inside(folder, `${nonce}.order`));
  await folder.sync();
}

async function openOrders({ state }: HelperPlaces): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  try {
    return await open(join(state, "orders"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP" || code === "ENOTDIR")
      throw new BewaardError("ORDER_REFUSED", "the folder of orders is none", { cause: error });
    throw error;
  }
}

function inside(folder: FileHandle, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}

/** Never what lies in a folder: while that was looked for, something else could be put in its place. */
async function remove(path: string): Promise<void> {
  try {
    await unlink(path).catch(async (error: unknown) => {
      if (systemCode(error) !== "EISDIR") throw error;
      await rmdir(path);
    });
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT") return;
    if (code === undefined) throw cause;
    throw new BewaardError("ORDER_REFUSED", `an order cannot be taken away (${code})`, { cause });
  }
}
