import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";

/**
 * Waits until no other helper works on this folder, and lets none begin until this is disposed of. The kernel ends it
 * with this process, whatever ends that.
 */
export async function alone(folder: string): Promise<AsyncDisposable> {
  const file = await open(`${folder}.lock`, "a", 0o600);
  // flock locks the open file that it shares with us, which stays locked when it has ended.
  const child = spawn("/usr/bin/flock", ["0"], {
    cwd: "/",
    env: {},
    stdio: [file.fd, "ignore", "ignore"],
  });
  const ended: readonly unknown[] = await once(child, "close");
  if (ended[0] === 0) return { [Symbol.asyncDispose]: () => file.close() };
  await file.close();
  throw new Error(`flock (${String(ended[0])})`);
}
