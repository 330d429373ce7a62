import assert from "node:assert/strict";
import { access, rename } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { BewaardError } from "#base/errors";
import { type HoldId, parseHoldId, type SegmentId } from "#base/ids";
import { type Step, watchSteps } from "#base/step";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS } from "#base/time";
import { heeder } from "../../daemon/heed.ts";
import { recoverQuarantine } from "../../daemon/quarantine.ts";
import { retain } from "../../daemon/retain.ts";
import { roomMaker } from "../../daemon/ring.ts";
import { confirmTime, timeTrust } from "../../daemon/trust.ts";
import { recordNothingWriting } from "../../storage/catalog/copies.ts";
import { findSegments } from "../../storage/catalog/find.ts";
import { recordHold, recordRelease } from "../../storage/catalog/holds.ts";
import { segmentPath } from "../../storage/spool/spool.ts";
import { inlinePool } from "./inline-pool.ts";
import { NEVER, named, openRig, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";

/** Something that happens to a box, in any order. */
export type Happening =
  | { readonly kind: "arrive"; readonly file: number }
  | { readonly kind: "hold" | "release"; readonly file: number; readonly hold: number }
  | { readonly kind: "pass" | "jump"; readonly ms: number }
  | { readonly kind: "evict"; readonly urgent: boolean }
  | { readonly kind: "sweep"; readonly deskAway: boolean }
  | { readonly kind: "crash"; readonly step: Step }
  | { readonly kind: "store" | "boot" | "confirm" | "vault away" | "vault back" };

const FILES = 3;
const HOLDS = [1, 2].map((n) => parseHoldId(`01J0000000000000000000000${n}`));
const EVER = { device: undefined, from: instant(0), to: instant(9e12) };
const CUTS: readonly Step[] = [
  "adopt.renamed",
  "adopt.recorded",
  "store.intended",
  "store.named",
  "store.put",
  "store.recorded",
  "hold.flagged",
  "hold.in-force",
  "destroy.marked",
  "destroy.version-moved",
  "destroy.vault-emptied",
  "destroy.spool-unlinked",
  "destroy.recorded",
  "ring.overwritten",
  "ring.marked",
  "ring.unlinked",
];

const file = fc.nat(FILES - 1);
const hold = fc.nat(HOLDS.length - 1);
const days = fc.integer({ min: 1, max: 15 }).map((n) => n * DAY_MS);
const plain = <K extends string>(kind: K) => fc.constant({ kind } as const);

export const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("arrive" as const), file }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("hold" as const), file, hold }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), file, hold }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: days }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("jump" as const),
        ms: fc.constantFrom(-DAY_MS, -MINUTE_MS, MINUTE_MS, 30 * DAY_MS),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("evict" as const), urgent: fc.boolean() }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("sweep" as const), deskAway: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("crash" as const), step: fc.constantFrom(...CUTS) }),
    },
    { weight: 3, arbitrary: plain("store") },
    { weight: 1, arbitrary: plain("boot") },
    { weight: 2, arbitrary: plain("confirm") },
    { weight: 1, arbitrary: plain("vault away") },
    { weight: 1, arbitrary: plain("vault back") },
  ),
  { minLength: 5, maxLength: 25 },
);

/** What a bystander knows without the catalog: whether time is trusted, and what is held. */
interface Known {
  trusted: boolean;
  /** Wall time less uptime, when it was last confirmed. */
  offsetMs: number;
  vaultAway: boolean;
  readonly held: Map<HoldId, Set<SegmentId>>;
  readonly states: Map<SegmentId, string>;
}

class Cut extends Error {}

/** Plays `list` on a box of its own and asserts after each happening what may never be otherwise. */
export async function play(list: readonly Happening[]): Promise<void> {
  await using rig = await openRig({ database: ":memory:", pool: inlinePool() });
  const known: Known = {
    trusted: false,
    offsetMs: 0,
    vaultAway: false,
    held: new Map(HOLDS.map((id) => [id, new Set()])),
    states: new Map(),
  };
  try {
    for (const happening of list) {
      await happen(rig, known, happening);
      await assertKept(rig, known, happening);
    }
    watchSteps(() => undefined);
    await end(rig, known);
  } finally {
    watchSteps(() => undefined);
  }
}

async function happen(rig: Rig, known: Known, happening: Happening): Promise<void> {
  try {
    await act(rig, known, happening);
  } catch (error) {
    if (error instanceof BewaardError) return;
    if (!(error instanceof Cut)) throw error;
    await recordNothingWriting(rig.database, rig.clock.now());
    await recoverQuarantine(rig.database, rig.spool, rig.box.term, rig.clock.now());
  }
}

