import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BewaardError, ERROR_CODES } from "#base/errors";
import type { Owner } from "./own-files.ts";

const failure = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  transient: z.boolean(),
});

/** Of the units (systemd/bewaard.service, bewaard-record.service). */
const SERVICE_CACHES = ["/var/cache/bewaard", "/var/cache/bewaard-record"];

/** What a command printed, or said where it printed nothing, and its exit code. */
export interface Ran {
  readonly out: string;
  readonly code: number;
}

/** Runs a command of ours on the configuration at hand. */
export type AsCore = (program: "bewaarctl" | "bewaard", ...args: readonly string[]) => Promise<Ran>;

/**
 * Runs commands on the configuration at `path` as `owner`, whose folders the box's are: what setup is started by is
 * mostly root. `credentials` is the folder that its secrets are in for as long, where that is not its state folder.
 */
export function asCore(
  owner: Owner,
  path: string,
  credentials: string | undefined,
  signal: AbortSignal,
): AsCore {
  return async (program, ...args) => {
    const file = fileURLToPath(new URL(`../cli/${program}.ts`, import.meta.url));
    const command = [...process.execArgv, file, "--config", path, ...args];
    const child = spawn(process.execPath, command, {
      ...owner,
      signal,
      // In a session of its own: what is in that of root's terminal can have it take words as typed (TIOCSTI). Ctrl-c, which
      // does not reach it there, reaches it by `signal`.
      detached: true,
      cwd: "/",
      // Nothing of an administrator's session reaches it, and nothing that would load code into it.
      env: {
        PATH: process.env["PATH"],
        TZ: process.env["TZ"],
        NODE_COMPILE_CACHE: owner ? await cacheOf(owner) : process.env["NODE_COMPILE_CACHE"],
        ...(credentials === undefined ? {} : { CREDENTIALS_DIRECTORY: credentials }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, ended] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    const code = Number(ended[0] ?? -1);
    return { out: (out === "" ? err : out).trimEnd(), code };
  };
}

/**
 * The service's, where it is this user's: it finds there what setup compiled when it starts first. A cache that another user
 * writes would be code of that one's own.
 */
async function cacheOf({ uid }: NonNullable<Owner>): Promise<string | undefined> {
  for (const cache of SERVICE_CACHES) {
    const found = await stat(cache).catch(() => undefined);
    if (found?.uid === uid && found.isDirectory()) return cache;
  }
  return undefined;
}

/** What a command printed as JSON. @throws BewaardError as the command did, which was started with --json. */
export function printed({ out, code }: Ran): unknown {
  const value = reportIn(out);
  if (code === 0) return value;
  const failed = failure.safeParse(value);
  if (!failed.success) throw new Error(out);
  const { message, transient } = failed.data;
  throw new BewaardError(failed.data.code, message, { transient });
}

/** The JSON that a command printed, whatever its exit code. Throws for a bug of the command, which is none. */
export function reportIn(out: string): unknown {
  try {
    return JSON.parse(out);
  } catch (cause) {
    throw new Error(out, { cause });
  }
}
