import { readFile } from "node:fs/promises";
import { z } from "zod";
import { systemClock } from "#base/system-clock";
import { NEVER } from "../fakes/rig.ts";
import { answerIn, ask } from "./lines.ts";

/** How a command in the guest ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Commands as root, inside the guest. */
export interface Agent {
  /** Resolves when the guest answers. @throws when it does not within some seconds. */
  ping(): Promise<void>;
  /** Has the guest start itself anew as an administrator would; it gives no answer. */
  startAnew(): Promise<void>;
  /** Runs `command` in a shell. @throws when it runs longer than `limitMs`. */
  exec(command: string, limitMs?: number): Promise<Ended>;
  /** Writes a file, whose folder must be there: some KB a second. */
  write(path: string, content: Uint8Array): Promise<void>;
}

/** An emulated processor reading from a cold disk: nothing that goes well takes this long. */
const LIMIT_MS = 600_000;
// A machine with other work may leave a guest without a processor for long.
const ANSWER_MS = 120_000;
/** Messages of 64 KiB never arrived. */
const PIECE_BYTES = 1024;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const startedSchema = z.looseObject({ pid: z.int() });
const base64 = z
  .string()
  .default("")
  .transform((text) => Buffer.from(text, "base64").toString());
const statusSchema = z.looseObject({
  exited: z.boolean(),
  exitcode: z.int().default(-1),
  "out-data": base64,
  "err-data": base64,
});

/** Where a command says that it has ended: to ask the agent takes the emulated processor from what is waited for. */
const ENDED = "/dev/virtio-ports/ended";
/** One that was killed says nothing. */
const ASK_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** The agent behind `socket`; what is written to the guest's port for it comes into the file `ended`. */
export function agentOf(socket: string, ended: string): Agent {
  let last = 0;
  const call = (execute: string, given: object = {}, limitMs = ANSWER_MS): Promise<unknown> => {
    // Answers to an earlier connection may still be on their way, and the byte that makes the agent begin
    // anew is an error to it: what comes before ours is not for us.
    const id = ++last;
    let isOurs = false;
    const asked = [
      { execute: "guest-sync-delimited", arguments: { id } },
      { execute, arguments: given },
    ];
    const lines = asked.map((line) => `${JSON.stringify(line)}\n`);
    const pick: Parameters<typeof ask>[2] = (line) => {
      if (isOurs) return answerIn(line);
      isOurs = line.return === id;
      return undefined;
    };
    return ask(socket, [Uint8Array.of(0xff), ...lines], pick, limitMs);
  };

  async function write(path: string, content: Uint8Array): Promise<void> {
    const handle = z.int().parse(await call("guest-file-open", { path, mode: "w" }));
    for (let at = 0; at < content.length; at += PIECE_BYTES) {
      const piece = Buffer.from(content.subarray(at, at + PIECE_BYTES)).toString("base64");
      await call("guest-file-write", { handle, "buf-b64": piece });
    }
    await call("guest-file-close", { handle });
  }

  async function exec(command: string, limitMs = LIMIT_MS): Promise<Ended> {
    const mark = `<${++last}>`;
    // One process at a time may have the port open.
    const says = `until [ -c ${ENDED} ] && echo '${mark}' > ${ENDED}; do sleep 0.1; done 2> /dev/null`;
    const given = {
      path: "/bin/bash",
      arg: ["-c", `(${command}\n)\ncode=$?\n${says}\nexit $code`],
      env: [`PATH=${PATH}`, "HOME=/root", "LANG=C.UTF-8"],
      "capture-output": true,
    };
    const { pid } = startedSchema.parse(await call("guest-exec", given));
    const signal = AbortSignal.timeout(limitMs);
    for (;;) {
      await untilSaid(mark);
      const status = statusSchema.parse(await call("guest-exec-status", { pid }));
      if (status.exited) {
        return { code: status.exitcode, out: status["out-data"], err: status["err-data"] };
      }
      if (signal.aborted) throw new Error(`still running after ${limitMs} ms: ${command}`);
    }
  }

  /** Until `mark` is in the file, or it is time to ask. */
  async function untilSaid(mark: string): Promise<void> {
    const signal = AbortSignal.timeout(ASK_EVERY_MS);
    do await systemClock.sleep(LOOK_EVERY_MS, NEVER);
    while (!signal.aborted && !(await readFile(ended, "utf8")).includes(mark));
  }

  return {
    ping: async () => void (await call("guest-ping", {}, 3000)),
    async startAnew() {
      await call("guest-shutdown", { mode: "reboot" }, 1500).catch(() => undefined);
    },
    exec,
    write,
  };
}
