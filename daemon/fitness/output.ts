import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a command printed; undefined when it is not there, or did not succeed. */
export async function output(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, args, { signal, env: { ...process.env, LC_ALL: "C" } });
    return stdout;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}
