import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { readCheckpoint } from "../../storage/ledger/checkpoint.ts";
import { parseVerifier, type VerifierKey } from "../../storage/ledger/note.ts";
import { leafHash, openAppender, type TreeNode } from "../../storage/ledger/tree.ts";
import { readText } from "../../storage/vault/body.ts";
import {
  checkpointPrefix,
  checkpointsBefore,
  entriesBefore,
  entriesPrefix,
  firstEntryOf,
} from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";

/** How far a box's ledger was read, and the subtrees it ended in there: what it takes to go on. */
export interface LedgerPlace {
  readonly size: number;
  readonly frontier: readonly TreeNode[];
}

export const LEDGER_START: LedgerPlace = { size: 0, frontier: [] };

/**
 * Shows `onEntry` every entry of a box's published ledger, in order, and then checks that its newest
 * checkpoint is signed by the box's pinned key and that the entries hash to its root: what was gathered may
 * be believed when this resolves, not before.
 * @throws BewaardError DESK_NOT_FOUND for a box whose key is not known here, DESK_TAMPERED.
 */
export async function readLedger(
  vault: Vault,
  nodes: readonly string[],
  site: string,
  node: NodeId,
  signal: AbortSignal,
  onEntry: (body: string) => void,
): Promise<void> {
  await readLedgerOn(vault, nodes, site, node, LEDGER_START, signal, onEntry);
}

/**
 * As `readLedger`, of the entries after `from`, which an earlier call resolved with: what was read then is part of
 * what is checked now. Only what is new is listed and read.
 * @throws BewaardError DESK_NOT_FOUND; DESK_TAMPERED, also when the ledger is not the one that was read before.
 */
export async function readLedgerOn(
  vault: Vault,
  nodes: readonly string[],
  site: string,
  node: NodeId,
  from: LedgerPlace,
  signal: AbortSignal,
  onEntry: (body: string) => void,
): Promise<LedgerPlace> {
  const name = `bewaard/${site}/${node}`;
  const key = nodes.map(parseVerifier).find((known) => known.name === name);
  if (!key) {
    throw new BewaardError(
      "DESK_NOT_FOUND",
      `de sleutel van ${node} is hier niet bekend / its key is not in desk.yaml`,
    );
  }
  const tree = openAppender(from.size, from.frontier);
  const head = await newestCheckpoint(vault, node, key, from.size, signal);
  for await (const { seq, body } of entries(vault, node, from.size, signal)) {
    if (tree.size === head.size) break;
    // Objects may overlap: what was put before a crash was cut elsewhere by another release.
    if (seq < tree.size) continue;
    tree.append(leafHash(body));
    onEntry(body);
  }
  if (tree.size === head.size && tree.root().equals(head.root))
    return { size: tree.size, frontier: tree.frontier() };
  throw new BewaardError(
    "DESK_TAMPERED",
    `het logboek van ${node} klopt niet / its ledger does not add up`,
  );
}

async function newestCheckpoint(
  vault: Vault,
  node: NodeId,
  key: VerifierKey,
  from: number,
  signal: AbortSignal,
) {
  const after = checkpointsBefore(node, from);
  const versions = await Array.fromAsync(vault.list(checkpointPrefix(node), signal, after));
  const newest = versions.at(-1);
  const note = newest && (await readText(vault, newest.key, newest.versionId, signal));
  const head = note && readCheckpoint(key, note);
  if (head) return head;
  throw new BewaardError(
    "DESK_TAMPERED",
    `geen getekend logboek van ${node} / no ledger signed by its key`,
  );
}

async function* entries(
  vault: Vault,
  node: NodeId,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<{ readonly seq: number; readonly body: string }> {
  const after = entriesBefore(node, size);
  for await (const { key, versionId } of vault.list(entriesPrefix(node), signal, after)) {
    const from = firstEntryOf(key);
    if (from === undefined) continue;
    const lines = (await readText(vault, key, versionId, signal)).split("\n").slice(0, -1);
    for (const [offset, body] of lines.entries()) yield { seq: from + offset, body };
  }
}
