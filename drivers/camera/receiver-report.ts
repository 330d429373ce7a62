/**
 * The smallest report that a receiver may send (RFC 3550 §6.4.2, §6.5): no reception blocks, and a name that
 * says nothing. Some cameras end a session whose receiver never reports.
 */
export function receiverReport(channel: number, source: number): Buffer {
  const report = Buffer.alloc(4 + 8 + 12);
  report.writeUInt8(0x24, 0);
  report.writeUInt8(channel, 1);
  report.writeUInt16BE(8 + 12, 2);
  // Version 2, type 201, one word after the first.
  report.writeUInt32BE(0x80_c9_00_01, 4);
  report.writeUInt32BE(source, 8);
  // One source, type 202, two words after the first: its number, then CNAME "-", closed by a null.
  report.writeUInt32BE(0x81_ca_00_02, 12);
  report.writeUInt32BE(source, 16);
  report.writeUInt32BE(0x01_01_2d_00, 20);
  return report;
}
