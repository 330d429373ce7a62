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
import { footageKey } from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { readLedger } from "./read-ledger.ts";

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
  let found: LedgerSegment | undefined;
  await readLedger(vault, nodes, site, node, signal, (body) => {
    found ??= segmentIn(body, node, id);
  });
  if (found) return found;
  throw new BewaardError(
    "DESK_NOT_FOUND",
    `${id} staat niet in het logboek van ${node} / is not in its ledger`,
  );
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
