import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import type { Mounts } from "./mounts.ts";
import type { SafeFolder } from "./safe-folder.ts";

/** What came of a card that was made writable for a while. */
export type Written<T> =
  | { readonly done: T; readonly why: undefined }
  /** Done in part, or in whole, and not certainly on the card. */
  | {
      readonly done: T | undefined;
      readonly why: "not-writable" | "not-settled" | "not-read-only";
    };

/**
 * Runs `body` on a card that is open, mounted at `at` and writable meanwhile, for root alone, and read-only again
 * afterwards, whatever comes of it. What was written is on the card when this returns without a reason.
 */
export async function whileWritable<T>(
  mounts: Mounts,
  at: string,
  card: SafeFolder,
  body: () => Promise<T>,
): Promise<Written<T>> {
  if (!(await succeeds(mounts.remount(at, "rw")))) {
    // It may have been done in part.
    await succeeds(mounts.remount(at, "ro"));
    return { done: undefined, why: "not-writable" };
  }
  step("helper.writable");
  let done: T;
  let settled: boolean;
  let readOnly = false;
  try {
    done = await body();
    settled = await succeeds(mounts.settle(card.handle));
    step("helper.settled");
  } finally {
    readOnly = await succeeds(mounts.remount(at, "ro"));
    step("helper.read-only");
  }
  if (!settled) return { done, why: "not-settled" };
  return readOnly ? { done, why: undefined } : { done, why: "not-read-only" };
}

/** False for what a card does that was pulled out, or whose file system refuses. */
export async function succeeds(asked: Promise<void>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof BewaardError && error.code === "CARD_MOUNT") return false;
    throw error;
  }
}
