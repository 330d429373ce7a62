import { isUnanswered, type Patience } from "./patience.ts";
import type { S3Calls } from "./s3-answers.ts";
import type { ByteRange } from "./vault.ts";

/** The bytes of one version, or of a range of it. What breaks off half way is asked for again from there. */
export async function* readPatiently(
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
    return calls.getObject(key, versionId, rest, signal)[Symbol.asyncIterator]();
  };
  for (;;) {
    // Asked with its first bytes: an answer that begins is progress, so this comes to an end.
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
      if (!isUnanswered(error)) throw error;
    } finally {
      await source.return?.();
    }
  }
}
