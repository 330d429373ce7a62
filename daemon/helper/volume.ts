/** What the first sector of a file system says of itself. */
export interface Volume {
  readonly kind: "vfat" | "exfat";
  /** `1A2B-3C4D`; null where it was made without one. */
  readonly serial: string | null;
  /** As people named it; null where nobody did, or where only the file system itself knows. */
  readonly label: string | null;
}

/** The smallest sector there is: all that is read of a device before it is known to be paired. */
export const SECTOR_BYTES = 512;

const SIGNATURE = 0xaa55;
const NO_NAME = "NO NAME";

/**
 * Reads a boot sector (Microsoft FAT and exFAT specifications). Undefined for anything else than a FAT12, FAT16,
 * FAT32 or exFAT one, which a stranger may have written: only numbers at fixed places are looked at.
 */
export function parseVolume(sector: Uint8Array): Volume | undefined {
  if (sector.length < SECTOR_BYTES) return undefined;
  const bytes = Buffer.from(sector.buffer, sector.byteOffset, SECTOR_BYTES);
  if (bytes.readUInt16LE(510) !== SIGNATURE) return undefined;
  if (bytes.toString("latin1", 3, 11) === "EXFAT   ")
    return { kind: "exfat", serial: serialText(bytes.readUInt32LE(100)), label: null };
  if (!isFat(bytes)) return undefined;
  // FAT32 has no room for a root folder of its own, and its tables are counted further on.
  const isFat32 = bytes.readUInt16LE(17) === 0 && bytes.readUInt16LE(22) === 0;
  const at = isFat32 ? 67 : 39;
  // 29h: serial and label follow. 28h: only the serial does.
  const signature = bytes[at - 1];
  const serial =
    signature === 0x29 || signature === 0x28 ? serialText(bytes.readUInt32LE(at)) : null;
  const label = signature === 0x29 ? labelText(bytes.subarray(at + 4, at + 15)) : null;
  return { kind: "vfat", serial, label };
}

/** What every FAT has: else a partition table, whose sector ends in the same two bytes, could be taken for one. */
function isFat(bytes: Buffer): boolean {
  const sectorBytes = bytes.readUInt16LE(11);
  const clusterSectors = bytes.readUInt8(13);
  const media = bytes.readUInt8(21);
  return (
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    clusterSectors > 0 &&
    (clusterSectors & (clusterSectors - 1)) === 0 &&
    bytes.readUInt16LE(14) > 0 &&
    [1, 2].includes(bytes.readUInt8(16)) &&
    (media === 0xf0 || media >= 0xf8)
  );
}

function serialText(serial: number): string {
  const hex = serial.toString(16).toUpperCase().padStart(8, "0");
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}

/** Only what is plain to read: it is shown to people. */
function labelText(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .trim();
  return text === "" || text === NO_NAME ? null : text;
}
