import { createReadStream } from "node:fs";
import { bucketOf, type Call, type Reply } from "./call.ts";
import type { Keep } from "./keep.ts";
import { lockHeaders } from "./lock.ts";
import { Refusal } from "./refusal.ts";
import type { Bucket, Version } from "./state.ts";
import { askedVersion, idHeader, sumHeaders } from "./versions.ts";
import { documentOf, el } from "./xml.ts";

const READ_BYTES = 1024 * 1024;

/** First and last byte, both included. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** GetObject and HeadObject. */
export function getObject(call: Call): Reply {
  const { request, quirks, keep } = call;
  const bucket = bucketOf(call);
  const version = askedVersion(call, bucket);
  checkReadConditions(call, version);
  const part = quirks.attributes ? request.query.get("partNumber") : null;
  const range = part === null ? rangeOf(request.header("range"), version) : partOf(version, part);
  const checksums = request.header("x-amz-checksum-mode") === "ENABLED" && range === undefined;
  const { from, to } = range ?? { from: 0, to: version.bytes - 1 };
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      "content-type": "application/octet-stream",
      ...headersOf(bucket, version),
      ...(checksums ? sumHeaders(version.sums) : {}),
      ...(range === undefined ? {} : { "content-range": `bytes ${from}-${to}/${version.bytes}` }),
      "content-length": String(to - from + 1),
    },
    body: bytesOf(keep, version, from, to),
  };
}

/** GetObjectAttributes. */
export function getAttributes(call: Call): Reply {
  const bucket = bucketOf(call);
  const version = askedVersion(call, bucket);
  const sums = Object.entries(version.sums).map(([name, value]) =>
    el(`Checksum${name.toUpperCase()}`, value),
  );
  return {
    headers: { ...idHeader(bucket, version.id), "last-modified": httpDate(version.atMs) },
    body: documentOf(
      "GetObjectAttributesResponse",
      el("ETag", version.etag),
      sums.length === 0 ? undefined : el("Checksum", sums),
      el("StorageClass", "STANDARD"),
      el("ObjectSize", version.bytes),
    ),
  };
}

/** GetObjectLegalHold and GetObjectRetention. */
export function getLock(call: Call): Reply {
  const bucket = bucketOf(call);
  const { held, retention } = askedVersion(call, bucket);
  const none = call.quirks.versionGone
    ? "NoSuchObjectLockConfiguration"
    : "ObjectLockConfigurationNotFoundError";
  if (bucket.settings.lock === undefined) {
    throw new Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  if (call.request.query.has("legal-hold")) {
    if (held === undefined) throw new Refusal(404, none);
    return { body: documentOf("LegalHold", el("Status", held ? "ON" : "OFF")) };
  }
  if (retention === undefined) throw new Refusal(404, none);
  const until = new Date(retention.untilMs).toISOString();
  return {
    body: documentOf("Retention", el("Mode", retention.mode), el("RetainUntilDate", until)),
  };
}

function headersOf(bucket: Bucket, version: Version): Record<string, string> {
  return {
    ...version.facts,
    etag: `"${version.etag}"`,
    "last-modified": httpDate(version.atMs),
    "accept-ranges": "bytes",
    ...idHeader(bucket, version.id),
    ...lockHeaders(version),
  };
}

function checkReadConditions({ request }: Call, { etag }: Version): void {
  const isIt = (tag: string): boolean => tag === "*" || tag.replaceAll('"', "") === etag;
  const [match, none] = [request.header("if-match"), request.header("if-none-match")];
  if (match !== undefined && !isIt(match)) throw new Refusal(412, "PreconditionFailed");
  if (none !== undefined && isIt(none)) throw new Refusal(304, "NotModified");
}

/** @throws Refusal InvalidRange where no byte lies in it. A form that is no range is ignored, as in HTTP. */
function rangeOf(header: string | undefined, { bytes }: Version): Range | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
  const to = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (from >= bytes || to < from) throw new Refusal(416, "InvalidRange");
  return { from, to };
}

function partOf({ pieces }: Version, number: string): Range {
  const part = pieces[Number(number) - 1];
  if (part === undefined) throw new Refusal(416, "InvalidPartNumber");
  const before = pieces.slice(0, Number(number) - 1);
  const from = before.reduce((sum, { bytes }) => sum + bytes, 0);
  return { from, to: from + part.bytes - 1 };
}

async function* bytesOf(
  keep: Keep,
  version: Version,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  for (const piece of version.pieces) {
    const start = Math.max(from - offset, 0);
    const end = Math.min(to - offset, piece.bytes - 1);
    offset += piece.bytes;
    if (start > end) continue;
    const chunks: AsyncIterable<Buffer> = createReadStream(keep.pathOf(piece), {
      start,
      end,
      highWaterMark: READ_BYTES,
    });
    yield* chunks;
  }
}

export function httpDate(atMs: number): string {
  return new Date(atMs).toUTCString();
}
