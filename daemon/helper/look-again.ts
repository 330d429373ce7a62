import { BewaardError } from "#base/errors";
import type { Order } from "../orders/order.ts";
import type { Refusal } from "./admit.ts";
import { findCard, isMtp, readVolume } from "./look.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";

/** Why the card of an order is not in its slot at this moment, whatever its record says; undefined when it is. */
export async function lookAgain(
  mounts: Mounts,
  places: HelperPlaces,
  order: Order,
): Promise<Refusal | undefined> {
  const found = await findCard(places, order.name);
  if (found === undefined) return "not-docked";
  if (found.usb.slot !== order.slot) return "other-slot";
  if (found.device !== order.device) return "other-device";
  // Its number on its bus goes to nothing else while it is in, and what it has no serial of its own cannot change.
  if (isMtp(order.name)) return order.volume === null ? undefined : "other-volume";
  try {
    const volume = await readVolume(mounts, order.name, order.device);
    return volume?.serial === order.volume ? undefined : "other-volume";
  } catch (error) {
    if (error instanceof BewaardError && error.code === "CARD_MOUNT") return "other-device";
    throw error;
  }
}
