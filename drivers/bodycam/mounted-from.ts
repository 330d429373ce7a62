import { join } from "node:path";
import { deviceOf } from "./is-there.ts";
import { textOf } from "./sysfs.ts";
import { readUsbDevices } from "./usb-devices.ts";

/** What a folder is mounted from, where that is a disk over USB; undefined what this machine does not tell. */
export interface MountedFrom {
  /** Vendor and product, `0b6a:1234`. */
  readonly usb: string | undefined;
  /** Label of its file system, by udev. */
  readonly label: string | undefined;
}

/** Looks what the camera is whose card is mounted at `root`. A folder that is a copy is of no camera. */
export async function mountedFrom(
  root: string,
  sys = "/sys",
  udev = "/run/udev",
): Promise<MountedFrom> {
  const device = await deviceOf(root);
  const devices = await readUsbDevices(sys, udev);
  const own = (devices === "no-usb" ? [] : devices).find(({ disks }) =>
    disks.some((disk) => [disk, ...disk.partitions].some((one) => one.device === device)),
  );
  if (own === undefined) return { usb: undefined, label: undefined };
  const known = await textOf(join(udev, "data", `b${device}`));
  const [, label] = /^E:ID_FS_LABEL_ENC=(.*)$/m.exec(known?.toString("latin1") ?? "") ?? [];
  return {
    usb: `${own.vendor}:${own.product}`,
    label: label === undefined ? undefined : decoded(label),
  };
}

/** udev writes what is no letter or digit as `\x` and two digits. */
function decoded(label: string): string {
  const bytes = label.replaceAll(/\\x([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8").trim();
}
