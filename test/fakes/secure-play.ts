import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity } from "age-encryption";
import * as fc from "fast-check";
import { parseHoldId, type SegmentId } from "#base/ids";
import { type Step, watchSteps } from "#base/step";
import { DAY_MS } from "#base/time";
import { retain } from "../../daemon/retain.ts";
import { roomMaker } from "../../daemon/ring.ts";
import type { Medium } from "../../daemon/secure.ts";
import { confirmTime } from "../../daemon/trust.ts";
import { assertAlways } from "./campaign.ts";
import { inlinePool } from "./inline-pool.ts";
import {
  enforceOnce,
  hold,
  openDisk,
  present,
  release,
  rowsOf,
  secureOnce,
  unplug,
} from "./medium.ts";
import { named, openRig, type Rig } from "./rig.ts";
import { openLives } from "./sync-database.ts";
import { turns } from "./turns.ts";

// Holds, releases, a disk that comes and goes, and crashes, in any order; beside it a list of what is held.

const HOLDS = [0, 1, 2, 3].map((n) => parseHoldId(`01J0000000000000000000000${n}`));
const CUTS: readonly Step[] = [
  "hold.flagged",
  "hold.in-force",
  "hold.lifted",
  "secure.intended",
  "secure.copied",
  "secure.recorded",
  "secure.freed",
  "secure.emptied",
  "secure.gone",
  "destroy.version-moved",
  "destroy.vault-emptied",
  "destroy.recorded",
];
const FILES = 2;

type Happening =
  | { readonly kind: "hold" | "release"; readonly hold: number }
  | { readonly kind: "secure" | "enforce" | "sweep" | "evict" | "unplug" | "present" | "pass" }
  | { readonly kind: "crash"; readonly step: Step };

const whole = <K extends string>(kind: K) => fc.constant({ kind } as const);
const which = fc.nat(HOLDS.length - 1);
const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("hold" as const), hold: which }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("release" as const), hold: which }) },
    { weight: 5, arbitrary: whole("secure") },
    { weight: 3, arbitrary: whole("enforce") },
    { weight: 3, arbitrary: whole("sweep") },
    { weight: 1, arbitrary: whole("evict") },
    { weight: 1, arbitrary: whole("unplug") },
    { weight: 1, arbitrary: whole("present") },
    { weight: 2, arbitrary: whole("pass") },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("crash" as const), step: fc.constantFrom(...CUTS) }),
    },
  ),
  { minLength: 5, maxLength: 30 },
);

class Cut extends Error {}

interface Play {
  readonly rig: Rig;
  readonly medium: Medium;
  readonly ids: readonly SegmentId[];
  /** Of each open hold its segment. */
  readonly open: Map<number, SegmentId>;
  readonly used: Set<number>;
}

/** Plays `runs` random lists, each on a box and a disk of its own. */
export async function playSecured(runs: number): Promise<number> {
  await using catalog = await openLives();
  const identity = await generateX25519Identity();
  const pool = inlinePool();
  const playOne = async (list: readonly Happening[]): Promise<void> => {
    await using rig = await openRig({ database: catalog.open(), identity, pool });
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    const ids: SegmentId[] = [];
    for (let file = 0; file < FILES; file += 1)
      ids.push(await rig.keep(`beeld ${file}`, named(file)));
    const play = {
      rig,
      medium: await openDisk(rig),
      ids,
      open: new Map(),
      used: new Set<number>(),
    };
    try {
      for (const happening of list) {
        await happen(play, happening);
        await assertSafe(play, JSON.stringify(happening));
      }
      watchSteps(() => undefined);
      await end(play);
    } finally {
      watchSteps(() => undefined);
    }
  };
  return await assertAlways(fc.asyncProperty(happenings, playOne), runs);
}

async function happen(play: Play, happening: Happening): Promise<void> {
  try {
    await act(play, happening);
  } catch (error) {
    if (!(error instanceof Cut)) throw error;
  }
}

