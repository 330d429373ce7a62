import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCard } from "./cards.ts";
import type { Guest } from "./guest.ts";

/** The largest file on a card: at 2 MB a second it is long in the reading. */
const LONG_BYTES = 24 * 1024 * 1024;

/**
 * Plugs five cameras into a guest, one in each way there is, made in `folder`; resolves once the kernel has seen the last of
 * their partitions. BC-0001 and BC-0004 sit in sockets of USB 3, BC-0002 in one of USB 2, BC-0003 behind a hub, and BC-0005
 * speaks MTP. BC-0002 has no partition table, BC-0004 is exFAT and write-protected.
 */
export async function dockAll(guest: Guest, folder: string): Promise<void> {
  const contents = join(folder, "contents");
  await mkdir(join(contents, "DCIM"), { recursive: true });
  await writeFile(join(contents, "DCIM", "LONG.MP4"), Buffer.alloc(LONG_BYTES, "footage."));
  const card = (serial: string): string => join(folder, `${serial}.image`);
  await makeCard(card("BC-0001"), "fat32", 64, "CAM1", contents);
  await makeCard(card("BC-0002"), "fat32-whole", 48, "CAM2");
  await makeCard(card("BC-0003"), "fat32", 49, "CAM3");
  await makeCard(card("BC-0004"), "exfat", 50, "CAM4");

  await guest.plugHub("hub", "2");
  const slow = { bytesPerSecond: 2_000_000 };
  await guest.plug("one", card("BC-0001"), { serial: "BC-0001", port: "3", ...slow });
  await guest.plug("two", card("BC-0002"), { serial: "BC-0002", port: "4", bus: "ehci.0" });
  await guest.plug("three", card("BC-0003"), { serial: "BC-0003", port: "2.3" });
  await guest.plug("four", card("BC-0004"), { serial: "BC-0004", port: "5", readOnly: true });
  await guest.plugMtp("five", contents, "BC-0005", "6");
  await guest.until("[ $(ls -d /sys/class/block/sd? | wc -l) = 4 ]");
  await guest.until("[ $(ls -d /sys/class/block/sd?1 | wc -l) = 3 ]");
  await guest.until("grep -sqx BC-0005 /sys/bus/usb/devices/*/serial");
  await guest.sh("udevadm settle");
}