async function act(rig: Rig, known: Known, happening: Happening): Promise<void> {
  const { clock, database } = rig;
  switch (happening.kind) {
    case "arrive":
      await rig.record(`beeld ${happening.file}`, named(happening.file));
      return rig.adoptOnce();
    case "store":
      return rig.storeOnce();
    case "hold":
      return holdFile(rig, known, happening.file, happening.hold);
    case "release": {
      const id = HOLDS[happening.hold];
      if (id === undefined) return;
      await database.transaction((sql) => recordRelease(sql, clock.now(), id, 2));
      known.held.get(id)?.clear();
      return;
    }
    case "pass":
      return clock.move(happening.ms);
    case "jump":
      return clock.jump(happening.ms);
    case "boot":
      clock.restart();
      known.trusted = false;
      return;
    case "confirm":
      await confirmTime(clock, database, clock.now(), "test");
      known.trusted = true;
      known.offsetMs = clock.now() - clock.uptimeMs();
      return;
    case "vault away":
    case "vault back":
      return moveVault(rig, known, happening.kind === "vault away");
    case "evict": {
      const limits = { limitBytes: 1000, keepFreeBytes: 0 };
      const mayDestroy = async () => (await timeTrust(clock, database)).trusted;
      const makeRoom = roomMaker(clock, rig.events, database, rig.spool, limits, mayDestroy);
      await makeRoom(1000, happening.urgent);
      return;
    }
    case "sweep":
      return sweep(rig, happening.deskAway);
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

async function holdFile(rig: Rig, known: Known, index: number, which: number): Promise<void> {
  const id = HOLDS[which];
  const all = await findSegments(rig.database, EVER);
  const segment = all[index]?.id;
  if (id === undefined || segment === undefined || known.held.get(id)?.size !== 0) return;
  const reviewAt = instant(9e12);
  const asked = { id, incident: "zaak-1", deskNumber: 1, reviewAt, segments: [segment] };
  const tooLate = await rig.database.transaction(async (sql) => {
    // A released hold is final: it cannot be asked for again.
    const [again] = await sql.all("select 1 from hold where hold_id = $id", { $id: id });
    return again ? [segment] : recordHold(sql, rig.clock.now(), asked);
  });
  if (tooLate.length === 0) known.held.get(id)?.add(segment);
}

async function moveVault(rig: Rig, known: Known, away: boolean): Promise<void> {
  if (known.vaultAway === away) return;
  const path = join(rig.folder, "vault");
  await rename(away ? path : `${path}-away`, away ? `${path}-away` : path);
  known.vaultAway = away;
}

async function sweep(rig: Rig, deskAway: boolean): Promise<void> {
  const { clock, events, database, spool, vault, box } = rig;
  const desk = { site: "test", demo: true, signersPath: join(rig.folder, "signers") };
  const heed = deskAway
    ? async () => false
    : heeder(clock, events, database, vault, box.node, desk);
  const turn = turns(clock, 1);
  const { node, term } = box;
  const { askHistory: ask } = rig;
  await retain(turn.clock, events, database, spool, vault, node, term, heed, ask, turn.signal);
}

function trusted(rig: Rig, known: Known): boolean {
  const moved = rig.clock.now() - rig.clock.uptimeMs() - known.offsetMs;
  if (Math.abs(moved) > 5 * MINUTE_MS) known.trusted = false;
  return known.trusted;
}

async function assertKept(rig: Rig, known: Known, happening: Happening): Promise<void> {
  const why = JSON.stringify(happening);
  const isTrusted = trusted(rig, known);
  const held = new Set([...known.held.values()].flatMap((ids) => [...ids]));
  for (const segment of await findSegments(rig.database, EVER)) {
    const before = known.states.get(segment.id) ?? "sealed";
    known.states.set(segment.id, segment.state);
    const alive = segment.state === "sealed" || segment.state === "stored";
    if (held.has(segment.id)) {
      assert.ok(alive, `${why}: held footage is ${segment.state}`);
      assert.ok(await bytesAreSomewhere(rig, segment.id), `${why}: held footage is nowhere`);
    }
    if (alive || before === "destroying" || before === "destroyed") continue;
    if (happening.kind === "evict") {
      assert.ok(happening.urgent && before === "sealed", `${why}: ${before} was overwritten`);
      assert.ok(isTrusted, `${why}: overwritten while time was not trusted`);
    } else {
      assert.equal(happening.kind, "sweep", `${why} destroyed footage`);
      assert.ok(isTrusted, `${why}: destroyed while time was not trusted`);
      assert.ok(segment.dueAt <= rig.clock.now(), `${why}: destroyed before it was due`);
    }
  }
}

async function bytesAreSomewhere(rig: Rig, id: SegmentId): Promise<boolean> {
  const [row] = await rig.database.transaction((sql) =>
    sql.all("select arrived_at_ms as at from segment where id = $id", { $id: id }),
  );
  const inSpool = segmentPath(rig.spool, id, instant(Number(row?.["at"])));
  const [copy] = await rig.database.transaction((sql) =>
    sql.all("select 1 from copy where segment_id = $id and place = 'vault' and state = 'present'", {
      $id: id,
    }),
  );
  if (copy !== undefined) return true;
  return access(inSpool).then(
    () => true,
    () => false,
  );
}

/** All comes back: then nothing without a hold is past its term, and catalog and world agree. */
async function end(rig: Rig, known: Known): Promise<void> {
  await moveVault(rig, known, false);
  await recordNothingWriting(rig.database, rig.clock.now());
  for (let turn = 0; turn < 3; turn += 1) {
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await rig.adoptOnce();
    await rig.storeOnce();
    await sweep(rig, false);
    rig.clock.move(HOUR_MS);
  }
  const limits = { limitBytes: 1e9, keepFreeBytes: 0 };
  const never = async () => false;
  const makeRoom = roomMaker(rig.clock, rig.events, rig.database, rig.spool, limits, never);
  await makeRoom(0, false);
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  await sweep(rig, false);
  // That a clock was ahead once is told for ever, and rightly.
  assert.deepEqual(
    (await rig.check()).filter(({ invariant }) => invariant !== 10),
    [],
  );
  const held = new Set([...known.held.values()].flatMap((ids) => [...ids]));
  for (const { id, state, dueAt } of await findSegments(rig.database, EVER)) {
    if (held.has(id)) assert.equal(state, "stored", `${id} is held`);
    else if (dueAt <= rig.clock.now() - MINUTE_MS) assert.equal(state, "destroyed", id);
  }
  for await (const { key } of rig.vault.list("footage/dock-1/", NEVER)) {
    const row = (await findSegments(rig.database, EVER)).find(({ id }) => key.includes(id));
    assert.notEqual(row?.state, "destroyed", `${key} is still there`);
  }
}
