import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseNodeId } from "#base/ids";
import { type Clock, dayOf, type Instant, instantOf } from "#base/time";
import type { SeenFile } from "../../storage/catalog/seen.ts";
import { parseVerifier } from "../../storage/ledger/note.ts";
import { textBody } from "../../storage/vault/body.ts";
import { footagePrefix, seenKey, segmentOf } from "../../storage/vault/keys.ts";
import { FREELY } from "../../storage/vault/vault.ts";
import { readLedger } from "./read-ledger.ts";
import { SEEN_FILES, signSeen } from "./seen-list.ts";
import type { Station } from "./station.ts";

const told = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("segment.sealed"),
    id: z.string(),
    device: z.string(),
    dueAt: z.string(),
    plaintextSha256: z.string().nullable(),
    plaintextBytes: z.number().nullable(),
    /** From 0.5; of a bodycam's file. */
    file: z.object({ path: z.string(), modifiedAt: z.string() }).nullish(),
  }),
  z.object({ kind: z.literal("segment.term"), id: z.string(), dueAt: z.string() }),
]);

/** What `writeSeen` listed: how many files, of which boxes, and which ledgers it could not read. */
export interface WrittenSeen {
  readonly day: string;
  readonly files: number;
  /** More were known than fit: those that are due first were left out. */
  readonly leftOut: number;
  readonly unread: readonly { readonly node: string; readonly code: string }[];
}

/**
 * Writes which files of which cameras the boxes of this site have, out of their signed ledgers: what is not past its
 * term and lies in the vault now. A box that reads it does not take them once more.
 * @throws BewaardError DESK_INPUT when today's list is there already, and another one.
 */
export async function writeSeen(
  clock: Clock,
  station: Station,
  signal: AbortSignal,
): Promise<WrittenSeen> {
  const { config, vault } = station;
  const day = dayOf(clock.now());
  const known: SeenFile[] = [];
  const unread: { node: string; code: string }[] = [];
  for (const node of config.nodes.map((key) => nodeOf(parseVerifier(key).name))) {
    try {
      known.push(...(await filesOfBox(station, node, clock.now(), signal)));
    } catch (error) {
      if (!(error instanceof BewaardError) || error.transient) throw error;
      unread.push({ node, code: error.code });
    }
  }
  const files = known.toSorted((a, b) => b.dueAt - a.dueAt).slice(0, SEEN_FILES);
  const list = { site: config.site, day, by: config.person, files };
  const object = await signSeen(list, config.sign_key);
  try {
    await vault.put(seenKey(day), textBody(object), FREELY, signal);
  } catch (error) {
    if (!(error instanceof BewaardError && error.code === "VAULT_CONFLICT")) throw error;
    const message = `de lijst van ${day} is er al / today's list is there already: one a day`;
    throw new BewaardError("DESK_INPUT", message, { cause: error });
  }
  return { day, files: files.length, leftOut: known.length - files.length, unread };
}

async function filesOfBox(
  { config, vault }: Station,
  node: string,
  now: Instant,
  signal: AbortSignal,
): Promise<readonly SeenFile[]> {
  const box = parseNodeId(node);
  const files = new Map<string, SeenFile>();
  await readLedger(vault, config.nodes, config.site, box, signal, (body) => {
    const parsed = told.safeParse(JSON.parse(body));
    if (!parsed.success) return;
    const entry = parsed.data;
    const dueAt = instantOf(entry.dueAt);
    if (entry.kind === "segment.term") {
      const file = files.get(entry.id);
      if (file) files.set(entry.id, { ...file, dueAt });
      return;
    }
    const { device, file, plaintextSha256: sha256, plaintextBytes: bytes } = entry;
    if (file == null || sha256 === null || bytes === null) return;
    const modifiedAt = instantOf(file.modifiedAt);
    files.set(entry.id, { device, path: file.path, bytes, modifiedAt, node, sha256, dueAt });
  });
  const stored: SeenFile[] = [];
  for await (const { key } of vault.list(footagePrefix(box), signal)) {
    const file = files.get(segmentOf(key) ?? "");
    if (file && file.dueAt > now) stored.push(file);
  }
  return stored;
}

/** A node's key is named `bewaard/<site>/<node>`. */
function nodeOf(name: string): string {
  return name.split("/").at(-1) ?? name;
}
