/** The first sector of a file system, with what bewaard reads of it. */
function sector(fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.writeUInt16LE(0xaa55, 510);
  fill(bytes);
  return bytes;
}

function fat(bytes: Buffer): void {
  bytes.writeUInt16LE(512, 11);
  bytes.writeUInt8(8, 13);
  bytes.writeUInt16LE(32, 14);
  bytes.writeUInt8(2, 16);
  bytes.writeUInt8(0xf8, 21);
}

export function fat32Sector(serial: number, label = "NO NAME"): Buffer {
  return sector((bytes) => {
    fat(bytes);
    bytes.writeUInt8(0x29, 66);
    bytes.writeUInt32LE(serial, 67);
    bytes.write(label.padEnd(11), 71, "latin1");
  });
}

export function fat16Sector(serial: number, label = "NO NAME"): Buffer {
  return sector((bytes) => {
    fat(bytes);
    bytes.writeUInt16LE(512, 17);
    bytes.writeUInt16LE(200, 22);
    bytes.writeUInt8(0x29, 38);
    bytes.writeUInt32LE(serial, 39);
    bytes.write(label.padEnd(11), 43, "latin1");
  });
}

export function exfatSector(serial: number): Buffer {
  return sector((bytes) => {
    bytes.write("EXFAT   ", 3, "latin1");
    bytes.writeUInt32LE(serial, 100);
  });
}

/** A partition table: ends in the same two bytes as a file system's first sector. */
export function partitionTable(): Buffer {
  return sector((bytes) => bytes.writeUInt32LE(0x0c, 446));
}
