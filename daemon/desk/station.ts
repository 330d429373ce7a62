import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import { systemClock } from "#base/system-clock";
import { type Clock, HOUR_MS, plus } from "#base/time";
import { readDeskConfig } from "../../config/load.ts";
import type { DeskConfig } from "../../config/schema.ts";
import { readCredential } from "../../config/secrets.ts";
import { textBody } from "../../storage/vault/body.ts";
import { deskKey } from "../../storage/vault/keys.ts";
import { FREELY, type Vault } from "../../storage/vault/vault.ts";
import { openVault } from "../open-vault.ts";
import { CHAIN_START, type ChainEntry, chainAfter } from "./chain.ts";
import { type DeskCommand, deskEntryText, joinSigned } from "./entry.ts";
import { signWithSsh } from "./ssh-signature.ts";

/** A desk station: the folder `bewaarctl desk init` made, and the vault it meets the boxes in. */
export interface Station extends AsyncDisposable {
  readonly folder: string;
  readonly config: DeskConfig;
  readonly vault: Vault;
}

/** What a bucket knows the custodians by: a file of the desk's folder. */
export const CUSTODIAN = "custodian.credential";

/** A signed command is good for this long; a box reads it later, the vault has it at once. */
const GOOD_FOR_MS = HOUR_MS;

export async function openStation(folder: string): Promise<Station> {
  const config = await readDeskConfig(join(folder, "desk.yaml"));
  const vault = await openVault(systemClock, config.vault, {
    credentials: async () => ({ box: await readCredential(CUSTODIAN, folder) }),
  });
  return { folder, config, vault, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
}

export function signersOf(folder: string): string {
  return join(folder, "desk.signers");
}

/** Every entry of the chain, checked, in order. */
export async function readChain(
  station: Station,
  signal: AbortSignal,
): Promise<readonly ChainEntry[]> {
  const { vault, config, folder } = station;
  return Array.fromAsync(chainAfter(vault, config.site, signersOf(folder), CHAIN_START, signal));
}

/**
 * Signs `command` and puts it at the end of the chain. Another desk may be quicker: then it is signed
 * again, after that one's. Returns the entry's number.
 */
export async function appendEntry(
  clock: Clock,
  station: Station,
  command: DeskCommand,
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    const chain = await readChain(station, signal);
    const { number, link } = chain.at(-1)?.head ?? CHAIN_START;
    const object = await signed(clock, station, number + 1, link, command);
    try {
      await station.vault.put(deskKey(number + 1), textBody(object), FREELY, signal);
      step("desk.entry-put");
      return number + 1;
    } catch (error) {
      const taken = error instanceof BewaardError && error.code === "VAULT_CONFLICT";
      if (!taken) throw error;
    }
  }
}

async function signed(
  clock: Clock,
  { config }: Station,
  number: number,
  previous: string | null,
  command: DeskCommand,
): Promise<string> {
  const text = deskEntryText({
    bewaard: "desk/1",
    site: config.site,
    number,
    previous,
    at: clock.now(),
    expiresAt: plus(clock.now(), GOOD_FOR_MS),
    nonce: randomBytes(16).toString("base64"),
    by: config.person,
    command,
  });
  return joinSigned(text, await signWithSsh(config.sign_key, text));
}

/** What one person alone may not do, except on a site marked as a demo (invariant 12). */
export function demoOnly({ config }: Station, what: string): void {
  if (config.demo) return;
  throw new BewaardError(
    "DESK_FORBIDDEN",
    `${what} vraagt twee personen; dat kan op deze locatie nog niet / needs two people, which this site cannot do yet`,
  );
}
