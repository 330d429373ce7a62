import { BewaardError } from "#base/errors";
import { type Found, findPart, readVolume } from "./look.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import type { Volume } from "./volume.ts";

/**
 * Mounts the card that was found, and none that came under its name and number meanwhile: the kernel gives both again
 * to whatever is plugged in next. What is mounted holds its name, so looking once more afterwards is enough.
 * @throws BewaardError CARD_MOUNT (transient); what is mounted then is to be taken away.
 */
export async function mountFound(
  mounts: Mounts,
  places: HelperPlaces,
  found: Found,
  volume: Pick<Volume, "kind" | "serial">,
  at: string,
): Promise<void> {
  const { name, device } = found.part;
  await mounts.mount(name, volume.kind, at);
  const now = await findPart(places, name);
  const then = await readVolume(mounts, name, device);
  if (isSame(found, now) && then?.kind === volume.kind && then.serial === volume.serial) return;
  throw new BewaardError("CARD_MOUNT", `${name} is another card by now`, { transient: true });
}

function isSame(found: Found, now: Found | undefined): boolean {
  // Its address is another for whatever is plugged in next, also in the same slot.
  return (
    now?.usb.slot === found.usb.slot &&
    now.usb.address === found.usb.address &&
    now.usb.serial === found.usb.serial &&
    now.part.device === found.part.device &&
    now.disk.partitions.length === found.disk.partitions.length &&
    now.part.bytes === found.part.bytes
  );
}
