import { join } from "node:path";
import type { Config } from "../../config/schema.ts";
import { makeRecoveryKey } from "../backup/recovery-key.ts";
import { folderBeside } from "./draft.ts";
import type { AskPath } from "./from-desk.ts";
import { isThere } from "./settle-configuration.ts";

/**
 * Makes the recovery key that the configuration at `path` names and that is not there yet, where somebody can put its secret
 * half into an envelope: it is shown until they say so, and kept nowhere. Returns where a public half is still to be made;
 * undefined where there is one, and on a demo site that wants none.
 */
export async function settleRecoveryKey(
  path: string,
  { backup, site }: Config,
  ask: AskPath | undefined,
): Promise<string | undefined> {
  if (backup === undefined) return site.demo ? undefined : join(folderBeside(path), "recovery.txt");
  const { recipients } = backup;
  if (await isThere(recipients)) return undefined;
  if (ask === undefined) return recipients;
  await makeRecoveryKey(recipients, "pq", async ({ identity }) => {
    await ask(
      `voor in de envelop, en nergens anders:\n\n${identity}\n\nstaat hij op papier? Enter`,
      "for the envelope, and nowhere else; is it on paper? Enter",
    );
  });
  return undefined;
}
