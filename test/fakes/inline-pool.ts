import { makeHeader } from "../../storage/seal/header.ts";
import type { SealPool } from "../../storage/seal/pool.ts";
import { sealFile } from "../../storage/seal/seal-file.ts";

/** Seals in the thread of the test, where its calls can be made to fail. */
export function inlinePool(): SealPool {
  return {
    async seal(source, target, recipients) {
      const header = await makeHeader(recipients);
      return sealFile({
        source,
        target,
        header,
        stop: new Int32Array(1),
        blocks: new Int32Array(1),
      });
    },
    bytesRead: () => 0,
    async [Symbol.asyncDispose]() {},
  };
}
