import { BewaardError } from "#base/errors";
import type { Order } from "../orders/order.ts";
import type { Refusal } from "./admit.ts";
import { findPart, readVolume } from "./look.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";

/** Why the card of an order is not in its slot at this moment, whatever its record says; undefined when it is. */
export async function lookAgain(
  mounts: Mounts,
  places: HelperPlaces,
  order: Order,
): Promise<Refusal | undefined> {
  const found = await findPart(places, order.name);
  if (found === undefined) return "not-docked";
  if (found.usb.slot !== order.slot) return "other-slot";
  if (found.part.device !== order.device) return "other-device";
  try {
    const volume = await readVolume(mounts, order.name, order.device);
    return volume?.serial === order.volume ? undefined : "other-volume";
  } catch (error) {
    if (error instanceof BewaardError && error.code === "CARD_MOUNT") return "other-device";
    throw error;
  }
}
