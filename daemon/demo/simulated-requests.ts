/** One request, as a camera hears it. */
export interface RtspRequest {
  readonly method: string;
  readonly uri: string;
  /** By name, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

const LONGEST_BYTES = 16 * 1024;

/** Takes what a client sends, piece by piece; returns the requests that are whole. @throws RangeError when one is too long. */
export function requestReader(): (bytes: Buffer) => readonly RtspRequest[] {
  let left = Buffer.alloc(0);
  return (bytes) => {
    const requests: RtspRequest[] = [];
    left = Buffer.concat([left, bytes]);
    for (;;) {
      // What a receiver reports, interleaved.
      if (left[0] === 0x24) {
        if (left.length < 4 || left.length < 4 + left.readUInt16BE(2)) return requests;
        left = left.subarray(4 + left.readUInt16BE(2));
        continue;
      }
      const end = left.indexOf("\r\n\r\n");
      if (end < 0 && left.length > LONGEST_BYTES) throw new RangeError("a request without an end");
      if (end < 0) return requests;
      const request = requestOf(left.toString("latin1", 0, end));
      const length = Number(request.headers["content-length"] ?? 0);
      if (left.length < end + 4 + length) return requests;
      left = left.subarray(end + 4 + length);
      requests.push(request);
    }
  };
}

function requestOf(head: string): RtspRequest {
  const [first = "", ...lines] = head.split("\r\n");
  const [method = "", uri = ""] = first.split(" ");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { method, uri, headers };
}
