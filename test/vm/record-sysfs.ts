import type { Guest } from "./guest.ts";

/** What is read of a USB device, its interfaces, its disks, and the sockets on the way to it. */
const ATTRIBUTES =
  "idVendor idProduct serial manufacturer product busnum devnum speed bDeviceClass bInterfaceClass " +
  "bInterfaceSubClass bInterfaceProtocol interface dev size ro partition removable";
/** Their files change by themselves, or are of no use here. */
const LEFT_OUT = "power queue mq trace bsg scsi_generic";
const anyOf = (names: string): string =>
  `'(' ${names
    .split(" ")
    .map((name) => `-name '${name}'`)
    .join(" -o ")} ')'`;

const SCRIPT = `
cd /sys
find devices/pci*/*/usb* ${anyOf(LEFT_OUT)} -prune -o \\
  -type f ${anyOf(ATTRIBUTES)} -exec grep -sHZ '' {} +
find devices/pci*/*/usb* -name peer -printf '%p -> %l\\n'
find bus/usb/devices class/block dev/block -type l -lname '*/usb*' -printf '%p -> %l\\n'
`;

/** The USB side of a guest's /sys at this moment, as `writeSysfs` takes it. */
export async function recordSysfs(guest: Guest): Promise<string> {
  const told = await guest.sh(SCRIPT);
  const lines = told.split("\n").filter((line) => line !== "");
  return `${lines
    .map((line) => line.replace("\0", " = "))
    .toSorted()
    .join("\n")}\n`;
}
