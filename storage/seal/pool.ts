import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { BewaardError } from "#base/errors";
import { makeHeader } from "./header.ts";
import { BLOCK_BYTES, type SealedFile, type SealFileJob } from "./seal-file.ts";
import type { Answer } from "./worker.ts";

export interface SealPool extends AsyncDisposable {
  /**
   * Hashes and encrypts the file `source` into `target` for `recipients`; resolves once the sealed
   * file survives a power cut. Files queue, first come first served, for a free thread.
   * @throws BewaardError CARD_READ, SOURCE_IRREGULAR, SPOOL_FULL, RECIPIENT_MIXED …
   */
  seal(
    source: Uint8Array,
    target: string,
    recipients: readonly string[],
    signal: AbortSignal,
  ): Promise<SealedFile>;
  /** How much of `source` was read so far, to the MiB and for people; 0 while it is not being sealed. */
  bytesRead(source: Uint8Array): number;
}

/** Seals up to `size` files at once, one thread each: cheapest per byte (docs/design.md, "Sealing"). */
export function openSealPool(
  size: number,
  program = new URL("./worker.ts", import.meta.url),
): SealPool {
  const idle: Worker[] = [];
  const waiting: ((worker: Worker) => void)[] = [];
  const blocksOf = new Map<string, Int32Array>();
  let started = 0;

  async function take(): Promise<Worker> {
    const worker = idle.pop();
    if (worker) return worker;
    if (started < size) {
      started += 1;
      return new Worker(program, { name: "seal" });
    }
    return new Promise((resolve) => waiting.push(resolve));
  }

  function give(worker: Worker): void {
    const next = waiting.shift();
    if (next) next(worker);
    else idle.push(worker);
  }

  return {
    async seal(source, target, recipients, signal) {
      const header = await makeHeader(recipients);
      const stop = new Int32Array(new SharedArrayBuffer(4));
      const blocks = new Int32Array(new SharedArrayBuffer(4));
      const worker = await take();
      blocksOf.set(keyOf(source), blocks);
      const halt = (): void => void Atomics.store(stop, 0, 1);
      signal.addEventListener("abort", halt, { once: true });
      if (signal.aborted) halt();
      try {
        const answer = await ask(worker, { source, target, header, stop, blocks });
        give(worker);
        return unwrapped(answer, signal);
      } catch (error) {
        if (!(error instanceof WorkerDied)) throw error;
        started -= 1;
        throw error.cause;
      } finally {
        signal.removeEventListener("abort", halt);
        header.streamKey.fill(0);
        blocksOf.delete(keyOf(source));
      }
    },
    bytesRead: (source) => (blocksOf.get(keyOf(source))?.[0] ?? 0) * BLOCK_BYTES,
    async [Symbol.asyncDispose]() {
      await Promise.all(idle.map((worker) => worker.terminate()));
    },
  };
}

/** One character a byte: names on a card need not be text. */
function keyOf(source: Uint8Array): string {
  return Buffer.from(source).toString("latin1");
}

class WorkerDied extends Error {}

/** One question, one answer. */
async function ask(worker: Worker, job: SealFileJob): Promise<Answer> {
  const answered = new AbortController();
  const { signal } = answered;
  try {
    worker.postMessage(job);
    // A thread may also end without a word: then no message ever comes.
    const said: unknown[] = await Promise.race([
      once(worker, "message", { signal }),
      once(worker, "exit", { signal }),
    ]);
    const [answer] = said;
    if (isAnswer(answer)) return answer;
    throw new TypeError("a sealing thread ended, or answered something else");
  } catch (cause) {
    throw new WorkerDied("a sealing thread died", { cause });
  } finally {
    answered.abort();
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "kind" in value;
}

function unwrapped(answer: Answer, signal: AbortSignal): SealedFile {
  switch (answer.kind) {
    case "sealed":
      return answer.sealed;
    case "refused":
      throw new BewaardError(answer.code, answer.message, { transient: answer.transient });
    case "stopped":
      throw signal.reason;
    case "failed":
      throw new Error(`sealing failed: ${answer.message}`);
    default:
      throw new TypeError("unknown answer of a sealing thread", { cause: answer });
  }
}
