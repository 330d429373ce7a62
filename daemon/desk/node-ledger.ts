import { z } from "zod";
import { BewaardError } from "#base/errors";
import {
  type CiphertextSha256,
  type NodeId,
  parseCiphertextSha256,
  parseDeviceId,
  parseSha256,
  type SegmentId,
  type Sha256,
} from "#base/ids";
import { type Instant, instantOf } from "#base/time";
import { readCheckpoint } from "../../storage/ledger/checkpoint.ts";
import { parseVerifier, type VerifierKey } from "../../storage/ledger/note.ts";
import { leafHash, openAppender } from "../../storage/ledger/tree.ts";
import { readText } from "../../storage/vault/body.ts";
import {
  checkpointPrefix,
  entriesPrefix,
  firstEntryOf,
  footageKey,
} from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";

const sealed = z.object({
  kind: z.literal("segment.sealed"),
  id: z.string(),
  device: z.string(),
  startedAt: z.string(),
  // 0.1 did not write it.
  alternativeStartedAt: z.string().nullish(),
  endedAt: z.string().nullable(),
  plaintextSha256: z.string().nullable(),
  ciphertextBytes: z.number(),
  parts: z.array(z.string()),
  sealedFor: z.string(),
  truncated: z.boolean(),
});

/** What a box's ledger says of one segment. */
export interface LedgerSegment {
  readonly key: string;
  readonly startedAt: Instant;
  /** The later start, where clocks changed. */
  readonly alternativeStartedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  /** Undefined for a truncated one: nobody had opened it. */
  readonly plaintextSha256: Sha256 | undefined;
  readonly ciphertextBytes: number;
  /** SHA-256 of each 64 MiB part of the sealed file. */
  readonly parts: readonly CiphertextSha256[];
  readonly sealedFor: string;
  readonly truncated: boolean;
}

/**
 * Finds a segment in a box's published ledger, after checking that its newest checkpoint is signed by the
 * box's pinned key and that the entries hash to its root.
 * @throws BewaardError DESK_NOT_FOUND, DESK_TAMPERED.
 */
export async function findInLedger(
  vault: Vault,
  nodes: readonly string[],
  site: string,
  node: NodeId,
  id: SegmentId,
  signal: AbortSignal,
): Promise<LedgerSegment> {
  const name = `bewaard/${site}/${node}`;
  const key = nodes.map(parseVerifier).find((known) => known.name === name);
  if (!key) {
    throw new BewaardError(
      "DESK_NOT_FOUND",
      `de sleutel van ${node} is hier niet bekend / its key is not in desk.yaml`,
    );
  }
  let found: LedgerSegment | undefined;
  const tree = openAppender(0, []);
  const head = await newestCheckpoint(vault, node, key, signal);
  for await (const { seq, body } of entries(vault, node, signal)) {
    if (tree.size === head.size) break;
    // Objects may overlap: what was put before a crash was cut elsewhere by another release.
    if (seq < tree.size) continue;
    tree.append(leafHash(body));
    found ??= segmentIn(body, node, id);
  }
  if (tree.size !== head.size || !tree.root().equals(head.root)) {
    throw new BewaardError(
      "DESK_TAMPERED",
      `het logboek van ${node} klopt niet / its ledger does not add up`,
    );
  }
  if (found) return found;
  throw new BewaardError(
    "DESK_NOT_FOUND",
    `${id} staat niet in het logboek van ${node} / is not in its ledger`,
  );
}

async function newestCheckpoint(vault: Vault, node: NodeId, key: VerifierKey, signal: AbortSignal) {
  const versions = await Array.fromAsync(vault.list(checkpointPrefix(node), signal));
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
  signal: AbortSignal,
): AsyncGenerator<{ readonly seq: number; readonly body: string }> {
  for await (const { key, versionId } of vault.list(entriesPrefix(node), signal)) {
    const from = firstEntryOf(key);
    if (from === undefined) continue;
    const lines = (await readText(vault, key, versionId, signal)).split("\n").slice(0, -1);
    for (const [offset, body] of lines.entries()) yield { seq: from + offset, body };
  }
}

function segmentIn(body: string, node: NodeId, id: SegmentId): LedgerSegment | undefined {
  const parsed = sealed.safeParse(JSON.parse(body));
  if (!parsed.success || parsed.data.id !== id) return undefined;
  const { device, plaintextSha256, ciphertextBytes, parts, sealedFor, truncated } = parsed.data;
  const { alternativeStartedAt, endedAt } = parsed.data;
  const startedAt = instantOf(parsed.data.startedAt);
  return {
    key: footageKey(node, parseDeviceId(device), startedAt, id),
    startedAt,
    alternativeStartedAt: alternativeStartedAt ? instantOf(alternativeStartedAt) : undefined,
    endedAt: endedAt === null ? undefined : instantOf(endedAt),
    plaintextSha256: plaintextSha256 === null ? undefined : parseSha256(plaintextSha256),
    ciphertextBytes,
    parts: parts.map(parseCiphertextSha256),
    sealedFor,
    truncated,
  };
}
