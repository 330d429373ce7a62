import { open, rm } from "node:fs/promises";
import { diskError } from "#base/disk-errors";
import { makeHeader } from "./header.ts";
import { openSealer, type Sealed } from "./sealer.ts";

/**
 * Hashes `plaintext` while encrypting it into the new file `path`; resolves once that survives a power cut. Takes a
 * few megabytes, whatever its length. Leaves nothing behind when it fails.
 * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient) when the disk refuses, RECIPIENT_MIXED, RECIPIENT_INVALID.
 */
export async function sealStream(
  recipients: readonly string[],
  plaintext: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<Sealed> {
  const header = await makeHeader(recipients);
  try {
    return await writeSealed(header, plaintext, path, signal);
  } catch (error) {
    await rm(path, { force: true });
    throw diskError(error, "sealing a backup");
  } finally {
    header.streamKey.fill(0);
  }
}

async function writeSealed(
  header: Awaited<ReturnType<typeof makeHeader>>,
  plaintext: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<Sealed> {
  await using file = await open(path, "wx", 0o600);
  let blocks: Buffer[] = [];
  // The sealer's own memory is used again: a copy waits for the disk.
  const sealer = openSealer(header, (block) => void blocks.push(Buffer.from(block)));
  const flush = async (): Promise<void> => {
    const ready = blocks;
    blocks = [];
    for (const block of ready) await file.writeFile(block);
  };
  for await (const chunk of plaintext) {
    signal.throwIfAborted();
    sealer.push(chunk);
    await flush();
  }
  const sealed = sealer.finish();
  await flush();
  await file.sync();
  return sealed;
}
