import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "#base/durable";
import { systemCode } from "#base/errors";
import { instant } from "#base/time";
import type { SeenFile } from "../../storage/catalog/seen.ts";
import { LEDGER_START, type LedgerPlace } from "./read-ledger.ts";

// How far `desk seen` came in each box's ledger, and what it found there that is not due yet: `seen.json` in the
// desk's folder. It only saves reading: without it, or with one that fits no ledger, all is read from its start.

/** A file of a camera, where its footage lies in the vault, and whether it was seen there. */
export interface Remembered extends SeenFile {
  readonly key: string;
  readonly stored: boolean;
}

/** What is remembered of one box, by segment. */
export interface SeenBox {
  readonly place: LedgerPlace;
  readonly files: ReadonlyMap<string, Remembered>;
}

export const NOTHING_SEEN: SeenBox = { place: LEDGER_START, files: new Map() };

const moment = z.int().transform(instant);
const memory = z.strictObject({
  bewaard: z.literal("seen-memory/1"),
  boxes: z.record(
    z.string(),
    z.strictObject({
      size: z.int().min(0),
      frontier: z.array(
        z.strictObject({
          level: z.int(),
          position: z.int(),
          hash: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .transform((hex) => Buffer.from(hex, "hex")),
        }),
      ),
      files: z.record(
        z.string(),
        z.strictObject({
          node: z.string(),
          device: z.string(),
          path: z.string(),
          bytes: z.int(),
          modifiedAt: moment,
          sha256: z.string(),
          dueAt: moment,
          key: z.string(),
          stored: z.boolean(),
        }),
      ),
    }),
  ),
});

/** By node; empty where there is none that can be read. */
export async function readSeenMemory(folder: string): Promise<ReadonlyMap<string, SeenBox>> {
  try {
    const { boxes } = memory.parse(JSON.parse(await readFile(pathIn(folder), "utf8")));
    return new Map(
      Object.entries(boxes).map(([node, { size, frontier, files }]) => [
        node,
        { place: { size, frontier }, files: new Map(Object.entries(files)) },
      ]),
    );
  } catch (error) {
    const foreseen = error instanceof z.ZodError || error instanceof SyntaxError;
    if (!foreseen && systemCode(error) === undefined) throw error;
    return new Map();
  }
}

export async function writeSeenMemory(
  folder: string,
  boxes: ReadonlyMap<string, SeenBox>,
): Promise<void> {
  const written: { [node: string]: z.input<typeof memory>["boxes"][string] } = {};
  for (const [node, { place, files }] of boxes) {
    const frontier = place.frontier.map((one) => ({ ...one, hash: one.hash.toString("hex") }));
    written[node] = { size: place.size, frontier, files: Object.fromEntries(files) };
  }
  const text = JSON.stringify({ bewaard: "seen-memory/1", boxes: written });
  await writeDurably(pathIn(folder), text, 0o600);
}

function pathIn(folder: string): string {
  return join(folder, "seen.json");
}
