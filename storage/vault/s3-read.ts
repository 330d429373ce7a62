import { type Clock, MINUTE_MS } from "#base/time";
import { isUnanswered, type Patience } from "./patience.ts";
import type { S3Calls } from "./s3-answers.ts";
import { noAnswer } from "./s3-errors.ts";
import type { ByteRange } from "./vault.ts";

/** Progress is so much; and who waits longer than this for it, or for whom it breaks off as often, gives up. */
const PROGRESS_BYTES = 64 * 1024;
const WAIT_MS = 2 * MINUTE_MS;
const BREAKS = 4;

/** The bytes of one version, or of a range of it. What breaks off half way is asked for again from there. */
export async function* readPatiently(
  clock: Clock,
  calls: Pick<S3Calls, "getObject">,
  patience: Patience,
  key: string,
  versionId: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let from = range?.from ?? 0;
  const to = range?.to ?? Number.MAX_SAFE_INTEGER;
  const openAt = () => {
    const rest = range === undefined && from === 0 ? undefined : { from, to };
    return notDripping(clock, calls.getObject(key, versionId, rest, signal), key);
  };
  for (let breaks = 0; ; ) {
    const began = from;
    const { source, first } = await patience.persist(async () => {
      const opened = openAt();
      return { source: opened, first: await opened.next() };
    }, signal);
    try {
      for (let next = first; next.done !== true; next = await source.next()) {
        from += next.value.length;
        yield next.value;
      }
      return;
    } catch (error) {
      breaks = from - began < PROGRESS_BYTES ? breaks + 1 : 0;
      if (!isUnanswered(error) || breaks === BREAKS) throw error;
    } finally {
      await source.return();
    }
  }
}

/** `source`, as long as it goes on. What its reader takes for himself does not count. */
async function* notDripping(
  clock: Clock,
  source: AsyncIterable<Uint8Array>,
  key: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waitedMs = 0;
  let bytes = 0;
  let asked = clock.uptimeMs();
  for await (const chunk of source) {
    waitedMs += clock.uptimeMs() - asked;
    bytes += chunk.length;
    if (bytes >= PROGRESS_BYTES) [bytes, waitedMs] = [0, 0];
    if (waitedMs > WAIT_MS) throw noAnswer(key);
    yield chunk;
    asked = clock.uptimeMs();
  }
}
