import { parentPort } from "node:worker_threads";
import { BewaardError, type ErrorCode } from "#base/errors";
import { type SealedFile, type SealFileJob, sealFile } from "./seal-file.ts";

/** What a worker answers. An error crosses the thread as plain values and is made whole by the pool. */
export type Answer =
  | { readonly kind: "sealed"; readonly sealed: SealedFile }
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly message: string;
      readonly transient: boolean;
    }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string };

function answer(job: SealFileJob): Answer {
  try {
    return { kind: "sealed", sealed: sealFile(job) };
  } catch (error) {
    if (error instanceof BewaardError) {
      const { code, message, transient } = error;
      return { kind: "refused", code, message, transient };
    }
    if (error instanceof DOMException && error.name === "AbortError") return { kind: "stopped" };
    return { kind: "failed", message: error instanceof Error ? String(error.stack) : "unknown" };
  } finally {
    job.header.streamKey.fill(0);
  }
}

parentPort?.on("message", (job: SealFileJob) => parentPort?.postMessage(answer(job)));
