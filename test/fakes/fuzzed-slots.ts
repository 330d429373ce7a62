import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { instant, isoOf, SECOND_MS } from "#base/time";
import type { Profile } from "../../config/profile-schema.ts";
import { READ } from "../../daemon/control/protocol.ts";
import { signPairedList } from "../../daemon/orders/paired-list.ts";
import { type CardFile, listCard } from "../../drivers/bodycam/card.ts";
import { sorter } from "../../drivers/bodycam/profile.ts";
import { findSegments } from "../../storage/catalog/find.ts";
import { verifierText } from "../../storage/ledger/note.ts";
import { assertAlways } from "./campaign.ts";
import { grow, type Thing, tree } from "./card-trees.ts";
import { foldersInMemory } from "./fast-folders.ts";
import { profiles } from "./fuzzed-cards.ts";
import { dockedRig } from "./helper-rig.ts";
import { inlinePool } from "./inline-pool.ts";
import { CAMERA, openRig, type Rig } from "./rig.ts";
import { answeringSlots, openFakeSlots } from "./slots.ts";
import { openWiping, RECORD, wiped } from "./wiping.ts";

/** After so many cards a box begins anew, and its books are compared with what it keeps. */
const CARDS_OF_A_BOX = 25;
/** A docking costs more than what lies on its card. */
const TREES_OF_A_CARD = 4;
const { slot: SLOT, name: NAME } = RECORD;

