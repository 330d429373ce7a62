import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import { DUE_MARGIN_MS } from "#base/term";
import type { Clock, Instant } from "#base/time";
import { readRules } from "../config/configuration.ts";
import type { Config } from "../config/schema.ts";
import { readSecret } from "../config/secrets.ts";
import { writeFact } from "../storage/catalog/facts.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { rebuiltText } from "../storage/catalog/rebuilt.ts";
import { text } from "../storage/catalog/row.ts";
import { type Database, openDatabase } from "../storage/catalog/sqlite.ts";
import { checkLedger } from "../storage/check-ledger.ts";
import { append, openTree } from "../storage/ledger/append.ts";
import {
  parseNodeKey,
  parseVerifier,
  type VerifierKey,
  verifierText,
  vkeyText,
} from "../storage/ledger/note.ts";
import { adoptFound } from "../storage/restore/adopt-found.ts";
import { countWithoutRows, restoreBatches } from "../storage/restore/batches.ts";
import { forgetMisplaced, noteFound } from "../storage/restore/found.ts";
import {
  formerKeys,
  newestHead,
  newestPublished,
  restoreHeads,
  type SignedHead,
} from "../storage/restore/heads.ts";
import { restoreEntries } from "../storage/restore/ledger.ts";
import { restoreLocks } from "../storage/restore/locks.ts";
import { forgetBox } from "../storage/restore/remembered.ts";
import { replay } from "../storage/restore/replay.ts";
import { restoreSpoolCopies } from "../storage/restore/spool-copies.ts";
import { countRestored, type Restored, settleStates } from "../storage/restore/states.ts";
import { restoreTimestamps } from "../storage/restore/timestamps.ts";
import { unsignedEntries } from "../storage/restore/unsigned.ts";
import { openLease } from "../storage/spool/lease.ts";
import { openSpool, type Spool } from "../storage/spool/spool.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { removeCatalog, requireNone, syncFile } from "./catalog-files.ts";
import { RULE_TAKES_MS } from "./lock.ts";
import { withPairedProfiles } from "./pairing/paired-profiles.ts";
import { catalogPath, namedBy, originOf, termOf } from "./places.ts";
import { remember } from "./remember-lost.ts";
import { setApartRowless } from "./set-apart-rowless.ts";
import { openVaultToLook } from "./vault-of-box.ts";

/** What came of it, for people and programs. */
export interface RebuildReport extends Restored {
  /** Entries under the newest signed head, and how many were there in all. */
  readonly signed: number;
  readonly entries: number;
  readonly checkpoints: number;
  /** Objects that no entry knew and that were taken up. */
  readonly adopted: number;
  /** Keys of objects that could not be; the first hundred. */
  readonly strange: readonly string[];
  /** Batches of an older release, whose rows the vault never had. */
  readonly withoutRows: number;
  readonly timestampsMissing: number;
  /** Files of a surviving spool that no entry knew: in quarantine now. */
  readonly setApart: number;
  /** Whether this configuration is the one that the lost box went by last. */
  readonly configuration: "same" | "another";
  /** Under what key the backup lay that this began with; null where it was the vault alone. */
  readonly backup: string | null;
  /** Keys of backups that the ledger tells of and that are newer. */
  readonly newer: readonly string[];
}

/** What somebody knows of the lost box beside its vault. */
export interface Known {
  /** The public key of the lost box, where this one has another. */
  readonly verifier: string | undefined;
  /** Its ledger had at least so many entries: from its journal, say. */
  readonly atLeast: number;
}

/**
 * Puts at `path` what a catalog is made from beside the vault; all of it that is believed is signed by one of
 * `keys`. Returns under what key that lay in the vault, or undefined when it put nothing there.
 */
export type Begin = (
  path: string,
  keys: readonly VerifierKey[],
) => Promise<{ readonly key: string } | undefined>;

/**
 * Makes the catalog of a lost box again from its vault (procedure "Rebuild"): beside the catalog's place, and
 * moved there when it is whole. Cut off anywhere it begins anew. In the vault nothing is changed.
 * @throws BewaardError CATALOG_EXISTS, LEASE_HELD, LEDGER_NOT_FOUND, LEDGER_BROKEN, NODE_KEY, VAULT_UNAVAILABLE.
 */
export function rebuildBox(
  clock: Clock,
  config: Config,
  known: Known,
  signal: AbortSignal,
): Promise<RebuildReport> {
  return makeAgain(clock, config, known, async () => undefined, signal);
}

/** As `rebuildBox`, from what `begin` puts there on: only what the vault knows beside it is added. */
export async function makeAgain(
  clock: Clock,
  config: Config,
  known: Known,
  begin: Begin,
  signal: AbortSignal,
): Promise<RebuildReport> {
  const path = catalogPath(config);
  await requireNone(path);
  const spool = await openSpool(config.spool.path, config.node);
  await using _lease = await openLease(spool, "core");
  const making = `${path}.rebuilding`;
  try {
    await removeCatalog(making);
    const report = await make(clock, config, known, spool, making, begin, signal);
    step("rebuild.made");
    // Closing it has brought everything into the one file.
    await syncFile(making);
    await rename(making, path);
    await syncDirectory(dirname(path));
    step("rebuild.named");
    return report;
  } finally {
    // What came out of a backup lay sealed in the vault: where it is refused nobody finds it here.
    await removeCatalog(making);
  }
}

