import type { Readable } from "node:stream";
import { freeNow } from "#base/free-now";
import type { Take } from "./boxes.ts";

/** Whoever reads is that far behind only when something is wrong: then nothing more is read for now. */
const MOST_WAITING = 64;

/**
 * What `take` makes of a stream. It is read as it comes and its memory given back at once; whoever iterates wakes
 * once for all that became whole, not for each of the many chunks of half a second of pictures.
 * @throws what `take` and the stream throw, behind all that was whole before.
 */
export async function* wholes<T>(
  stream: Readable,
  take: Take<T>,
): AsyncGenerator<T, void, undefined> {
  const waiting: T[] = [];
  let closed = false;
  let fault: { readonly error: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  const fail = (error: unknown): void => {
    fault ??= { error };
    wake.resolve();
  };
  const hear = (bytes: Buffer): void => {
    if (fault) return;
    try {
      take(bytes, (whole) => waiting.push(whole));
    } catch (error) {
      fail(error);
    }
    freeNow(bytes);
    if (waiting.length > 0) wake.resolve();
    if (waiting.length > MOST_WAITING) stream.pause();
  };
  const close = (): void => {
    closed = true;
    wake.resolve();
  };
  stream.on("data", hear).once("error", fail).once("close", close);
  // What has ended before it is read says so to nobody any more.
  if (stream.errored) fail(stream.errored);
  if (stream.closed) close();
  try {
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      while (waiting.length > 0) yield* waiting.splice(0);
      if (fault) throw fault.error;
      if (closed) return;
      if (stream.isPaused()) stream.resume();
    }
  } finally {
    stream.off("data", hear).destroy();
  }
}
