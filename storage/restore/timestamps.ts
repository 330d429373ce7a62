import { createHash } from "node:crypto";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { number, text } from "../catalog/row.ts";
import type { Database } from "../catalog/sqlite.ts";
import { timestampKey } from "../vault/keys.ts";
import type { Vault } from "../vault/vault.ts";
import { factsOf, TOLD } from "./told.ts";
import type { IsUnsigned } from "./unsigned.ts";

/** The longest reply that the catalog takes. */
const REPLY_MOST_BYTES = 64 * 1024;

/** Records each timestamp that the ledger tells of from entry `from` on and the vault still has; returns how many it has not. */
export async function restoreTimestamps(
  database: Database,
  vault: Vault,
  node: NodeId,
  isUnsigned: IsUnsigned,
  from: number,
  signal: AbortSignal,
): Promise<number> {
  const rows = await database.transaction((sql) =>
    sql.all(
      `select seq, at_ms, body from entry
       where kind = 'checkpoint.timestamped' and seq >= $from order by seq`,
      { $from: from },
    ),
  );
  let missing = 0;
  for (const row of rows.filter((one) => !isUnsigned(number(one, "seq")))) {
    const { size, toldAt, sha256 } = TOLD["checkpoint.timestamped"].parse(
      factsOf(text(row, "body")),
    );
    const reply = await read(vault, timestampKey(node, size), signal);
    if (reply === undefined || createHash("sha256").update(reply).digest("hex") !== sha256) {
      missing += 1;
      continue;
    }
    const at = number(row, "at_ms");
    await database.transaction((sql) =>
      sql.run(
        `insert into timestamp (size, asked_at_ms, told_at_ms, reply, published_at_ms, entry_seq)
         select size, $at, $toldAt, $reply, $at, $seq from checkpoint where size = $size`,
        { $size: size, $at: at, $toldAt: toldAt, $reply: reply, $seq: number(row, "seq") },
      ),
    );
  }
  return missing;
}

async function read(
  vault: Vault,
  key: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const [version] = await vault.versions(key);
  if (version === undefined || version.bytes > REPLY_MOST_BYTES) return undefined;
  try {
    const chunks = await Array.fromAsync(vault.read(key, version.versionId, signal));
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof BewaardError && error.code === "VAULT_NOT_FOUND") return undefined;
    throw error;
  }
}
