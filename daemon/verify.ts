import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { Config } from "../config/schema.ts";
import { readSecret } from "../config/secrets.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { check, type Depth, type Report, type Watch } from "../storage/check.ts";
import { parseNodeKey, parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { openLease } from "../storage/spool/lease.ts";
import { openSpool } from "../storage/spool/spool.ts";
import { asker } from "./control/client.ts";
import { openMedium } from "./open-medium.ts";
import { catalogPath, originOf, socketPath } from "./places.ts";
import { openVaultToLook } from "./vault-of-box.ts";

/** Checks the invariants: by asking the core that runs, or, when none does, in its place. */
export async function verifyBox(
  clock: Clock,
  config: Config,
  depth: Depth,
  watch: Watch,
  signal: AbortSignal,
): Promise<Report> {
  try {
    return await asker(socketPath(config), signal)("verify", { depth }, watch);
  } catch (error) {
    const alone = error instanceof BewaardError && error.code === "CONTROL_UNREACHABLE";
    if (!alone) throw error;
  }
  const spool = await openSpool(config.spool.path, config.node);
  await using _lease = await openLease(spool, "core");
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  await using database = await openDatabase(catalogPath(config));
  await migrate(database);
  await using vault = await openVaultToLook(clock, database, config);
  await using secured = await openMedium(clock, database, config);
  const verifier = parseVerifier(verifierText(key));
  return await check(
    { database, spool, vault, node: config.node, verifier, secured },
    depth,
    clock.now(),
    signal,
    watch,
  );
}

export function shownReport({ findings, more, segments, entries, notes }: Report): string {
  const head = `${segments} fragmenten / segments, ${entries} regels / ledger entries: `;
  const apart = notes.map((note) => `  niet bekeken / not looked at: ${note}`);
  if (findings.length === 0) return [`${head}in orde / all well`, ...apart].join("\n");
  const lines = findings.map(({ invariant, what }) => `  invariant ${invariant}: ${what}`);
  if (more > 0) lines.push(`  en nog ${more} / and ${more} more`);
  const count = findings.length + more;
  return [`${head}NIET IN ORDE / NOT WELL: ${count}`, ...lines, ...apart].join("\n");
}
