import { dirname, join } from "node:path";
import { folderOf, namesIn, numberOf, wordOf } from "./sysfs.ts";

export interface Partition {
  /** `sdb1`. */
  readonly name: string;
  /** `8:17`, as the kernel numbers it until it has gone. */
  readonly device: string;
  readonly bytes: number;
}

export interface Disk {
  /** `sdb`. */
  readonly name: string;
  readonly device: string;
  /** 0 for a card reader without a card. */
  readonly bytes: number;
  /** The switch on a card, or a camera that never lets itself be written to. */
  readonly readOnly: boolean;
  /** None on a disk without a partition table: then the file system may be on the disk itself. */
  readonly partitions: readonly Partition[];
}

/** The kernel counts in these whatever the disk itself does. */
const SECTOR_BYTES = 512;
const OVER_USB = /\/usb\d+\//;

/** The disks over USB by their folder in sysfs, which lies below that of the USB device they are of. */
export function readDisks(sys: string): ReadonlyMap<string, Disk> {
  const found = new Map<string, Disk>();
  const partitions = new Map<string, { readonly at: number; readonly one: Partition }[]>();
  for (const name of namesIn(join(sys, "class/block")) ?? []) {
    const folder = folderOf(join(sys, "class/block", name));
    // Those of the machine itself, most of them, are not read.
    if (folder === undefined || !OVER_USB.test(folder)) continue;
    const one = readPartition(folder, name);
    if (one === undefined) continue;
    const at = numberOf(join(folder, "partition"));
    if (at === undefined) {
      const ro = wordOf(join(folder, "ro"));
      if (ro !== undefined) found.set(folder, { ...one, readOnly: ro !== "0", partitions: [] });
    } else {
      const disk = dirname(folder);
      partitions.set(disk, [...(partitions.get(disk) ?? []), { at, one }]);
    }
  }
  for (const [folder, disk] of found) {
    const parts = (partitions.get(folder) ?? []).toSorted((a, b) => a.at - b.at);
    found.set(folder, { ...disk, partitions: parts.map(({ one }) => one) });
  }
  return found;
}

/** What a disk and a part of one have in common; undefined when it has gone meanwhile. */
function readPartition(folder: string, name: string): Partition | undefined {
  const sectors = numberOf(join(folder, "size"));
  const device = wordOf(join(folder, "dev"));
  if (sectors === undefined || device === undefined) return undefined;
  return { name, device, bytes: sectors * SECTOR_BYTES };
}
