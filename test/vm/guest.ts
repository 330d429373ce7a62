import { rename } from "node:fs/promises";
import { systemClock } from "#base/system-clock";
import { NEVER } from "../fakes/rig.ts";
import { agentOf, type Ended } from "./agent.ts";
import type { Image } from "./image.ts";
import { placesIn, switchOn } from "./machine.ts";
import { monitorOf } from "./monitor.ts";
import { type Sockets, socketsOf } from "./sockets.ts";

/** A Debian machine of its own, with systemd, a kernel, and USB sockets. No network. */
export interface Guest extends AsyncDisposable, Sockets {
  /** Runs a command as root. */
  exec(command: string, limitMs?: number): Promise<Ended>;
  /** The same, for one that must succeed; resolves to what it printed. */
  sh(command: string, limitMs?: number): Promise<string>;
  /** Asks again and again until `condition` succeeds; resolves to what it printed. */
  until(condition: string, limitMs?: number): Promise<string>;
  /** Writes a file, whose folder must be there, some KB a second: what is large comes on a card. */
  put(path: string, content: Uint8Array | string): Promise<void>;
  /** It is started again as an administrator does; what is plugged in stays so. */
  reboot(): Promise<void>;
  /** The power goes and comes back: what was not yet on its disk is lost, what is plugged in stays so. */
  powerCut(): Promise<void>;
  /** Keeps it as it runs now, with its disk, in the file `path` beside its folder: for `openGuest`. It is gone afterwards. */
  freeze(path: string): Promise<void>;
}

const BOOT_LIMIT_MS = 600_000;
const UNTIL_LIMIT_MS = 600_000;

/** The name of the snapshot in each disk that was frozen. */
export const FROZEN = "frozen";

/** Switches on the machine whose disk is in `folder`, told `more` by QEMU's own words; resolves once it answers. */
export async function switchOnGuest(
  image: Image,
  folder: string,
  more: readonly string[],
): Promise<Guest> {
  const places = placesIn(folder);
  const agent = agentOf(places.agent, places.ended);
  const monitor = monitorOf(places.monitor);
  const sockets = socketsOf(monitor);
  let machine = switchOn(image, folder, more);

  const answers = (): Promise<void> => untilAnswered(() => agent.ping());

  async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
    const limit = AbortSignal.timeout(BOOT_LIMIT_MS);
    for (;;) {
      const complaint = machine.complaint();
      if (complaint !== undefined) throw new Error(complaint);
      try {
        await ask();
        return;
      } catch (cause) {
        if (limit.aborted) throw new Error("the guest does not come up", { cause });
        await systemClock.sleep(200, NEVER);
      }
    }
  }

  /**
   * Once it is off: a QEMU of its own for what comes next, which boots in half the time that one takes that was reset. What is
   * plugged in is so before its kernel looks.
   */
  async function goesOn(): Promise<void> {
    await machine.ended;
    machine = switchOn(image, folder, ["-S"]);
    await untilAnswered(() => monitor("query-status"));
    await sockets.plugAgain();
    await monitor("cont");
    await answers();
  }

  async function sh(command: string, limitMs?: number): Promise<string> {
    const { code, out, err } = await agent.exec(command, limitMs);
    if (code !== 0) throw new Error(`in the guest, exit code ${code}: ${command}\n${out}${err}`);
    return out;
  }

  /** In one shell, for to begin one anew each second takes a third of an emulated processor from what is waited for. */
  async function until(condition: string, limitMs = UNTIL_LIMIT_MS): Promise<string> {
    const isOver = `SECONDS >= ${Math.ceil(limitMs / 1000)}`;
    const loop = `until out=$(${condition}\n); do if ((${isOver})); then break; fi; sleep 1; done`;
    const shown = `printf %s "$out"; ! ((${isOver}))`;
    const { code, out, err } = await agent.exec(`${loop}\n${shown}`, 2 * limitMs);
    if (code !== 0) throw new Error(`never came true: ${condition}\n${out}${err.slice(-2000)}`);
    return out;
  }

  const guest: Guest = {
    ...sockets,
    exec: (command, limitMs) => agent.exec(command, limitMs),
    sh,
    until,
    put: (path, content) => agent.write(path, Buffer.from(content)),
    async reboot() {
      await agent.startAnew();
      await goesOn();
    },
    async powerCut() {
      await monitor("quit").catch(() => undefined);
      await goesOn();
    },
    async freeze(path) {
      await sh("sync; echo 3 > /proc/sys/vm/drop_caches");
      const command = { "command-line": `savevm ${FROZEN}` };
      const said = await monitor("human-monitor-command", command);
      if (said !== "") throw new Error(`no snapshot of the guest: ${String(said)}`);
      await machine.kill();
      await rename(places.disk, path);
    },
    [Symbol.asyncDispose]: () => machine.kill(),
  };
  try {
    await answers();
  } catch (error) {
    await machine.kill();
    throw error;
  }
  return guest;
}
