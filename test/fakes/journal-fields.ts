/**
 * An entry of the journal's native protocol, as systemd's own text describes it and by none of our code: lines
 * `NAME=value`, or `NAME`, newline, the value's length (64 bit, little endian), the value, newline. Throws for
 * anything journald would not take.
 */
export function journalFields(datagram: Buffer): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  for (let at = 0; at < datagram.length; ) {
    const end = datagram.indexOf(0x0a, at);
    if (end < 0) throw new Error("a line does not end");
    const line = datagram.subarray(at, end);
    const equals = line.indexOf(0x3d);
    const name = line.subarray(0, equals < 0 ? undefined : equals).toString("latin1");
    if (!/^[A-Z0-9][A-Z0-9_]{0,63}$/.test(name)) throw new Error(`no name of a field: ${name}`);
    let value = line.subarray(equals + 1);
    at = end + 1;
    if (equals < 0) {
      const stop = at + 8 + Number(datagram.readBigUInt64LE(at));
      value = datagram.subarray(at + 8, stop);
      if (datagram[stop] !== 0x0a) throw new Error(`${name} does not end where it says`);
      at = stop + 1;
    }
    fields.set(name, [...(fields.get(name) ?? []), value.toString()]);
  }
  return fields;
}
