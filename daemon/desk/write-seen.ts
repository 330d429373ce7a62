import { BewaardError } from "#base/errors";
import { parseNodeId } from "#base/ids";
import { type Clock, DAY_MS, dayOf, type Instant, instant } from "#base/time";
import type { SeenFile } from "../../storage/catalog/seen.ts";
import { parseVerifier } from "../../storage/ledger/note.ts";
import { textBody } from "../../storage/vault/body.ts";
import { SEEN_PREFIX, seenKey } from "../../storage/vault/keys.ts";
import { FREELY, type Vault } from "../../storage/vault/vault.ts";
import { seenOfBox } from "./seen-box.ts";
import { SEEN_DAYS, SEEN_FILES, signSeen } from "./seen-list.ts";
import { NOTHING_SEEN, readSeenMemory, type SeenBox, writeSeenMemory } from "./seen-memory.ts";
import type { Station } from "./station.ts";

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
 * term and was seen in the vault. A box that reads it does not take them once more. Goes on from where it was the last
 * time, and removes lists that nobody looks for any more.
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
  const before = await readSeenMemory(station.folder);
  const boxes = new Map<string, SeenBox>();
  for (const node of config.nodes.map((key) => nodeOf(parseVerifier(key).name))) {
    const box = before.get(node) ?? NOTHING_SEEN;
    try {
      const after = await seenOfBox(station, parseNodeId(node), box, clock.now(), signal);
      boxes.set(node, after);
      known.push(...[...after.files.values()].filter(({ stored }) => stored));
    } catch (error) {
      if (!(error instanceof BewaardError) || error.transient) throw error;
      unread.push({ node, code: error.code });
    }
  }
  await writeSeenMemory(station.folder, boxes);
  await removeOld(vault, clock.now(), signal);
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

/**
 * Nobody looks for a list that is older, and after its term it tells of what should be forgotten. In a bucket the
 * lifecycle removes it: the custodian may not.
 */
async function removeOld(vault: Vault, now: Instant, signal: AbortSignal): Promise<void> {
  if (vault.level !== "directory") return;
  const oldest = seenKey(dayOf(instant(Math.max(0, now - SEEN_DAYS * DAY_MS))));
  for await (const { key, versionId } of vault.list(SEEN_PREFIX, signal)) {
    if (key >= oldest) return;
    await vault.destroy(key, versionId);
  }
}

/** A node's key is named `bewaard/<site>/<node>`. */
function nodeOf(name: string): string {
  return name.split("/").at(-1) ?? name;
}
