import { writeSync } from "node:fs";
import { systemCode } from "#base/errors";

const STANDARD_ERROR = 2;
const PAUSE_MS = 5;
/** Node tells what ended the process after this, and waits for nobody: what reads must have room for it. */
const LINGER_MS = 50;

export interface LastLines {
  /** Returns once `line` is with the kernel, or may be waited for no longer. */
  readonly write: (line: string) => void;
  readonly end: () => void;
}

/**
 * Standard error for a process that ends now, and whose promises nobody keeps any more: waits where it must, for `limitMs`
 * at most, for who reads may not. Node's own would only try.
 */
export function openLastLines(limitMs: number): LastLines {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const pause = (ms: number): unknown => Atomics.wait(flag, 0, 0, ms);
  let waitedMs = 0;

  /** How many bytes it took. */
  function written(rest: Uint8Array): number {
    try {
      return writeSync(STANDARD_ERROR, rest);
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      if (code !== "EAGAIN") return rest.length;
      pause(PAUSE_MS);
      waitedMs += PAUSE_MS;
      return 0;
    }
  }

  return {
    write(line) {
      let rest: Uint8Array = Buffer.from(`${line}\n`);
      while (rest.length > 0 && waitedMs < limitMs) rest = rest.subarray(written(rest));
    },
    end() {
      if (waitedMs > 0 && waitedMs < limitMs) pause(LINGER_MS);
    },
  };
}
