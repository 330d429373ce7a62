import { Refusal } from "./refusal.ts";

/**
 * The bytes inside an aws-chunked body; its trailer's headers go into `trailer` once they have come.
 * @throws Refusal IncompleteBody where the form is broken off.
 */
export async function* trailedBody(
  chunks: AsyncIterable<Buffer>,
  trailer: Map<string, string>,
): AsyncGenerator<Buffer, void, undefined> {
  let left: Buffer = Buffer.alloc(0);
  /** Bytes still to come of this chunk; undefined while a line is due. */
  let due: number | undefined;
  let ended = false;
  for await (const chunk of chunks) {
    left = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    for (;;) {
      if (due !== undefined && due > 0) {
        if (left.length === 0) break;
        const bytes = left.subarray(0, due);
        due -= bytes.length;
        left = left.subarray(bytes.length);
        yield bytes;
        continue;
      }
      const end = left.indexOf("\r\n");
      if (end < 0) break;
      const line = left.toString("latin1", 0, end);
      left = left.subarray(end + 2);
      // The line end after a chunk's bytes.
      if (due === 0) due = undefined;
      else if (ended) addTrailer(trailer, line);
      else {
        const bytes = Number.parseInt(line, 16);
        if (Number.isNaN(bytes)) throw new Refusal(400, "IncompleteBody");
        if (bytes === 0) ended = true;
        else due = bytes;
      }
    }
  }
  if (!ended) throw new Refusal(400, "IncompleteBody");
}

function addTrailer(trailer: Map<string, string>, line: string): void {
  const colon = line.indexOf(":");
  if (colon > 0) trailer.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
}
