import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";

/**
 * Waits until no other helper carries out orders, and lets none begin until this is disposed of: one that was
 * started by hand would take an order that is being carried out for one that was cut off. The kernel ends it with
 * this process, whatever ends that.
 */
export async function alone(folder: string): Promise<AsyncDisposable> {
  const file = await open(join(folder, "lock"), "a", 0o600);
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
