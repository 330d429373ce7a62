import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { unlessBefore } from "#base/deadline";
import { systemCode } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import { cardOwner } from "./card-owner.ts";
import { failed, mountAt } from "./mounts.ts";

/** A program that serves the files of one media device at one place. */
export interface Serving {
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface StartServing {
  /** The longest file that fits in the memory it fetches to, in bytes. */
  readonly largest: number;
  /**
   * Resolves once the files of the device can be read at `at`, by the daemon alone and not written.
   * @throws BewaardError CARD_MOUNT (transient) when that never comes.
   */
  serve(usb: { readonly bus: number; readonly address: number }, at: string): Promise<Serving>;
}

const PROGRAM = "/usr/bin/jmtpfs";
const SCRIPT = fileURLToPath(new URL("../../systemd/serve-mtp.sh", import.meta.url));
/** Its own links are none: jmtpfs tells of files and folders only, and knows no nosymfollow. */
const FLAGS = ["ro", "nosuid", "nodev", "noexec"];
/** A camera that starts up, and the search for it on all of USB. */
const PATIENCE_MS = 90 * SECOND_MS;
const LOOK_EVERY_MS = 250;
const STOP_MS = 10 * SECOND_MS;
const MIB = 1024 * 1024;

/** Undefined where the administrator has not installed jmtpfs. */
export async function jmtpfs(clock: Clock, roomMib: number): Promise<StartServing | undefined> {
  try {
    await access(PROGRAM);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  return {
    largest: roomMib * MIB,
    async serve(usb, at) {
      const serving = begin(roomMib, usb, at, await cardOwner());
      try {
        await served(clock, serving, at);
        return serving;
      } catch (error) {
        await serving.stop();
        throw error;
      }
    },
  };
}

/**
 * In a view of the mounts of its own, where /tmp is memory of a limited size: it fetches each file whole to there.
 * What it mounts below /run is seen by all.
 */
function begin(
  roomMib: number,
  { bus, address }: { readonly bus: number; readonly address: number },
  at: string,
  owner: string,
): Serving {
  const view = ["--mount", "--propagation", "unchanged", "--"];
  const child = spawn(
    "/usr/bin/unshare",
    [...view, SCRIPT, `${roomMib}`, `${bus},${address}`, at, owner],
    {
      cwd: "/",
      // What the device tells as wall time is read as UTC: its profile says of which zone it is.
      env: {
        LC_ALL: "C.UTF-8",
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        TZ: "UTC",
        HOME: "/nonexistent",
      },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const ended = once(child, "close").then(() => undefined);
  return {
    ended,
    async stop() {
      // Asked first: it then ends its session with the device.
      using _ = unlessBefore(STOP_MS, () => child.kill("SIGKILL"));
      child.kill();
      await ended;
    },
  };
}

async function served(clock: Clock, serving: Serving, at: string): Promise<void> {
  let isOver = false;
  void serving.ended.then(() => (isOver = true));
  const until = clock.uptimeMs() + PATIENCE_MS;
  for (;;) {
    if (isOver) throw failed("jmtpfs ended");
    const mount = await mountAt(at);
    if (mount !== undefined) {
      const missing = FLAGS.filter((flag) => !mount.flags.includes(flag));
      if (missing.length > 0) throw failed(`a device is mounted without ${missing.join(", ")}`);
      if (await hasStorage(at)) return;
    }
    if (clock.uptimeMs() >= until) throw failed("no storage appears");
    await clock.sleep(LOOK_EVERY_MS, new AbortController().signal);
  }
}

/** Without one it is locked, or not ready: nothing is known of what is on it, and it must not look empty. */
async function hasStorage(at: string): Promise<boolean> {
  try {
    return (await readdir(at)).length > 0;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
