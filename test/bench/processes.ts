import { readdir, readFile } from "node:fs/promises";

interface Process {
  readonly parent: number;
  readonly cpuMs: number;
}

/** Milliseconds of CPU of `root` and all below it, of those too that have ended and were waited for. */
export async function treeCpuMs(root: number): Promise<number> {
  const all = new Map<number, Process>();
  for (const name of await readdir("/proc")) {
    const process = /^\d+$/.test(name) ? await statOf(name) : undefined;
    if (process) all.set(Number(name), process);
  }
  const below = (pid: number): number => {
    const { cpuMs } = all.get(pid) ?? { cpuMs: 0 };
    const children = [...all].filter(([, { parent }]) => parent === pid);
    return children.reduce((sum, [child]) => sum + below(child), cpuMs);
  };
  return below(root);
}

/** What `pid` has resident now, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

/** What `pid` has read since it was started, in bytes: of files, pipes and sockets, cached or not. */
export async function readBytes(pid: number | undefined): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, "utf8");
  return Number(/^rchar: (\d+)$/m.exec(io)?.[1] ?? 0);
}

async function statOf(pid: string): Promise<Process | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    // utime, stime and those of waited children, in hundredths of a second on Linux.
    const spent = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0);
    return { parent: fields[1] ?? 0, cpuMs: spent * 10 };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
