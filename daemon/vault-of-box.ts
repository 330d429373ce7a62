import type { Clock } from "#base/time";
import type { Config } from "../config/schema.ts";
import { readCredential } from "../config/secrets.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { catalogNotes } from "../storage/catalog/uploads.ts";
import { rememberedVault } from "../storage/vault/remember.ts";
import type { S3Credentials } from "../storage/vault/s3.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { openVault } from "./open-vault.ts";
import { residencyRecorder } from "./record-residency.ts";

/** The vault as core has it: it writes, destroys, and continues the uploads of before its start. */
export function openVaultOfBox(
  clock: Clock,
  database: Database,
  config: Pick<Config, "vault" | "state">,
): Promise<Vault> {
  const place = config.vault;
  const recorded = "s3" in place ? residencyRecorder(clock, database, place.s3) : undefined;
  return openVault(clock, place, {
    recognise: rememberedVault(database),
    notes: catalogNotes(database, clock),
    credentials: async (level): Promise<S3Credentials> => {
      const box = await readCredential("vault.credential", config.state);
      if (level === "locked") return { box };
      return { box, destroyer: await readCredential("destroyer.credential", config.state) };
    },
    told: async (whereabouts) => recorded?.(whereabouts),
  });
}

/** The vault for who has no catalog yet that could know which one it is: its bytes must speak for themselves. */
export function openVaultUnknown(
  clock: Clock,
  config: Pick<Config, "vault" | "state">,
): Promise<Vault> {
  return openVault(clock, config.vault, {
    credentials: async () => ({ box: await readCredential("vault.credential", config.state) }),
  });
}

/** The vault for who only looks: without the credential that destroys. */
export function openVaultToLook(
  clock: Clock,
  database: Database,
  config: Pick<Config, "vault" | "state">,
): Promise<Vault> {
  return openVault(clock, config.vault, {
    recognise: rememberedVault(database),
    credentials: async () => ({ box: await readCredential("vault.credential", config.state) }),
  });
}
