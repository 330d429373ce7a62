import { rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import type { SegmentId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, dayOf } from "#base/time";
import type { CardFile } from "../drivers/bodycam/card.ts";
import { PART_BYTES } from "../storage/seal/part-digests.ts";
import { recipientFor } from "../storage/seal/recipients.ts";
import type { Sealed } from "../storage/seal/sealer.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { manifestText, type SegmentManifest } from "../storage/spool/manifest.ts";
import type { Dock, Sealing } from "./dock.ts";
import { newSegmentId } from "./new-id.ts";
import { type RecordingTimes, recordingTimes } from "./recording-times.ts";

/**
 * Seals one file of a card into incoming/ and writes its manifest last: the fact is handed over at the
 * moment the manifest has its name (docs/design.md, procedure "Seal"). Returns its id.
 */
export async function handOver(
  clock: Clock,
  sealing: Sealing,
  dock: Dock,
  file: CardFile,
  source: Uint8Array,
  signal: AbortSignal,
): Promise<SegmentId> {
  const id = newSegmentId(clock.now());
  const { day, recipient } = recipientFor(sealing.book, dayOf(clock.now()));
  const target = sealedPath(sealing.incoming, id);
  const sealed = await sealing.pool.seal(source, target, [recipient], signal);
  const times = await recordingTimes(
    clock.now(),
    sealing.readContainer,
    dock.profile,
    file,
    source,
  );
  const manifest = describe(id, sealing, dock, file, times, sealed, day, clock);
  try {
    await writeDurably(join(sealing.incoming, `${id}.json`), manifestText(manifest), 0o400);
  } catch (error) {
    // Nobody would ever speak of it, and its source is still on the card.
    await rm(target, { force: true });
    throw diskError(error, "writing a manifest");
  }
  step("manifest.named");
  return id;
}

function describe(
  id: SegmentId,
  { node }: Sealing,
  { device, profile }: Dock,
  file: CardFile,
  times: RecordingTimes,
  sealed: Sealed,
  sealedFor: string,
  clock: Clock,
): SegmentManifest {
  return {
    bewaard: "manifest/1",
    kind: "segment",
    id,
    node,
    producer: "dock",
    device,
    arrivedAt: clock.now(),
    arrivedUptime: { bootId: clock.bootId(), ms: clock.uptimeMs() },
    recording: { ...times, clock: { declared: profile.clock, offsetMs: null } },
    file: { path: file.path.toString("base64"), modifiedAt: file.modifiedAt },
    plaintext: { sha256: sealed.plaintextSha256, bytes: sealed.plaintextBytes },
    ciphertext: {
      bytes: sealed.ciphertextBytes,
      partBytes: PART_BYTES,
      parts: [...sealed.parts],
    },
    sealedFor,
    truncated: false,
    rewritten: null,
  };
}
