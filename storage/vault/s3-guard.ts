import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { unlessBefore } from "#base/deadline";
import { MINUTE_MS } from "#base/time";
import { noAnswer } from "./s3-errors.ts";

// Between the network and the SDK, which takes any text for an answer: an empty one, and a page that asks to log
// in, would be a listing without versions, and so a proof of destruction.

/** What is answered to anything but a read is a list of at most 1000, or less. */
const MOST_BYTES = 16 * 1024 * 1024;
/** From its first line to its last byte, however slowly they drip in. */
const ANSWER_MS = MINUTE_MS;
/** Completing a large upload is answered at once with "200", and then with spaces until it is done. */
const COMPLETING_MS = 10 * MINUTE_MS;

/** What is answered with a text always. The others say all that they have to say in their headers. */
const TEXT = /^(?:Complete|CreateMultipart|DeleteObjects|List|Get(?!Object$|BucketPolicy$))/;

/** Makes `client` refuse answers that are too large, too slow, or none. */
export function guardAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const result = await next(args);
        const command = commandName.replace(/Command$/, "");
        const { response } = result;
        if (isAnswer(response)) await guard(response, command);
        return result;
      },
    { step: "deserialize", priority: "low" },
  );
}

interface Answer {
  statusCode: number;
  body: unknown;
}

function isAnswer(response: unknown): response is Answer {
  if (typeof response !== "object" || response === null) return false;
  return "statusCode" in response && typeof response.statusCode === "number" && "body" in response;
}

async function guard(answer: Answer, command: string): Promise<void> {
  const isGood = answer.statusCode >= 200 && answer.statusCode < 300;
  if (command === "GetObject" && isGood) return;
  if (!(answer.body instanceof Readable)) return;
  const withinMs = command === "CompleteMultipartUpload" ? COMPLETING_MS : ANSWER_MS;
  const body = await wholeAnswer(answer.body, command, MOST_BYTES, withinMs);
  answer.body = body;
  if (!isGood || !TEXT.test(command)) return;
  const text = body.toString("latin1");
  // The SDK knows this one too, but not with anything behind it.
  if (text.trimEnd().endsWith("</Error>")) answer.statusCode = 503;
  else if (!isOfS3(/<([a-z]\w*)/i.exec(text)?.[1], command)) throw noAnswer(command);
}

/** By what the text begins with. Ceph says with nothing inside it that a bucket copies nowhere. */
function isOfS3(root: string | undefined, command: string): boolean {
  if (command === "GetBucketReplication") return root === "ReplicationConfiguration";
  return root !== undefined && root.toLowerCase() !== "html";
}

/** Reads an answer that is at most so large and takes at most so long. @throws BewaardError VAULT_UNAVAILABLE. */
export async function wholeAnswer(
  body: Readable,
  what: string,
  mostBytes: number,
  withinMs: number,
): Promise<Buffer> {
  // A signal that aborts by itself would be kept until it did, after thousands of answers too.
  using _late = unlessBefore(withinMs, () => {
    body.destroy(noAnswer(`${what}, after ${withinMs} ms`));
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body.iterator()) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("an answer that is not of bytes");
    bytes += chunk.length;
    if (bytes > mostBytes) throw noAnswer(`${what}, of more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
