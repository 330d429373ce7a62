import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import type { NodeId } from "#base/ids";
import { openInTurn } from "#base/in-turn";
import { step } from "#base/step";
import { type Clock, isoOf } from "#base/time";
import { type Bodycam, readBodycams } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { NodeKey } from "../../storage/ledger/note.ts";
import { type PairedList, signPairedList } from "../orders/paired-list.ts";

/** The list by which the root helper knows what it may mount. */
export interface PairedNote {
  /**
   * Writes it where the catalog says something else than was written last; always the first time.
   * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient) when the disk refuses: the list before it stays.
   */
  keep(): Promise<void>;
  /** `keep`, where it failed the last time: what is paired changes only where `keep` is called. */
  catchUp(): Promise<void>;
}

export function openPairedNote(
  clock: Clock,
  database: Database,
  path: string,
  node: NodeId,
  key: NodeKey,
): PairedNote {
  let written: string | undefined;
  let behind = true;
  // One at a time: an answer and the look each five minutes would write over each other, the older one last.
  const inTurn = openInTurn();
  const keep = (): Promise<void> => inTurn(write);
  return { keep, catchUp: async () => (behind ? keep() : undefined) };

  async function write(): Promise<void> {
    const cameras = (await database.transaction(readBodycams)).flatMap(inList);
    const wanted = JSON.stringify(cameras);
    behind = wanted !== written;
    if (!behind) return;
    const list = { bewaard: "paired/1", node, at: isoOf(clock.now()), cameras } as const;
    const note = signPairedList(key, list);
    try {
      await writeDurably(path, note, 0o600);
    } catch (error) {
      throw diskError(error, "writing which bodycams are paired");
    }
    written = wanted;
    behind = false;
    step("pair.noted");
  }
}

function inList(camera: Bodycam): PairedList["cameras"] {
  const { device, vendor, product, serial, volume, retiredAt } = camera;
  return retiredAt === undefined ? [{ number: device, vendor, product, serial, volume }] : [];
}
