import { rm } from "node:fs/promises";
import { makeCard } from "./cards.ts";
import type { Guest } from "./guest.ts";

const CARRIER = "/dev/disk/by-label/CARRIER";
const CARD = "/dev/disk/by-id/usb-QEMU_QEMU_HARDDISK_EXFAT-0:0-part1";
const COPY = `
set -e
mkdir /media/carrier /media/card
mount -o ro ${CARRIER} /media/carrier
mount ${CARD} /media/card
cp -r --preserve=timestamps /media/carrier/. /media/card
umount /media/carrier /media/card
rmdir /media/carrier /media/card
`;

/**
 * Copies what is in the folder `from` onto an exFAT card, which nothing but a kernel can: the guest's, as long as
 * bewaard is not installed there.
 */
export async function copyIntoExfat(guest: Guest, card: string, from: string): Promise<void> {
  const carrier = `${card}.carrier`;
  await makeCard(carrier, "fat32-whole", 48, "CARRIER", from);
  await guest.plug("carrier", carrier, { serial: "CARRIER", port: "7" });
  await guest.plug("exfat", card, { serial: "EXFAT", port: "8" });
  await guest.until(`[ -b ${CARRIER} ] && [ -b ${CARD} ]`);
  await guest.sh(COPY);
  await guest.unplug("carrier");
  await guest.unplug("exfat");
  await rm(carrier);
}
