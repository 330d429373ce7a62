import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { systemCode } from "#base/errors";
import { authorize } from "./authorize.ts";
import { bucketOf, type Call, type Reply } from "./call.ts";
import { httpDate } from "./get-object.ts";
import { receiveText } from "./receive.ts";
import { denied, Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";
import { routeOf } from "./routes.ts";
import { checkSignature, type S3User } from "./signature.ts";
import { documentOf, el } from "./xml.ts";

/** What all requests share. */
export type Shared = Pick<Call, "clock" | "keep" | "quirks" | "region"> & {
  readonly users: readonly S3User[];
};

/** Answers one request; a client that goes away meanwhile is no failure. */
export async function answer(
  shared: Shared,
  readRequest: () => S3Request,
  response: ServerResponse,
): Promise<void> {
  try {
    await send(shared, response, await replyTo(shared, readRequest));
  } catch (error) {
    if (!isGone(error)) throw error;
    response.destroy();
  }
}

async function replyTo(shared: Shared, readRequest: () => S3Request): Promise<Reply> {
  let headers: Readonly<Record<string, string>> = {};
  try {
    const request = readRequest();
    headers = asideOf(shared, request);
    const { users, ...rest } = shared;
    const { caller, payload } = checkSignature(shared.clock, users, request);
    if (request.bucket === "") return listBuckets(shared, caller);
    const route = routeOf(request, shared.quirks);
    const signed = { ...rest, request, caller, payload };
    const text = route.streams === true ? "" : await receiveText(signed);
    const call = { ...signed, text };
    if (route.action !== undefined) authorize(call, bucketOf(call), route.action, request.key);
    return await route.run(call);
  } catch (error) {
    if (error instanceof Refusal) return refused(error, headers);
    throw error;
  }
}

async function send(shared: Shared, response: ServerResponse, reply: Reply): Promise<void> {
  const { status = 200, headers = {}, body = "" } = reply;
  const text = typeof body === "string" ? body : undefined;
  response.writeHead(status, {
    "x-amz-request-id": randomUUID(),
    date: httpDate(shared.clock.now()),
    ...(text ? { "content-type": "application/xml" } : {}),
    ...(text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) }),
    ...headers,
  });
  if (response.req.method === "HEAD") response.end();
  else if (typeof body === "string") response.end(body);
  else await pipeline(Readable.from(body, { objectMode: true }), response);
}

/** AWS tells where a bucket is also whom it refuses the rest. */
function asideOf(
  { keep, quirks, region }: Shared,
  { method, bucket, key }: S3Request,
): Readonly<Record<string, string>> {
  const isHead = method === "HEAD" && key === "" && keep.state.buckets.has(bucket);
  return isHead && quirks.headTellsRegion ? { "x-amz-bucket-region": region } : {};
}

function refused(
  { status, code, message, headers: own }: Refusal,
  aside: Readonly<Record<string, string>>,
): Reply {
  const headers = { ...aside, ...own };
  if (status === 304) return { status, headers };
  return { status, headers, body: documentOf("Error", el("Code", code), el("Message", message)) };
}

function listBuckets({ keep }: Shared, caller: string | undefined): Reply {
  if (caller === undefined) throw denied();
  const mine = [...keep.state.buckets.values()].filter(({ settings }) => settings.owner === caller);
  const shown = mine.map(({ settings: { name, atMs } }) =>
    el("Bucket", el("Name", name), el("CreationDate", new Date(atMs).toISOString())),
  );
  return { body: documentOf("ListAllMyBucketsResult", el("Buckets", shown)) };
}

function isGone(error: unknown): boolean {
  return ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(systemCode(error) ?? "");
}
