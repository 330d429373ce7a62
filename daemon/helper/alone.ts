import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";

/**
 * Waits until no other helper works on this folder, and lets none begin until this is disposed of. The kernel ends it
 * with this process, whatever ends that.
 */
export async function alone(folder: string): Promise<AsyncDisposable> {
  const held = await locked(folder, []);
  if (held) return held;
  throw new Error("flock (1)");
}

/** As `alone`, but where another is at work: undefined, at once. */
export function aloneIfFree(folder: string): Promise<AsyncDisposable | undefined> {
  return locked(folder, ["--nonblock"]);
}

async function locked(
  folder: string,
  how: readonly string[],
): Promise<AsyncDisposable | undefined> {
  const file = await open(`${folder}.lock`, "a", 0o600);
  // flock locks the open file that it shares with us, which stays locked when it has ended.
  const child = spawn("/usr/bin/flock", [...how, "0"], {
    cwd: "/",
    env: {},
    stdio: [file.fd, "ignore", "ignore"],
  });
  const ended: readonly unknown[] = await once(child, "close");
  const [code] = ended;
  if (code === 0) return { [Symbol.asyncDispose]: () => file.close() };
  await file.close();
  // 1: another has it.
  if (code === 1) return undefined;
  throw new Error(`flock (${String(code)})`);
}
