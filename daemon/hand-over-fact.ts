import { rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import type { SegmentId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, DAY_MS, dayOf, HOUR_MS } from "#base/time";
import type { CardFile } from "../drivers/bodycam/card.ts";
import { startInName } from "../drivers/bodycam/start-time.ts";
import { PART_BYTES } from "../storage/seal/part-digests.ts";
import { recipientFor } from "../storage/seal/recipients.ts";
import type { Sealed } from "../storage/seal/sealer.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { manifestText, type SegmentManifest } from "../storage/spool/manifest.ts";
import type { Dock, Sealing } from "./dock.ts";
import { newSegmentId } from "./new-id.ts";

/** A recording that would be longer has an end that is not its own. */
const LONGEST_RECORDING_MS = 12 * HOUR_MS;

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
  const manifest = describe(id, sealing, dock, file, sealed, day, clock);
  const path = join(sealing.incoming, `${id}.json`);
  try {
    await writeDurably(path, manifestText(manifest), 0o400);
  } catch (error) {
    // Its source is still on the card. The manifest first, which may have its name already: without its
    // sealed file it would be a lie.
    await rm(path, { force: true });
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
  sealed: Sealed,
  sealedFor: string,
  clock: Clock,
): SegmentManifest {
  const now = clock.now();
  const named = startInName(profile, file.path);
  // Without a time in its name only its last change is known, which is about its end.
  const dated = file.modifiedAt >= DAY_MS && file.modifiedAt <= now + DAY_MS;
  const startedAt = named ?? (dated ? file.modifiedAt : now);
  const lastedMs = file.modifiedAt - startedAt;
  return {
    bewaard: "manifest/1",
    kind: "segment",
    id,
    node,
    producer: "dock",
    device,
    arrivedAt: now,
    arrivedUptime: { bootId: clock.bootId(), ms: clock.uptimeMs() },
    recording: {
      startedAt,
      endedAt: lastedMs >= 0 && lastedMs <= LONGEST_RECORDING_MS ? file.modifiedAt : null,
      source: named !== undefined ? "name" : dated ? "modified" : "arrival",
      clock: { declared: profile.clock, offsetMs: null },
    },
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
