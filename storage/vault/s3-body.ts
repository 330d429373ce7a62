import { Readable } from "node:stream";
import { BewaardError } from "#base/errors";
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
  const body = Readable.from(promised(piece, broken), {
    objectMode: false,
    highWaterMark: 1 << 20,
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
  }
}

/** Never throws: nobody listens for errors of a stream that is piped into a request. */
async function* promised(
  piece: Piece,
  broken: AbortController,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  try {
    for await (const chunk of piece.open()) {
      bytes += chunk.length;
      if (bytes > piece.bytes) throw notAsPromised();
      // An empty chunk would end a stream of bytes.
      if (chunk.length > 0) yield chunk;
    }
    if (bytes < piece.bytes) throw notAsPromised();
  } catch (error) {
    broken.abort(error);
  }
}

function notAsPromised(): BewaardError {
  return new BewaardError("VAULT_CORRUPT", "more or fewer bytes to send than were sealed");
}
