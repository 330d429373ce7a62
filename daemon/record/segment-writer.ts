import { rm } from "node:fs/promises";
import { diskError } from "#base/disk-errors";
import { BewaardError } from "#base/errors";
import type { DeviceId, SegmentId } from "#base/ids";
import { step } from "#base/step";
import { dayOf, type Instant } from "#base/time";
import { type GrowingFile, growFile } from "../../storage/seal/growing-file.ts";
import { makeHeader } from "../../storage/seal/header.ts";
import { recipientFor } from "../../storage/seal/recipients.ts";
import { sealedPath } from "../../storage/spool/incoming.ts";
import { type Intent, intentPath, intentText } from "../../storage/spool/intent.ts";
import { arrived, writeFact } from "../hand-over-fact.ts";
import { newSegmentId } from "../new-id.ts";
import { abandonSegment, settleAbandoned } from "./abandon.ts";
import { handOverSegment, isAdopted, type SegmentTimes, type Stage } from "./hand-over-segment.ts";
import { openLate } from "./late-file.ts";
import { inFolder } from "./missing-folder.ts";
import type { RecordSealing } from "./sealing.ts";
import { openSegmentIntent } from "./segment-intent.ts";

/** One segment of one camera on its way into `incoming/record`. */
export interface SegmentWriter {
  readonly id: SegmentId;
  /**
   * Seals `bytes` of the container. Never waits, never throws. When it has failed no new fragment may be
   * pushed unless it waits for room, but the rest of one may: what waits then is written if closing succeeds.
   */
  push(bytes: Uint8Array): void;
  /** Bytes in memory that wait for the disk. It is the caller's to push nothing while there are too many. */
  readonly waitingBytes: number;
  /** Bytes of the container that survive a kill, and those that survive a power cut. */
  readonly writtenBytes: number;
  readonly syncedBytes: number;
  /** Why nothing is written any more: SPOOL_FULL, SPOOL_IO. */
  readonly failed: BewaardError | undefined;
  /** Because the disk is full, and for now: it is asked again when more is pushed, and then has not failed. */
  readonly waitsForRoom: boolean;
  /** Says better when it began: a stream's time is known better as it goes on. Never waits, never throws. */
  began(startedAt: Instant): void;
  /**
   * Hands the segment over: sealed file first, manifest last (docs/design.md, procedure "Record").
   * Undefined, and nothing stays behind, when nothing was ever pushed.
   * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient): it may be asked again, or the segment abandoned.
   */
  close(times: SegmentTimes): Promise<SegmentId | undefined>;
  /**
   * Closes what reached the disk as truncated: nobody can have it again. False where nothing did, or it is
   * not there any more. Rejects for bugs only.
   */
  abandon(): Promise<boolean>;
}

/** What is done to the camera's bytes before they are sealed: drivers/camera/cutter.ts. */
const REWRITTEN = { rule: "fmp4-rebase", version: 1 };

/** Begins a segment of `device`. What is pushed waits in memory until its header is made and its intent durable. */
export function openSegment(
  sealing: RecordSealing,
  device: DeviceId,
  startedAt: Instant,
): SegmentWriter {
  const { incoming, events } = sealing;
  const { intent: first, recipient } = intend(sealing, device, startedAt);
  const { id } = first;
  const file = openLate(sealing.clock, () => begin(sealing, () => intent.current, recipient));
  const intent = openSegmentIntent(incoming, first, () => file.opened());
  let pushedBytes = 0;
  let stage: Stage = "sealing";

  return {
    id,
    push(bytes) {
      pushedBytes += bytes.length;
      file.push(bytes);
    },
    get waitingBytes() {
      return file.waitingBytes;
    },
    get writtenBytes() {
      return file.writtenBytes;
    },
    get syncedBytes() {
      return file.syncedBytes;
    },
    get failed() {
      return failure(file.fault);
    },
    get waitsForRoom() {
      return file.waitsForRoom;
    },
    began: (at) => intent.correct(at),
    async close(times) {
      try {
        const opened = await file.opened();
        if (pushedBytes === 0) return await dropEmpty(incoming, id, opened);
        const sealed = await opened.finish();
        await intent.settled();
        if (stage === "told") return id;
        if (stage === "sealing" || !(await isAdopted(incoming, first))) {
          await handOverSegment(sealing, first, sealed, times, (reached) => (stage = reached));
        }
        stage = "told";
        events.sealed(id, device, sealed.plaintextBytes);
        await settleAbandoned(sealing);
        return id;
      } catch (error) {
        throw diskError(error, "closing a segment");
      }
    },
    async abandon() {
      const opened = await file.opened().catch(() => undefined);
      if (stage === "told") return true;
      await opened?.close();
      await intent.settled();
      return await abandonSegment(sealing, intent.current);
    },
  };
}

function failure(fault: Error | undefined): BewaardError | undefined {
  if (fault === undefined) return undefined;
  const error = diskError(fault, "recording");
  if (error instanceof BewaardError) return error;
  // A bug. Closing throws it as it is.
  return new BewaardError("SPOOL_IO", "a segment could not be written", { cause: fault });
}

function intend({ clock, node, book }: RecordSealing, device: DeviceId, startedAt: Instant) {
  const { day, recipient } = recipientFor(book, dayOf(clock.now()));
  const intent: Intent = {
    bewaard: "intent/1",
    kind: "segment",
    id: newSegmentId(clock.now()),
    node,
    producer: "record",
    device,
    ...arrived(clock),
    recording: {
      startedAt,
      alternativeStartedAt: null,
      endedAt: null,
      source: "stream",
      clock: { declared: "synchronised", offsetMs: null },
    },
    file: null,
    sourceBytes: null,
    sealedFor: day,
    rewritten: REWRITTEN,
  };
  return { intent, recipient };
}

async function begin(
  sealing: RecordSealing,
  current: () => Intent,
  recipient: string,
): Promise<GrowingFile> {
  const { clock, incoming, shared, spare } = sealing;
  const header = await makeHeader([recipient]);
  // Known better by now, where a full disk was waited for.
  const intent = current();
  try {
    const path = intentPath(incoming, intent.id);
    await inFolder(sealing, () => writeFact(path, intentText(intent)));
    step("record.intended");
    const partial = `${sealedPath(incoming, intent.id)}.partial`;
    return await growFile(clock, partial, header, shared, spare);
  } finally {
    header.streamKey.fill(0);
  }
}

async function dropEmpty(incoming: string, id: SegmentId, file: GrowingFile): Promise<undefined> {
  await file.close();
  await rm(`${sealedPath(incoming, id)}.partial`, { force: true });
  await rm(intentPath(incoming, id), { force: true });
}
