import { userNamed } from "#base/user-named";
import type { PartUsers } from "./give-spool.ts";

/** The users of dock and recorder beside `user`, who is core's; undefined where that one does it all. */
export async function partUsers(user: string): Promise<PartUsers | undefined> {
  const dock = await userNamed(`${user}-dock`);
  const record = await userNamed(`${user}-record`);
  return dock && record && { dock, record };
}
