import { diskError } from "#base/disk-errors";
import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import type { Instant } from "#base/time";
import { type Intent, intentPath, intentText } from "../../storage/spool/intent.ts";
import { writeFact } from "../hand-over-fact.ts";

/** The intent of a segment while that is written. */
export interface SegmentIntent {
  readonly current: Intent;
  /** Says that the segment began at `startedAt`. Never waits, never throws. */
  correct(startedAt: Instant): void;
  /** Resolves when no correction is under way. Rejects for bugs only. */
  settled(): Promise<void>;
}

/** Less is no better: a durable write for each segment would be spent on it. */
const SAME_MS = 50;

/** `first` is corrected when it is durable, which `written` tells. */
export function openSegmentIntent(
  incoming: string,
  first: Intent,
  written: () => Promise<unknown>,
): SegmentIntent {
  let current = first;
  let correcting = Promise.resolve();

  async function rewrite(before: Promise<void>): Promise<void> {
    await before;
    try {
      await written();
      await writeFact(intentPath(incoming, first.id), intentText(current));
      step("record.corrected");
    } catch (error) {
      // The one before is still there, and tells nearly the same.
      if (!(diskError(error, "correcting an intent") instanceof BewaardError)) throw error;
    }
  }

  return {
    get current() {
      return current;
    },
    correct(startedAt) {
      const { recording } = current;
      if (Math.abs((recording.startedAt ?? 0) - startedAt) < SAME_MS) return;
      current = { ...current, recording: { ...recording, startedAt } };
      correcting = rewrite(correcting);
      // Whoever closes or abandons the segment is told of a bug.
      correcting.catch(() => undefined);
    },
    settled: () => correcting,
  };
}
