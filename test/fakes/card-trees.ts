import { createHash } from "node:crypto";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import * as fc from "fast-check";
import { joined } from "../../drivers/bodycam/card.ts";

/** Something on a card, in a folder that came before it (0: the root). */
export interface Thing {
  readonly parent: number;
  readonly name: Buffer;
  readonly kind: "file" | "sparse" | "folder" | "link" | "loop" | "fifo";
  readonly bytes: number;
  /** Permission bits: none at all among them. */
  readonly mode: number;
  /** Its time of change, in seconds since 1970: before that too, and after any calendar. */
  readonly changed: number;
}

/** A regular file that was made. */
export interface MadeFile {
  readonly path: Buffer;
  readonly sha256: string;
}

const byte = fc.integer({ min: 1, max: 255 }).filter((value) => value !== 0x2f);

const character = fc
  .integer({ min: 1, max: 0x1_ffff })
  .filter((point) => point < 0xd800 || point > 0xdfff)
  .map((point) => String.fromCodePoint(point));

/** Names as cameras, people and attackers write them: bytes, not text. */
const name: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.constantFrom(
      "DCIM",
      "100MEDIA",
      "20260601_113000.MP4",
      "20261025_023000.MP4",
      "99999999_999999.MP4",
      "2026_1122_101500_001.MOV",
      "261122_101500_001F.TS",
      "DPB20",
      "Record",
      "._x.MP4",
      "x.THM",
      "-rf",
      "%s%n",
      "a\nb",
      "\x1b[2J",
      "~",
    ),
    fc.array(character, { minLength: 1, maxLength: 20 }).map((units) => units.join("")),
    fc.array(byte, { minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes)),
    fc.constant("n".repeat(255)),
  )
  .map((one) => Buffer.from(one))
  .filter((one) => one.length <= 255 && !one.includes(0) && !one.includes(0x2f))
  .filter((one) => !one.equals(Buffer.from(".")) && !one.equals(Buffer.from("..")));

const thing: fc.Arbitrary<Thing> = fc.record({
  parent: fc.nat({ max: 30 }),
  name,
  kind: fc.constantFrom(
    "file",
    "file",
    "file",
    "sparse",
    "folder",
    "folder",
    "link",
    "loop",
    "fifo",
  ),
  bytes: fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(0, 65_536, 65_537)),
  mode: fc.constantFrom(0o644, 0o755, 0o755, 0o755, 0o444, 0o000, 0o111),
  changed: fc.oneof(
    fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }),
    fc.integer({ min: -2_000_000_000, max: 17_000_000_000 }),
    fc.constantFrom(0, 315_532_800, 946_684_800, 2 ** 40),
  ),
});

export const tree: fc.Arbitrary<readonly Thing[]> = fc.array(thing, { maxLength: 14 });

/** Makes the tree; what a name makes impossible is not there. Returns the regular files made. */
export function grow(root: string, fifo: string, things: readonly Thing[]): readonly MadeFile[] {
  const folders: Buffer[] = [Buffer.alloc(0)];
  const files: MadeFile[] = [];
  const modes: (readonly [Buffer, number])[] = [];
  for (const one of things) {
    const parent = folders[one.parent % folders.length] ?? Buffer.alloc(0);
    const path = parent.length === 0 ? one.name : joined(parent, one.name);
    const at = joined(Buffer.from(root), path);
    try {
      make(at, root, fifo, one);
    } catch {
      continue;
    }
    if (one.kind === "folder") folders.push(path);
    if (one.kind === "file" || one.kind === "sparse") {
      const content = Buffer.alloc(one.bytes, one.kind === "file" ? 0x61 : 0);
      files.push({ path, sha256: createHash("sha256").update(content).digest("hex") });
      utimesSync(at, one.changed, one.changed);
    }
    if (one.kind === "folder" || one.kind === "file") modes.push([at, one.mode]);
  }
  // Last, from the leaves up: a closed folder takes nothing more.
  for (const [at, mode] of modes.toReversed()) chmodSync(at, mode);
  return files;
}

function make(at: Buffer, root: string, fifo: string, { kind, bytes }: Thing): void {
  switch (kind) {
    case "file":
      return writeFileSync(at, Buffer.alloc(bytes, 0x61), { flag: "wx" });
    case "sparse":
      writeFileSync(at, "", { flag: "wx" });
      return truncateSync(at, bytes);
    case "folder":
      mkdirSync(at);
      return;
    case "link":
      return symlinkSync(`${root}-outside/secret`, at);
    case "loop":
      return symlinkSync(root, at);
    case "fifo":
      // Another name of one that is there: Node cannot make one.
      return linkSync(fifo, at);
    default:
      kind satisfies never;
  }
}
