import { BewaardError, systemCode } from "#base/errors";
import type { Order } from "../orders/order.ts";
import { isMtp } from "./look.ts";
import type { Mounts } from "./mounts.ts";
import { openCard, type SafeFolder } from "./safe-folder.ts";

/** Opens the card of an order where it is mounted; undefined when it is another card, or none, or does not answer. */
export async function openDocked(
  mounts: Mounts,
  { name, device }: Pick<Order, "name" | "device">,
  at: string,
): Promise<SafeFolder | undefined> {
  // Files of a media device are in a file system that only their program knows, never in a folder of this machine.
  const mounted = isMtp(name) ? await mounts.programAt(at) : device;
  if (mounted === undefined) return undefined;
  try {
    return await openCard(at, mounted);
  } catch (error) {
    if (error instanceof BewaardError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