async function make(
  clock: Clock,
  config: Config,
  known: Known,
  spool: Spool,
  path: string,
  begin: Begin,
  signal: AbortSignal,
): Promise<RebuildReport> {
  const rules = await readRules(namedBy(config));
  const { node } = config;
  const term = termOf(rules.policy);
  const own = await ownKey(config);
  const keys = known.verifier === undefined ? [own] : [own, formerKey(config, known.verifier)];
  const begun = await begin(path, keys);
  await using database = await openDatabase(path);
  await migrate(database);
  const from = await database.transaction(async (sql) => (await openTree(sql)).size);
  await using vault = await openVaultToLook(clock, database, config);
  if (begun !== undefined) await database.transaction(forgetBox);
  const atLeast = Math.max(known.atLeast, await newestPublished(database));
  const signed = await requireHead(vault, config, keys, atLeast, signal);

  const ledger = await restoreEntries(database, vault, node, signed.head, signal);
  const isUnsigned = await database.transaction((sql) => unsignedEntries(sql, ledger.signed));
  const checkpoints = await restoreHeads(database, vault, node, keys, ledger.signed, signal);
  step("rebuild.ledger");
  await restoreBatches(database, vault, node, isUnsigned, from, signal);
  await noteFound(database, vault, node, signal);
  await replay(database, isUnsigned, from, signal);
  await forgetMisplaced(database, node);
  const timestampsMissing = await restoreTimestamps(
    database,
    vault,
    node,
    isUnsigned,
    from,
    signal,
  );
  step("rebuild.rows");

  const now = clock.now();
  await restoreSpoolCopies(database, spool, signal);
  await settleStates(database, now);
  const found = await adoptFound(database, vault, node, term.termMs, now, signal);
  if (vault.level === "locked") await restoreLocks(database, DUE_MARGIN_MS - RULE_TAKES_MS);
  const setApart = await setApartRowless(database, spool, term, now);
  step("rebuild.states");
  const decided = await withPairedProfiles(database, rules);
  const configuration = await remember(database, vault, config, decided, isUnsigned, signal);
  const counts = await database.transaction(async (sql) => ({
    ...(await countRestored(sql)),
    withoutRows: await countWithoutRows(sql),
  }));
  const report = {
    ...ledger,
    checkpoints,
    ...counts,
    adopted: found.adopted,
    strange: found.strange,
    timestampsMissing,
    setApart,
    configuration,
    backup: begun?.key ?? null,
    newer: begun === undefined ? [] : await backupsSince(database, begun.key),
  };
  await tell(database, now, signed, report);
  if (begun !== undefined) await requireWhole(database, own);
  return report;
}

async function ownKey(config: Config): Promise<VerifierKey> {
  const pem = await readSecret("node.key", config.state);
  return parseVerifier(verifierText(parseNodeKey(originOf(config), pem)));
}

function formerKey(config: Config, verifier: string): VerifierKey {
  const name = originOf(config);
  const former = parseVerifier(verifier);
  if (former.name === name) return former;
  throw new BewaardError("NODE_KEY", `that is the public key of ${former.name}, not of ${name}`);
}

async function requireHead(
  vault: Vault,
  { node }: Config,
  keys: readonly VerifierKey[],
  atLeast: number,
  signal: AbortSignal,
): Promise<SignedHead> {
  const newest = await newestHead(vault, node, keys, signal);
  if (newest === undefined)
    throw new BewaardError("LEDGER_NOT_FOUND", `the vault has no signed ledger of ${node}`);
  if (newest.head.size >= atLeast) return newest;
  const message = `the newest head in the vault is over ${newest.head.size} entries, and there were at least ${atLeast}: newer ones are hidden, or gone`;
  throw new BewaardError("LEDGER_BROKEN", message);
}

async function backupsSince(database: Database, key: string): Promise<readonly string[]> {
  const rows = await database.transaction((sql) =>
    sql.all(
      `select body ->> 'key' as key from entry where kind = 'backup.made' and body ->> 'key' > $key
       order by seq`,
      { $key: key },
    ),
  );
  return rows.map((row) => text(row, "key"));
}

/** Each entry, also those that were in a backup, is where the tree has it. @throws BewaardError LEDGER_BROKEN. */
async function requireWhole(database: Database, verifier: VerifierKey): Promise<void> {
  const { findings } = await checkLedger(database, verifier);
  const [first] = findings;
  if (first !== undefined) throw new BewaardError("LEDGER_BROKEN", first.what);
}

/** Says in the ledger that this catalog was made again, from what, and what is not in it. */
async function tell(
  database: Database,
  now: Instant,
  { head, signer }: SignedHead,
  report: RebuildReport,
): Promise<void> {
  const { strange, newer, ...counts } = report;
  const vkey = vkeyText(signer);
  const signers = new Set([vkey, ...(await formerKeys(database, head.size)).map(vkeyText)]);
  const facts = {
    ...counts,
    strange: strange.length,
    newer: newer.length,
    root: head.root.toString("hex"),
    signer: vkey,
  };
  await database.transaction(async (sql) => {
    await append(sql, now, [{ kind: "catalog.rebuilt", facts }]);
    await writeFact(sql, "rebuilt", rebuiltText(now, report.signed, signers));
    await writeFact(sql, "rows", String(head.size));
  });
}
