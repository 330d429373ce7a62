import { dirname } from "node:path";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { type NodeId, parseDeviceId, parseSegmentId } from "#base/ids";
import { type Instant, instantOf } from "#base/time";
import { footageKey, segmentOf } from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { readLedgerOn } from "./read-ledger.ts";
import { NOTHING_SEEN, type Remembered, type SeenBox } from "./seen-memory.ts";
import type { Station } from "./station.ts";

const told = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("segment.sealed"),
    id: z.string(),
    device: z.string(),
    startedAt: z.string(),
    dueAt: z.string(),
    plaintextSha256: z.string().nullable(),
    plaintextBytes: z.number().nullable(),
    /** From 0.5; of a bodycam's file. */
    file: z.object({ path: z.string(), modifiedAt: z.string() }).nullish(),
  }),
  z.object({ kind: z.literal("segment.term"), id: z.string(), dueAt: z.string() }),
]);

/**
 * What a box has taken from cards and is not due yet, out of its signed ledger, going on from what is remembered; of
 * what was not seen in the vault before, whether it is there now.
 * @throws BewaardError DESK_NOT_FOUND, DESK_TAMPERED.
 */
export async function seenOfBox(
  station: Station,
  node: NodeId,
  before: SeenBox,
  now: Instant,
  signal: AbortSignal,
): Promise<SeenBox> {
  const read = await readOn(station, node, before, signal);
  const kept = new Map([...read.files].filter(([, { dueAt }]) => dueAt > now));
  return { place: read.place, files: await withStored(station.vault, kept, signal) };
}

/** What is remembered may be of another ledger, of before a box was made again: then it is read from its start. */
async function readOn(
  station: Station,
  node: NodeId,
  before: SeenBox,
  signal: AbortSignal,
): Promise<SeenBox> {
  try {
    return await readFrom(station, node, before, signal);
  } catch (error) {
    const another = error instanceof BewaardError && error.code === "DESK_TAMPERED";
    if (!another || before.place.size === 0) throw error;
    return readFrom(station, node, NOTHING_SEEN, signal);
  }
}

async function readFrom(
  { config, vault }: Station,
  node: NodeId,
  { place, files: known }: SeenBox,
  signal: AbortSignal,
): Promise<SeenBox> {
  const files = new Map(known);
  const { nodes, site } = config;
  const to = await readLedgerOn(vault, nodes, site, node, place, signal, (body) => {
    const parsed = told.safeParse(JSON.parse(body));
    if (!parsed.success) return;
    const entry = parsed.data;
    const dueAt = instantOf(entry.dueAt);
    if (entry.kind === "segment.term") {
      const file = files.get(entry.id);
      if (file) files.set(entry.id, { ...file, dueAt });
      return;
    }
    const { id, device, file, plaintextSha256: sha256, plaintextBytes: bytes } = entry;
    if (file == null || sha256 === null || bytes === null) return;
    const startedAt = instantOf(entry.startedAt);
    const key = footageKey(node, parseDeviceId(device), startedAt, parseSegmentId(id));
    const modifiedAt = instantOf(file.modifiedAt);
    const one = { device, path: file.path, bytes, modifiedAt, node, sha256, dueAt };
    files.set(id, { ...one, key, stored: false });
  });
  return { place: to, files };
}

/** Looks only in the folders of what was not seen yet: a camera's, of a day. */
async function withStored(
  vault: Vault,
  files: ReadonlyMap<string, Remembered>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Remembered>> {
  const waiting = [...files.values()].filter(({ stored }) => !stored);
  const all = new Map(files);
  for (const folder of new Set(waiting.map(({ key }) => dirname(key)))) {
    for await (const { key } of vault.list(`${folder}/`, signal)) {
      const id = segmentOf(key) ?? "";
      const file = all.get(id);
      if (file?.key === key) all.set(id, { ...file, stored: true });
    }
  }
  return all;
}
