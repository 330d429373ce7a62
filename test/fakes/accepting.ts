import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { NEVER } from "./rig.ts";

/** What systemd does for a socket with Accept=yes, in short: each connection is a program's input and output. */
export interface Accepting extends AsyncDisposable {
  /** The numbers of all that it started. */
  readonly started: readonly number[];
}

/** What is left of a unit whose program has ended is asked to go, and then told to, as in ours. */
const STOP_MS = 4000;

/** Runs `command` for each connection to `path`, without any of the unit's walls; and ends what it leaves behind. */
export async function accept(path: string, command: readonly string[]): Promise<Accepting> {
  const [program = "", ...args] = command;
  const started: number[] = [];
  const running = new Set<ChildProcess>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(program, args, {
      stdio: [socket, socket, "ignore"],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
      detached: true,
    });
    socket.on("error", () => undefined).destroy();
    running.add(child);
    started.push(child.pid ?? 0);
    child.once("exit", () => {
      running.delete(child);
      void sweep(child.pid ?? 0);
    });
  });
  server.listen(path);
  await once(server, "listening");
  return {
    started,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const child of running) signal(child.pid ?? 0, "SIGKILL");
    },
  };
}

async function sweep(group: number): Promise<void> {
  if (!signal(group, "SIGTERM")) return;
  await systemClock.sleep(STOP_MS, NEVER);
  signal(group, "SIGKILL");
}

/** Whether there was anybody left. */
function signal(group: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(-group, name);
    return true;
  } catch (error) {
    if (systemCode(error) !== "ESRCH") throw error;
    return false;
  }
}
