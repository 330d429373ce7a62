import type { readRules } from "../config/configuration.ts";
import type { Config } from "../config/schema.ts";
import { writeFact } from "../storage/catalog/facts.ts";
import { moment } from "../storage/catalog/row.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { deskObeyedTo, lastConfiguration } from "../storage/restore/remembered.ts";
import type { IsUnsigned } from "../storage/restore/unsigned.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { rememberedConfiguration } from "./accept-configuration.ts";
import { linkAt } from "./desk/chain.ts";
import { deskReadTo } from "./heed.ts";

/**
 * Writes the small facts that the lost catalog knew and that can be known again: how far the desk was read, and by which
 * configuration it went. Says whether this one is the same.
 */
export async function remember(
  database: Database,
  vault: Vault,
  config: Config,
  rules: Awaited<ReturnType<typeof readRules>>,
  isUnsigned: IsUnsigned,
  signal: AbortSignal,
): Promise<"same" | "another"> {
  // A catalog that came out of a backup had read on where nothing was to be obeyed.
  const known = await deskReadTo(database);
  const before = known?.number ?? 0;
  const { desk, last, readAt } = await database.transaction(async (sql) => ({
    desk: await deskObeyedTo(sql, isUnsigned),
    last: await lastConfiguration(sql, isUnsigned),
    readAt: moment((await sql.all("select max(at_ms) as at_ms from checkpoint"))[0], "at_ms"),
  }));
  const link = desk <= before ? null : ((await linkAt(vault, desk, signal)) ?? "");
  const asText = last && rememberedConfiguration(config, rules, last);
  await database.transaction(async (sql) => {
    // Its end was reached then, as far as anybody knows: what had expired by then came too late.
    const heardAtMs = Math.max(readAt, known?.heardAtMs ?? 0);
    const endAtMs = Math.max(readAt, known?.endAtMs ?? 0);
    const read = { ...(desk > before ? { number: desk, link } : known), heardAtMs, endAtMs };
    if (desk > before || known) await writeFact(sql, "desk", JSON.stringify(read));
    if (asText !== undefined) await writeFact(sql, "config", asText);
  });
  return asText === undefined ? "another" : "same";
}
