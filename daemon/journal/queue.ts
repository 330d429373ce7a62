import type { Datagrams } from "#base/datagrams";
import { systemCode } from "#base/errors";

/** A line that waits for the journal: as its own protocol has it, and as standard error would. */
export interface Waiting {
  readonly entry: Buffer;
  readonly line: string;
  /** Goes first where there is no room: nobody has to act on it. */
  readonly isMinor: boolean;
}

export interface JournalQueue {
  /** Never waits. */
  add(one: Waiting): void;
  /** Resolves once everything that was added is with the kernel. */
  drained(): Promise<void>;
  /** What waits, in its order, for a process that can wait no more; the first of it may be with the kernel already. */
  left(): readonly string[];
}

/** Some fifty thousand lines. */
const MOST_WAITING_BYTES = 32 * 1024 * 1024;

/**
 * Sends lines to the journal in their order, while the caller goes on: nothing waits for the journal (invariant
 * 9). While journald does not read they are kept, up to `mostBytes`; then the minor ones that wait go at once,
 * where that is not enough the oldest of all, and `tellLost` hears how many once there is room again. What the
 * socket refuses goes to `instead`.
 */
export function openJournalQueue(
  datagrams: Datagrams,
  instead: (line: string) => void,
  tellLost: (lines: number) => void,
  mostBytes = MOST_WAITING_BYTES,
): JournalQueue {
  let waiting: Waiting[] = [];
  let next = 0;
  let bytes = 0;
  let lost = 0;
  let sent: Waiting | undefined;
  let sending: Promise<void> | undefined;

  function makeRoom(): void {
    const all = waiting.slice(next);
    waiting = all.filter((one) => !one.isMinor);
    next = 0;
    bytes = sizeOfAll(waiting);
    // By a good part at once: else each line that comes would move all that wait.
    while (bytes > mostBytes / 2)
      bytes -= sizeOfAll(waiting.splice(0, Math.ceil(waiting.length / 8)));
    lost += all.length - waiting.length;
  }

  function take(): Waiting | undefined {
    const one = waiting[next];
    if (one === undefined) return undefined;
    next += 1;
    bytes -= sizeOf(one);
    if (next % 1024 === 0) {
      waiting = waiting.slice(next);
      next = 0;
    }
    return one;
  }

  async function send(): Promise<void> {
    for (let one = take(); one !== undefined; one = take()) {
      sent = one;
      try {
        await datagrams.send(one.entry);
      } catch (error) {
        const code = systemCode(error);
        if (code === undefined) throw error;
        // Nobody wants them any more: standard error may be what does not read.
        if (code === "ECANCELED") break;
        instead(one.line);
      }
      sent = undefined;
      if (lost > 0 && next === waiting.length) {
        const lines = lost;
        lost = 0;
        tellLost(lines);
      }
    }
    sending = undefined;
  }

  return {
    add: (one) => {
      waiting.push(one);
      bytes += sizeOf(one);
      if (bytes > mostBytes) makeRoom();
      sending ??= send();
    },
    drained: async () => {
      await sending;
    },
    left: () => [...(sent ? [sent] : []), ...waiting.slice(next)].map(({ line }) => line),
  };
}

function sizeOf({ entry, line }: Waiting): number {
  return entry.length + line.length;
}

function sizeOfAll(all: readonly Waiting[]): number {
  return all.reduce((sum, one) => sum + sizeOf(one), 0);
}
