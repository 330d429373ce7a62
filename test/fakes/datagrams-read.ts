import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const READER = fileURLToPath(new URL("datagram-reader.ts", import.meta.url));

export interface DatagramReader extends AsyncDisposable {
  /** What was read so far, in order. */
  readonly read: readonly Buffer[];
  /** Stops it as it stands (SIGSTOP), or lets it go on (SIGCONT). */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
}

/** Another process, that binds `path` and reads what is sent there; it takes `pauseMs` for each. */
export async function readDatagrams(path: string, pauseMs = 0): Promise<DatagramReader> {
  const child = spawn(process.execPath, [READER, path, String(pauseMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const read: Buffer[] = [];
  const isUp = collect(child, read);
  await until(isUp);
  return {
    read,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Cuts what the reader tells into datagrams; says whether it has begun. */
function collect(child: ChildProcessByStdio<null, Readable, null>, read: Buffer[]): () => boolean {
  let rest = Buffer.alloc(0);
  let isUp = false;
  child.stdout.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length >= at + 4) {
      const end = at + 4 + rest.readUInt32BE(at);
      if (rest.length < end) break;
      if (isUp) read.push(rest.subarray(at + 4, end));
      isUp = true;
      at = end;
    }
    rest = rest.subarray(at);
  });
  return () => isUp;
}
