import { BewaardError } from "#base/errors";
import { readText } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";
import { parseSigners } from "../fitness/keys.ts";
import { writeOwned } from "./own-files.ts";

/** What the desk made for this box: paths of the files that were brought. */
export interface FromDesk {
  readonly recipients: string | undefined;
  readonly signers: string | undefined;
}

/**
 * Puts what the desk made where the configuration names it, once it is seen to be that.
 * @throws BewaardError RECIPIENT_INVALID, RECIPIENT_MIXED, DESK_KEY, CONFIG_MISSING; nothing was written then.
 */
export async function takeFromDesk(
  config: Config,
  { recipients, signers }: FromDesk,
): Promise<void> {
  const book = recipients === undefined ? undefined : await readText(recipients);
  const who = signers === undefined ? undefined : await readText(signers);
  if (book !== undefined) parseRecipientBook(book);
  if (who !== undefined && parseSigners(who).length === 0)
    throw new BewaardError("DESK_KEY", `${signers}: niemand / nobody`);
  if (book !== undefined) await writeOwned(undefined, config.recipients, book, 0o644, "replace");
  if (who !== undefined) await writeOwned(undefined, config.desk_signers, who, 0o644, "replace");
}
