import type { Worker } from "node:worker_threads";
import { openSealPool, type SealPool } from "../../storage/seal/pool.ts";

/** So many files of all rigs are being sealed. */
let sealing = 0;
const threads = new Set<Worker>();
let pool: SealPool | undefined;

/**
 * A pool of one thread for all of a process that bring none: starting a thread takes longer than what most tests have
 * it seal. Between two files it keeps no process from ending.
 */
export function sharedPool(): SealPool {
  if (!pool) process.on("worker", watch);
  pool ??= openSealPool(1);
  const shared = pool;
  return {
    async seal(...job) {
      sealing += 1;
      for (const thread of threads) thread.ref();
      try {
        return await shared.seal(...job);
      } finally {
        sealing -= 1;
        if (sealing === 0) for (const thread of threads) thread.unref();
      }
    },
    bytesRead: (source) => shared.bytesRead(source),
    async [Symbol.asyncDispose]() {},
  };
}

function watch(thread: Worker): void {
  if (thread.threadName !== "seal") return;
  threads.add(thread);
  thread.once("exit", () => threads.delete(thread));
}