/** A box with one slot, its vault, and the root helper as it is on the card in that slot. */
async function openBox(profile: Profile) {
  const rig = await openRig({ pool: inlinePool() });
  const helper = await dockedRig();
  await writeFile(helper.places.verifier, `${verifierText(rig.key)}\n`);
  const looks = { vendor: "0b6a", product: "1234", serial: "AXON-1", volume: "1A2B-3C4D" };
  const cameras = [{ number: CAMERA, ...looks }];
  const at = isoOf(rig.clock.now());
  const note = signPairedList(rig.key, { bewaard: "paired/1", node: "dock-1", at, cameras });
  await writeFile(join(helper.places.state, "paired.note"), note, { mode: 0o600 });
  // What the dock reads and what the helper empties is one card.
  symlinkSync(helper.places.media, join(rig.folder, "media"));
  const folders = { orders: join(helper.places.state, "orders"), reports: helper.places.reports };
  const wiping = await openWiping(rig, { folders });
  const answering = answeringSlots(rig);
  const slots = await openFakeSlots(
    rig,
    async (method, params, ...rest) =>
      method === "bodycams.identify"
        ? READ[method]({ is: "it" })
        : answering(method, params, ...rest),
    profile,
  );
  await slots.pair(CAMERA);
  slots.answerWipe(async ({ files, others }) => {
    await rig.storeOnce();
    rig.clock.move(SECOND_MS);
    helper.clock.at = isoOf(rig.clock.now());
    const listed = files.map(({ path, bytes, modifiedAt }) => ({
      path: path.toString("base64"),
      bytes,
      modifiedAtMs: modifiedAt,
    }));
    const record = { ...RECORD, device: helper.device, mountedAt: helper.card };
    const docking = ulid(rig.clock.now());
    const { nonce } = await wiping.ask({ docking, record, files: listed, others });
    if (nonce === null) return "waits-for-vault";
    await helper.carryOut(nonce);
    await wiping.settle();
    return "wiping";
  });
  return {
    rig,
    slots,
    card: helper.card,
    async [Symbol.asyncDispose]() {
      await slots[Symbol.asyncDispose]();
      await helper[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

const ALL = { device: CAMERA, from: instant(0), to: instant(8e15) };

/** What may be past its term goes to no vault before somebody looked, and so stays on its card. */
async function areOverdue({ database }: Rig, files: readonly CardFile[]): Promise<boolean> {
  const kept = await findSegments(database, ALL);
  const overdue = kept.filter(({ timeTrust }) => timeTrust === "overdue");
  return files.every(({ path }) =>
    overdue.some(({ sourcePath }) => sourcePath !== undefined && path.equals(sourcePath)),
  );
}

type Box = Awaited<ReturnType<typeof openBox>>;

/** Docks a card with all of `trees` on it until its slot is done or has failed, and says what is wrong with what came of it. */
async function judgeLife(
  { rig, slots, card }: Box,
  profile: Profile,
  fifo: string,
  trees: readonly (readonly Thing[])[],
): Promise<readonly string[]> {
  const made = trees.flatMap((things) => grow(card, fifo, things));
  const sort = sorter(profile);
  const isWanted = (path: Buffer): boolean => !["ignored", "location"].includes(sort(path));
  const asked = slots.wipes.length;
  await slots.plug(SLOT, NAME, CAMERA);
  const isOver = await slots.until(async () => {
    const state = slots.state(SLOT);
    if (state === "done" || state === "failed") return true;
    const last = slots.wipes.slice(asked + 1).at(-1);
    return state === "safe" && last !== undefined && (await areOverdue(rig, last.files));
  });
  const { state, why } = slots.board.read(SLOT);
  execFileSync("chmod", ["-R", "u+rwX", card]);
  const there = (await listCard(card))?.files.map(({ path }) => path.toString("latin1")) ?? [];
  const kept = await findSegments(rig.database, ALL);
  const hashes = new Set(kept.map(({ plaintextSha256 }) => String(plaintextSha256)));
  const wrong = isOver ? [] : [`stays ${state}: ${why}, asked ${slots.wipes.length - asked}`];
  for (const { path, sha256 } of made) {
    const isThere = there.includes(path.toString("latin1"));
    const told = JSON.stringify(path.toString("latin1"));
    if (!isWanted(path) && !isThere) wrong.push(`removed, and not ours to: ${told}`);
    if (isWanted(path) && !isThere && !hashes.has(sha256)) wrong.push(`nowhere: ${told}`);
    if (isWanted(path) && isThere && state === "done") wrong.push(`said to be empty: ${told}`);
  }
  if (readFileSync(`${card}-outside/secret`, "utf8") !== SECRET) wrong.push("left its card");
  slots.pull(SLOT);
  await slots.forget(NAME);
  if (!(await slots.until(() => slots.state(SLOT) === "free"))) wrong.push("never free again");
  for (const name of readdirSync(card, { encoding: "buffer" }))
    rmSync(Buffer.concat([Buffer.from(`${card}/`), name]), { recursive: true });
  return wrong;
}

const SECRET = "never on a card";

/**
 * Takes `runs` random trees, some on each card, through their whole life: slot, identity, sealing, adoption, vault, signed
 * order, second read, wipe. Returns how many.
 */
export async function fuzzSlots(runs: number): Promise<number> {
  const every = await profiles();
  using _memory = foldersInMemory();
  let cards = 0;
  let removed = 0;
  let box: Box | undefined;
  async function close(): Promise<void> {
    if (box === undefined) return;
    assert.deepEqual(await box.rig.check("hashes"), []);
    removed += (await wiped(box.rig)).reduce((sum, one) => sum + one.removed.length, 0);
    await box[Symbol.asyncDispose]();
    box = undefined;
  }
  const property = fc.asyncProperty(fc.tuple(tree, tree, tree, tree), async (trees) => {
    const profile = every[Math.floor(cards / CARDS_OF_A_BOX) % every.length];
    assert.ok(profile);
    if (cards % CARDS_OF_A_BOX === 0) await close();
    cards += 1;
    if (box === undefined) {
      box = await openBox(profile);
      mkdirSync(`${box.card}-outside`);
      writeFileSync(`${box.card}-outside/secret`, SECRET);
      execFileSync("mkfifo", [join(box.rig.folder, "fifo")]);
    }
    const wrong = await judgeLife(box, profile, join(box.rig.folder, "fifo"), trees);
    if (wrong.length === 0) return;
    // The same files once more would be ones that came back.
    await box[Symbol.asyncDispose]();
    box = undefined;
    throw new Error(wrong.join("\n"));
  });
  try {
    return TREES_OF_A_CARD * (await assertAlways(property, Math.ceil(runs / TREES_OF_A_CARD)));
  } finally {
    await close();
    assert.ok(removed > 0, "no card was ever emptied");
  }
}