async function act({ rig, medium, ids, open, used }: Play, happening: Happening): Promise<void> {
  switch (happening.kind) {
    case "hold": {
      const id = ids[happening.hold % FILES];
      const by = HOLDS[happening.hold];
      if (!id || !by || used.has(happening.hold)) return;
      used.add(happening.hold);
      await hold(rig, id, by);
      const known = await rowsOf(rig, `select 1 from hold where hold_id = '${by}'`);
      if (known.length > 0) open.set(happening.hold, id);
      return;
    }
    case "release": {
      const by = HOLDS[happening.hold];
      if (by && open.delete(happening.hold)) await release(rig, by);
      return;
    }
    case "secure":
      return secureOnce(rig, medium);
    case "enforce":
      return enforceOnce(rig, true);
    case "sweep":
      return sweep(rig);
    case "evict": {
      const limits = { limitBytes: 1000, keepFreeBytes: 0 };
      const may = async () => true;
      await roomMaker(rig.clock, rig.events, rig.database, rig.spool, limits, may)(1000, false);
      return;
    }
    case "unplug":
      return isAway(rig) ? undefined : unplug(rig);
    case "present":
      return isAway(rig) ? present(rig) : undefined;
    case "pass":
      return rig.clock.move(9 * DAY_MS);
    case "crash":
      watchSteps((step) => {
        if (step !== happening.step) return;
        watchSteps(() => undefined);
        throw new Cut(step);
      });
      return;
    default:
      happening satisfies never;
  }
}

async function sweep(rig: Rig): Promise<void> {
  const turn = turns(rig.clock, 1);
  const { events, database, spool, vault, box, askHistory: ask } = rig;
  const heed = async () => true;
  const { node, term } = box;
  await retain(turn.clock, events, database, spool, vault, node, term, heed, ask, turn.signal);
}

const isAway = (rig: Rig) => existsSync(join(rig.folder, "drawer"));

/** The segments whose footage is on the disk, wherever that is. */
async function onDisk(rig: Rig): Promise<ReadonlySet<string>> {
  const folder = join(rig.folder, isAway(rig) ? "drawer" : "medium", "footage");
  if (!existsSync(folder)) return new Set();
  const names = await readdir(folder, { recursive: true });
  return new Set(
    names
      .filter((name) => name.endsWith("/body"))
      .map((name) => /-(\w{26})\.age/.exec(name)?.[1] ?? ""),
  );
}

/** What is held is never destroyed, and what is said to be in force has its separate copy. */
async function assertSafe({ rig, open }: Play, why: string): Promise<void> {
  const disk = await onDisk(rig);
  for (const [number, id] of open) {
    const [row] = await rowsOf(
      rig,
      `select segment.state, hold.in_force_at_ms, hold.secured_at_ms from hold join segment on segment.id = segment_id
       where hold_id = '${HOLDS[number]}'`,
    );
    assert.equal(row?.["state"], "stored", why);
    if (row["secured_at_ms"] !== null) assert.ok(disk.has(id), `${why}: ${id} is not on the disk`);
    if (row["in_force_at_ms"] !== null) assert.notEqual(row["secured_at_ms"], null, why);
    const versions = await Array.fromAsync(
      rig.vault.list("footage/", new AbortController().signal),
    );
    assert.ok(
      versions.some(({ key }) => key.includes(id)),
      `${why}: ${id} is not in the vault`,
    );
  }
}

/** The disk is here, and everything had its turns: what is held is there, and nothing else. */
async function end(play: Play): Promise<void> {
  const { rig, medium, open } = play;
  if (isAway(rig)) await present(rig);
  rig.clock.move(29 * DAY_MS);
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  for (let turn = 0; turn < 3; turn += 1) {
    await enforceOnce(rig, true);
    await secureOnce(rig, medium);
    await enforceOnce(rig, true);
    await sweep(rig);
  }
  const held = new Set<string>(open.values());
  assert.deepEqual(await onDisk(rig), held, "at the end");
  const states = await rowsOf(rig, "select id, state from segment");
  for (const row of states)
    assert.equal(row["state"], held.has(String(row["id"])) ? "stored" : "destroyed", "at the end");
  const [asked] = await rowsOf(
    rig,
    "select count(*) as n from hold where released_at_ms is null and in_force_at_ms is null",
  );
  assert.equal(asked?.["n"], 0, "at the end");
  assert.deepEqual(await rig.check("hashes", medium), [], "at the end");
}
