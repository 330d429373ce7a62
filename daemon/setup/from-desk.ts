import { BewaardError } from "#base/errors";
import { readText } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";
import { parseSigners } from "../fitness/keys.ts";
import { writeOwned } from "./own-files.ts";
import { isThere } from "./settle-configuration.ts";

/** What the desk made for this box: paths of the files that were brought. */
export interface FromDesk {
  readonly recipients: string | undefined;
  readonly signers: string | undefined;
}

/** Asks a person for the path of a file; undefined for an empty answer. */
export type AskPath = (nl: string, en: string) => Promise<string | undefined>;

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

/** Those that are named, and, where one is not there yet, what a person names. */
export async function desksFiles(
  config: Config,
  desk: FromDesk,
  askPath: AskPath | undefined,
): Promise<FromDesk> {
  if (!askPath) return desk;
  const asked = async (given: string | undefined, there: string, name: string) =>
    given ??
    ((await isThere(there))
      ? undefined
      : await askPath(
          `${name} van het bureau: pad van het bestand; leeg: later`,
          `${name} from the desk: path of the file; empty: later`,
        ));
  return {
    recipients: await asked(desk.recipients, config.recipients, "recipients.txt"),
    signers: await asked(desk.signers, config.desk_signers, "desk.signers"),
  };
}
