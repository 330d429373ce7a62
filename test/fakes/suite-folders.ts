import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "#base/errors";

// Required by mocha (package.json), in each process of its own: the temporary folders of the fast suite lie in memory
// where there is room, for on a disk most of its time goes into waiting for syncs. It kills processes, and what those
// leave behind is the same there. Power loss is shown on real file systems, by `npm run test:long`.
// With TMPDIR or BEWAARD_TEST_DISK=1 the folders lie where they would without this; campaigns that would take too long there ask for
// memory themselves (test/fakes/fast-folders.ts).

const MEMORY = "/dev/shm";
const PREFIX = "bewaard-";
/** A gigabyte and the same sealed (test/seal.test.ts), what others have meanwhile (340 MB), and memory for the processes. */
const ROOM_BYTES = 4 * 2 ** 30;

/** This process's own folder: mocha's workers inherit TMPDIR, and take it as given. */
let own: string | undefined;

if (!process.env["TMPDIR"] && process.env["BEWAARD_TEST_DISK"] !== "1" && hasRoom()) {
  removeAbandoned();
  own = mkdtempSync(join(MEMORY, `${PREFIX}${process.pid}-`));
  // As any folder for temporary files: there are tests as another user.
  chmodSync(own, 0o1777);
  process.env["TMPDIR"] = own;
}

/** Called by mocha, once, in the process that started the others. */
export function mochaGlobalTeardown(): void {
  if (own !== undefined) rmSync(own, { recursive: true, force: true });
}

/** Whether folders in memory are possible: tests start programs from them, which some containers forbid. */
function hasRoom(): boolean {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const [, , type, options] =
    mounts.map((line) => line.split(" ")).findLast(([, at]) => at === MEMORY) ?? [];
  if (type !== "tmpfs" || options?.split(",").some((one) => one === "noexec" || one === "ro"))
    return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return Math.min(bavail * bsize, process.availableMemory()) >= ROOM_BYTES;
}

/** Removes what a run left that was killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(MEMORY)) {
    const pid = Number(/^bewaard-(\d+)-/.exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    try {
      rmSync(join(MEMORY, name), { recursive: true, force: true });
    } catch (error) {
      // Another user's, or with something mounted in it: theirs to remove.
      if (!["EACCES", "EBUSY", "EPERM"].includes(systemCode(error) ?? "")) throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
