import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { BewaardError } from "#base/errors";
import { joined, listCard } from "../../drivers/bodycam/card.ts";
import type { SealPool } from "../../storage/seal/pool.ts";
import { assertAlways } from "./campaign.ts";
import { fastFolders } from "./fast-folders.ts";
import { temporaryFolder } from "./folder.ts";
import { inlinePool } from "./inline-pool.ts";
import { asNobody } from "./nobody.ts";
import { NEVER } from "./rig.ts";

/** Something on a card, in a folder that came before it (0: the root). */
interface Thing {
  readonly parent: number;
  readonly name: Buffer;
  readonly kind: "file" | "sparse" | "folder" | "link" | "loop" | "fifo";
  readonly bytes: number;
  /** Permission bits: none at all among them. */
  readonly mode: number;
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
});

const tree: fc.Arbitrary<readonly Thing[]> = fc.array(thing, { maxLength: 14 });

/** Makes the tree; what a name makes impossible is not there. Returns the regular files made. */
function grow(root: string, fifo: string, things: readonly Thing[]): readonly Buffer[] {
  const folders: Buffer[] = [Buffer.alloc(0)];
  const files: Buffer[] = [];
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
    if (one.kind === "file" || one.kind === "sparse") files.push(path);
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

/**
 * Makes a card of `things`, lists and seals it, and says what of it is wrong: a file that was neither
 * taken nor reported with a code, or one that came from somewhere else. Empty when all is well.
 */
async function judgeCard(
  pool: SealPool,
  recipient: string,
  fifo: string,
  things: readonly Thing[],
): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  const root = join(folder.path, "card");
  mkdirSync(root);
  mkdirSync(`${root}-outside`);
  writeFileSync(`${root}-outside/secret`, "never on a card");
  const made = grow(root, fifo, things);
  const wrong: string[] = [];
  await asNobody(folder.path, async () => {
    const card = await listCard(root);
    const listed = new Set(card?.files.map(({ path }) => path.toString("latin1")));
    const unread = (card?.unread ?? []).map(({ path }) => path.toString("latin1"));
    const covered = (path: string): boolean =>
      listed.has(path) ||
      unread.some((above) => above === path || above === "" || path.startsWith(`${above}/`));
    for (const path of made.map((one) => one.toString("latin1"))) {
      if (!covered(path)) wrong.push(`not seen: ${JSON.stringify(path)}`);
      listed.delete(path);
    }
    for (const stranger of listed) wrong.push(`not of the card: ${JSON.stringify(stranger)}`);
    for (const [index, { path, bytes }] of (card?.files ?? []).entries()) {
      const source = joined(Buffer.from(root), path);
      const target = join(folder.path, `${index}.age`);
      const why = await sealOne(pool, recipient, source, target, bytes);
      if (why !== undefined) wrong.push(`${JSON.stringify(path.toString("latin1"))}: ${why}`);
    }
  });
  return wrong;
}

async function sealOne(
  pool: SealPool,
  recipient: string,
  source: Buffer,
  target: string,
  bytes: number,
): Promise<string | undefined> {
  try {
    const sealed = await pool.seal(source, target, [recipient], NEVER);
    return sealed.plaintextBytes === bytes ? undefined : `sealed ${sealed.plaintextBytes} bytes`;
  } catch (error) {
    return error instanceof BewaardError ? undefined : String(error);
  }
}

/** Runs `runs` random cards through listing and sealing. */
export async function fuzzCards(runs: number): Promise<number> {
  using _fast = fastFolders();
  await using pool = inlinePool();
  await using folder = await temporaryFolder();
  const fifo = join(folder.path, "fifo");
  execFileSync("mkfifo", [fifo]);
  const recipient = await identityToRecipient(await generateX25519Identity());
  const property = fc.asyncProperty(tree, async (things) => {
    const wrong = await judgeCard(pool, recipient, fifo, things);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  });
  return await assertAlways(property, runs);
}
