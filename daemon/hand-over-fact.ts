import { rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, dayOf } from "#base/time";
import { type CardFile, changedAt } from "../drivers/bodycam/card.ts";
import { HANDED_OVER } from "../storage/seal/handed-over.ts";
import { recipientFor } from "../storage/seal/recipients.ts";
import type { SealedFile } from "../storage/seal/seal-file.ts";
import type { Sealed } from "../storage/seal/sealer.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { type Intent, intentPath, intentText } from "../storage/spool/intent.ts";
import { digestsOf, manifestText, type SegmentManifest } from "../storage/spool/manifest.ts";
import type { Dock, Sealing } from "./dock.ts";
import { newSegmentId } from "./new-id.ts";
import { type RecordingTimes, recordingTimes } from "./recording-times.ts";
import { offsetNow } from "./seen-clock.ts";

/** A file that was handed over, and whether it changed while it was read. */
export interface HandedOver {
  readonly id: SegmentId;
  readonly changed: boolean;
}

/** Whether to keep a read of a file that `changed` meanwhile, or that was not as it had been listed. */
export type Keep = (what: "changed" | "unlisted") => Promise<boolean>;

/**
 * Seals one file of a card into incoming/ and writes its manifest last: the fact is handed over at the
 * moment the manifest has its name (docs/design.md, procedure "Seal"). What was read of a file that
 * changed meanwhile, or is another than was listed, is handed over only if `keep`, which is asked then.
 * @throws BewaardError SOURCE_CHANGED, SPOOL_FULL, SPOOL_IO (transient), and what sealing throws: nothing
 * is left behind.
 */
export async function handOver(
  clock: Clock,
  sealing: Sealing,
  dock: Dock,
  file: CardFile,
  source: Uint8Array,
  keep: Keep,
  signal: AbortSignal,
): Promise<HandedOver> {
  try {
    return await sealAndHandOver(clock, sealing, dock, file, source, keep, signal);
  } catch (error) {
    throw diskError(error, "handing a file over");
  }
}

async function sealAndHandOver(
  clock: Clock,
  sealing: Sealing,
  dock: Dock,
  file: CardFile,
  source: Uint8Array,
  keep: Keep,
  signal: AbortSignal,
): Promise<HandedOver> {
  const { incoming, pool, book } = sealing;
  const id = newSegmentId(clock.now());
  const { day, recipient } = recipientFor(book, dayOf(clock.now()));
  const now = clock.now();
  const times = await recordingTimes(now, sealing.readContainer, dock.profile, file, source);
  const known = describe(id, sealing, dock, file, times, day, clock);
  await writeFact(intentPath(incoming, id), intentText(intended(known, file)));
  step("seal.intended");
  try {
    const sealed = await pool.seal(source, sealedPath(incoming, id), [recipient], signal);
    const odd = oddOf(file, sealed);
    if (odd !== undefined && !(await keep(odd))) await takeBack(sealedPath(incoming, id));
    await handOverSealed(incoming, { ...known, ...arrived(clock) }, sealed);
    return { id, changed: sealed.sourceChanged };
  } finally {
    // Whatever came of it, this one is not half done any more.
    await rm(intentPath(incoming, id), { force: true });
  }
}

function oddOf(file: CardFile, sealed: SealedFile): "changed" | "unlisted" | undefined {
  if (sealed.sourceChanged) return "changed";
  const isListed =
    sealed.plaintextBytes === file.bytes && changedAt(sealed.sourceModifiedMs) === file.modifiedAt;
  return isListed ? undefined : "unlisted";
}

function intended(known: Recorded, { bytes }: CardFile): Intent {
  return { ...known, bewaard: "intent/1", sourceBytes: bytes };
}

/** This moment by both clocks. */
export function arrived(clock: Clock): Pick<SegmentManifest, "arrivedAt" | "arrivedUptime"> {
  const arrivedUptime = { bootId: clock.bootId(), ms: clock.uptimeMs() };
  return { arrivedAt: clock.now(), arrivedUptime };
}

async function takeBack(target: string): Promise<never> {
  await rm(target, { force: true });
  throw new BewaardError("SOURCE_CHANGED", "the file changes each time it is read", {
    transient: true,
  });
}

async function handOverSealed(incoming: string, known: Recorded, sealed: Sealed): Promise<void> {
  const manifest: SegmentManifest = {
    ...known,
    bewaard: "manifest/1",
    ...digestsOf(sealed),
  };
  const path = join(incoming, `${known.id}.json`);
  try {
    await writeFact(path, manifestText(manifest));
  } catch (error) {
    // Its source is still on the card. The manifest first, which may have its name already: without its
    // sealed file it would be a lie.
    await rm(path, { force: true });
    await rm(sealedPath(incoming, known.id), { force: true });
    throw error;
  }
  step("manifest.named");
}

/** @throws BewaardError SPOOL_FULL, SPOOL_IO (transient). */
export async function writeFact(path: string, text: string): Promise<void> {
  try {
    await writeDurably(path, text, HANDED_OVER);
  } catch (error) {
    throw diskError(error, "writing a manifest");
  }
}

/** What is known of a recording before it is sealed. */
type Recorded = Omit<SegmentManifest, "bewaard" | "plaintext" | "ciphertext" | "truncated">;

function describe(
  id: SegmentId,
  { node }: Sealing,
  { device, profile, seenClock }: Dock,
  file: CardFile,
  times: RecordingTimes,
  sealedFor: string,
  clock: Clock,
): Recorded {
  return {
    kind: "segment",
    id,
    node,
    producer: "dock",
    device,
    ...arrived(clock),
    recording: {
      ...times,
      clock: { declared: profile.clock, offsetMs: offsetNow(clock, seenClock) },
    },
    file: { path: file.path.toString("base64"), modifiedAt: file.modifiedAt },
    sealedFor,
    rewritten: null,
  };
}
