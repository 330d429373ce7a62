import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { fit, gigabytes, type Machine, notFitForReal, type Seen, warning } from "./seen.ts";

/** Core, its catalog's cache and a sealing thread for each of a few docks. */
const MEMORY_BYTES = 512 * 1024 * 1024;

export async function lookAtUser(machine: Machine): Promise<readonly Seen[]> {
  if (process.getuid?.() !== 0) return [fit("niet als root", "not as root")];
  return [
    notFitForReal(
      machine,
      { nl: "draait als root", en: "runs as root" },
      { nl: "draai bewaard als een eigen gebruiker", en: "run bewaard as a user of its own" },
    ),
  ];
}

/** Memory, and the two ways it gets onto a disk, which may hold what is in the clear (invariant 2). */
export async function lookAtMemory({ proc, cgroup }: Machine): Promise<readonly Seen[]> {
  const [, kilobytes = "0"] = /^MemTotal:\s+(\d+) kB/m.exec(await text(proc, "meminfo")) ?? [];
  const limit = Number((await text(cgroup, "memory.max")).trim()) || Number.POSITIVE_INFINITY;
  const memory = Math.min(Number(kilobytes) * 1024, limit);
  const swaps = (await text(proc, "swaps")).trim().split("\n").slice(1);
  const [, core = "0"] = /^Max core file size\s+(\S+)/m.exec(await text(proc, "self/limits")) ?? [];
  return [
    memory >= MEMORY_BYTES
      ? fit(`${gigabytes(memory)} geheugen`, `${gigabytes(memory)} of memory`)
      : warning(
          { nl: `maar ${gigabytes(memory)} geheugen`, en: `only ${gigabytes(memory)} of memory` },
          { nl: "geef bewaard 512 MB of meer", en: "give bewaard 512 MB or more" },
        ),
    swaps.length === 0
      ? fit("geen wisselgeheugen", "no swap")
      : warning(
          { nl: "er is wisselgeheugen", en: "there is swap" },
          {
            nl: "swapoff -a, of MemorySwapMax=0 in de unit",
            en: "swapoff -a, or MemorySwapMax=0 in the unit",
          },
        ),
    core === "0"
      ? fit("geen geheugenafdruk na een fout", "no core dumps")
      : warning(
          { nl: "een fout laat een geheugenafdruk achter", en: "a crash leaves a core dump" },
          { nl: "ulimit -c 0, of LimitCORE=0 in de unit", en: "ulimit -c 0, or LimitCORE=0" },
        ),
  ];
}

/** Empty where this machine has no such file. */
async function text(root: string, name: string): Promise<string> {
  try {
    return await readFile(join(root, name), "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  }
}
