import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
/** What getent ends with for a name that nobody has. */
const NOBODY = 2;

/** The numbers of a user of this machine, and of its group; undefined where there is none of that name. */
export async function userNamed(
  name: string,
): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  try {
    const { stdout } = await run("/usr/bin/getent", ["passwd", name]);
    const [, , uid, gid] = stdout.split(":");
    return { uid: Number(uid), gid: Number(gid) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === NOBODY) return undefined;
    throw error;
  }
}
