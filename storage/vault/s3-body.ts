import { Readable } from "node:stream";
import { BewaardError } from "#base/errors";
import { progress } from "#base/progress";
import type { Piece } from "./s3-answers.ts";
import { base64Of } from "./s3-values.ts";

/** What a request says of its body before it comes. */
export function lengthOf({ bytes, sha256 }: Piece) {
  return { ContentLength: bytes, ChecksumSHA256: base64Of(sha256) };
}

/**
 * Sends the bytes of `piece`, read anew. `send` must stop when its signal aborts: that is how a source that breaks
 * off, or gives other than it promised, takes the request along. Its own error is thrown then, not the request's.
 */
export async function sending<T>(
  piece: Piece,
  signal: AbortSignal,
  send: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const broken = new AbortController();
  let poured: Promise<void> | undefined;
  // All that the SDK does with a stream is pipe it into its request.
  const body = Object.assign(new Readable({ read() {} }), {
    pipe<Request extends NodeJS.WritableStream>(request: Request): Request {
      poured = pour(piece, request, broken);
      return request;
    },
  });
  try {
    return await send(body, AbortSignal.any([signal, broken.signal]));
  } catch (error) {
    if (broken.signal.aborted) throw broken.signal.reason;
    // Answered before all was sent: the rest of the request must not hold its connection.
    broken.abort();
    throw error;
  } finally {
    body.destroy();
    await poured;
  }
}

/**
 * Writes the bytes of `piece` into `request`, the next ones only when those before were taken: so the source may use
 * its memory again. Ends when the request does; never throws, but aborts `broken`.
 */
async function pour(
  piece: Piece,
  request: NodeJS.WritableStream,
  broken: AbortController,
): Promise<void> {
  let closed = false;
  let goOn: (() => void) | undefined;
  request.once("close", () => {
    closed = true;
    goOn?.();
  });
  const taken = (chunk: Uint8Array) =>
    new Promise<void>((resolve) => {
      goOn = resolve;
      request.write(chunk, () => resolve());
    });
  try {
    for await (const chunk of promised(piece)) {
      if (closed) return;
      await taken(chunk);
      progress();
    }
    request.end();
  } catch (error) {
    broken.abort(error);
  }
}

async function* promised(piece: Piece): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of piece.open()) {
    bytes += chunk.length;
    if (bytes > piece.bytes) throw notAsPromised();
    yield chunk;
  }
  if (bytes < piece.bytes) throw notAsPromised();
}

function notAsPromised(): BewaardError {
  return new BewaardError("VAULT_CORRUPT", "more or fewer bytes to send than were sealed");
}
