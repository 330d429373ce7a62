import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError } from "#base/errors";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, instant } from "#base/time";
import { checkpoint } from "../../daemon/checkpoint.ts";
import { heeder } from "../../daemon/heed.ts";
import { settleLeftovers } from "../../daemon/leftovers.ts";
import { retain } from "../../daemon/retain.ts";
import { roomMaker } from "../../daemon/ring.ts";
import { confirmTime } from "../../daemon/trust.ts";
import { recordNothingWriting } from "../../storage/catalog/copies.ts";
import { findSegments, knownFiles } from "../../storage/catalog/find.ts";
import { recordHold } from "../../storage/catalog/holds.ts";
import { CAMERA, dockOf, NEVER, named, OWNER, type Rig, START } from "./rig.ts";
import { turns } from "./turns.ts";

const HOLD = parseHoldId("01J00000000000000000000001");
const EVER = { device: undefined, from: instant(0), to: instant(9e12) };
/** One that is held, and one that is not. */
const NAMES = { held: named(0), free: named(1) } as const;

/**
 * The life of two recordings in steps that may each fail: sealed, adopted, stored, one held, both grown
 * old, evicted, the other one destroyed, signed. Doing all of it again takes up whatever was cut off.
 * Returns what was thrown that the program has no word for: such an error ends its process.
 */
export async function liveOnce(rig: Rig): Promise<readonly unknown[]> {
  const { clock, events, database, spool, vault, box, key, askHistory: ask } = rig;
  const desk = {
    site: "test",
    demo: true,
    signersPath: join(rig.folder, "signers"),
    separate: false,
  };
  const heed = heeder(clock, events, database, vault, box.node, desk);
  const unforeseen: unknown[] = [];
  const attempt = async (body: () => Promise<unknown>): Promise<void> => {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof BewaardError)) unforeseen.push(error);
      await recordNothingWriting(database, clock.now()).catch(() => undefined);
    }
  };
  const sweep = () =>
    attempt(() => {
      const turn = turns(clock, 1);
      const { node, term } = box;
      return retain(turn.clock, events, database, spool, vault, node, term, heed, ask, turn.signal);
    });
  // As at each start of the dock.
  const docks = [dockOf(CAMERA, join(rig.folder, "card"))];
  await attempt(() => settleLeftovers(events, rig.sealing.incoming, docks));
  await attempt(() => confirmTime(clock, database, clock.now(), "test"));
  for (const name of Object.values(NAMES)) await attempt(() => take(rig, name));
  await attempt(() => rig.adoptOnce());
  await attempt(() => rig.storeOnce());
  await attempt(() => holdOne(rig));
  await sweep();
  // The desk is read each minute: what failed once is not given up.
  await attempt(() => holdOne(rig));
  const limits = { limitBytes: 1, keepFreeBytes: 0 };
  const makeRoom = roomMaker(clock, events, database, spool, limits, async () => false);
  await attempt(() => makeRoom(0, false));
  clock.move(28 * DAY_MS);
  await sweep();
  const turn = turns(clock, 1);
  const { node } = box;
  await attempt(() => checkpoint(turn.clock, events, database, vault, node, key, ask, turn.signal));
  return unforeseen;
}

async function take(rig: Rig, name: string): Promise<void> {
  const content = `beeld ${name}`;
  const file = { path: Buffer.from(name), bytes: content.length, modifiedAt: rig.clock.now() };
  const [known] = await knownFiles(rig.database, CAMERA, [file]);
  if (!known) await rig.record(content, name);
}

async function holdOne(rig: Rig): Promise<void> {
  const id = await heldOf(rig);
  if (id === undefined) return;
  const at = rig.clock.now();
  const reviewAt = instant(9e12);
  const asked = {
    id: HOLD,
    incident: "zaak-1",
    deskNumber: 1,
    owner: OWNER,
    reviewAt,
    segments: [id],
  };
  await rig.database.transaction((sql) => recordHold(sql, at, asked));
}

async function heldOf(rig: Rig): Promise<SegmentId | undefined> {
  const all = await findSegments(rig.database, EVER);
  return all.find(({ startedAt }) => startedAt === START)?.id;
}

/** Nothing lost, nothing doubled, nothing held destroyed, nothing kept that should be gone. */
export async function assertConverged(rig: Rig, why: string): Promise<void> {
  const all = await findSegments(rig.database, EVER);
  const states = all.map(({ state, hold }) => `${state}, ${hold}`).toSorted();
  assert.deepEqual(states, ["destroyed, none", "stored, in force"], why);
  assert.deepEqual(await rig.check(), [], why);
  assert.deepEqual(await readdir(rig.sealing.incoming), [], why);
  const vault = await Array.fromAsync(rig.vault.list("footage/dock-1/", NEVER));
  assert.equal(vault.length, 1, why);
  assert.deepEqual(await rig.vault.unfinished("footage/"), [], why);
}
