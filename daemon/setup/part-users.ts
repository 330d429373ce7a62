import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import type { PartUsers } from "./give-spool.ts";
import type { Owner } from "./own-files.ts";

const run = promisify(execFile);
/** What getent ends with for a name that nobody has. */
const NOBODY = z.object({ code: z.literal(2) });

/** The users of dock and recorder beside `user`, who is core's; undefined where that one does it all. */
export async function partUsers(user: string): Promise<PartUsers | undefined> {
  const dock = await userNamed(`${user}-dock`);
  const record = await userNamed(`${user}-record`);
  return dock && record && { dock, record };
}

async function userNamed(name: string): Promise<Owner> {
  try {
    const { stdout } = await run("getent", ["passwd", name]);
    const [, , uid, gid] = stdout.split(":");
    return { uid: Number(uid), gid: Number(gid) };
  } catch (error) {
    if (NOBODY.safeParse(error).success) return undefined;
    throw error;
  }
}
