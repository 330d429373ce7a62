import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity } from "age-encryption";
import * as fc from "fast-check";
import { BewaardError } from "#base/errors";
import { parseHoldId } from "#base/ids";
import { type Step, watchSteps } from "#base/step";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { heeder } from "../../daemon/heed.ts";
import { recoverQuarantine } from "../../daemon/quarantine.ts";
import { retain } from "../../daemon/retain.ts";
import { roomMaker } from "../../daemon/ring.ts";
import { confirmTime, timeTrust } from "../../daemon/trust.ts";
import { recordNothingWriting } from "../../storage/catalog/copies.ts";
import { findSegments } from "../../storage/catalog/find.ts";
import { recordHold, recordRelease } from "../../storage/catalog/holds.ts";
import { type Bystander, openBystander } from "./bystander.ts";
import { assertAlways } from "./campaign.ts";
import { inlinePool } from "./inline-pool.ts";
import { named, OWNER, openRig, type Rig, START } from "./rig.ts";
import { openLives } from "./sync-database.ts";
import { turns } from "./turns.ts";

/** Something that happens to a box, in any order. */
type Happening =
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

const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
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

class Cut extends Error {
  readonly step: Step;

  constructor(step: Step) {
    super(`cut off at ${step}`);
    this.step = step;
  }
}

/** Plays `runs` random lists of happenings, each on a box of its own, and asserts after each. */
export async function playAll(runs: number): Promise<number> {
  await using catalog = await openLives();
  const identity = await generateX25519Identity();
  const pool = inlinePool();
  const playOne = async (list: readonly Happening[]): Promise<void> => {
    await using rig = await openRig({ database: catalog.open(), identity, pool });
    await play(rig, list);
  };
  return await assertAlways(fc.asyncProperty(happenings, playOne), runs);
}

async function play(rig: Rig, list: readonly Happening[]): Promise<void> {
  const by = openBystander(rig.folder, rig.clock, START, HOLDS);
  try {
    for (const happening of list) {
      const why = JSON.stringify(happening);
      const done = await happen(rig, by, happening);
      // Asked each time: a clock that jumped and came back was wrong in between.
      by.trusted();
      by.assertKept(why);
      if (done && isWholeSweep(rig, by, happening)) by.assertGone(why, MINUTE_MS);
    }
    watchSteps(() => undefined);
    await end(rig, by);
  } finally {
    watchSteps(() => undefined);
  }
}

/** With time, desk and vault at hand nothing excuses what is past its term. */
function isWholeSweep(rig: Rig, by: Bystander, happening: Happening): boolean {
  return happening.kind === "sweep" && !happening.deskAway && by.trusted() && !vaultIsAway(rig);
}

/** False when it was cut off, and the box has started again. */
async function happen(rig: Rig, by: Bystander, happening: Happening): Promise<boolean> {
  try {
    await act(rig, by, happening);
    return true;
  } catch (error) {
    if (error instanceof BewaardError) return false;
    if (!(error instanceof Cut)) throw error;
    await recordNothingWriting(rig.database, rig.clock.now());
    await recoverQuarantine(rig.database, rig.spool, rig.box.term, rig.clock.now());
    return false;
  }
}

async function act(rig: Rig, by: Bystander, happening: Happening): Promise<void> {
  const { clock, database } = rig;
  switch (happening.kind) {
    case "arrive":
      return arrive(rig, by, happening.file);
    case "store":
      await rig.storeOnce();
      return by.stored();
    case "hold":
      return holdFile(rig, by, happening.file, happening.hold);
    case "release": {
      const id = HOLDS[happening.hold];
      if (id === undefined) return;
      await database.transaction((sql) => recordRelease(sql, clock.now(), id, 2));
      by.held.get(id)?.clear();
      return;
    }
    case "pass":
      return clock.move(happening.ms);
    case "jump":
      return clock.jump(happening.ms);
    case "boot":
      return clock.restart();
    case "confirm":
      return confirm(rig, by);
    case "vault away":
    case "vault back":
      return moveVault(rig, happening.kind === "vault away");
    case "evict": {
      const limits = { limitBytes: 1000, keepFreeBytes: 0 };
      const mayDestroy = async () => (await timeTrust(clock, database)).trusted;
      const makeRoom = roomMaker(clock, rig.events, database, rig.spool, limits, mayDestroy);
      if (happening.urgent) by.overwriting();
      await makeRoom(1000, happening.urgent);
      return;
    }
    case "sweep":
      return sweep(rig, by, happening.deskAway);
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

async function confirm({ clock, database }: Rig, by: Bystander): Promise<void> {
  await confirmTime(clock, database, clock.now(), "test");
  by.confirmed();
}

async function arrive(rig: Rig, by: Bystander, which: number): Promise<void> {
  const id = await rig.record(`beeld ${which}`, named(which));
  by.handedOver(id, plus(START, which * MINUTE_MS));
  await adoptNow(rig, by);
}

async function adoptNow(rig: Rig, by: Bystander): Promise<void> {
  const now = rig.clock.now();
  const isTrusted = by.trusted();
  try {
    await rig.adoptOnce();
  } catch (error) {
    // It lies in the ring without a row: adopted next time, by what the time is then.
    if (error instanceof Cut && error.step === "adopt.renamed") throw error;
    by.adopted(now, isTrusted);
    throw error;
  }
  by.adopted(now, isTrusted);
}

async function holdFile(rig: Rig, by: Bystander, index: number, which: number): Promise<void> {
  const id = HOLDS[which];
  const all = await findSegments(rig.database, EVER);
  const segment = all[index]?.id;
  if (id === undefined || segment === undefined || by.held.get(id)?.size !== 0) return;
  const reviewAt = instant(9e12);
  const asked = {
    id,
    incident: "zaak-1",
    deskNumber: 1,
    owner: OWNER,
    reviewAt,
    segments: [segment],
  };
  const answer = await rig.database.transaction(async (sql) => {
    // A released hold is final: it cannot be asked for again.
    const [again] = await sql.all("select 1 from hold where hold_id = $id", { $id: id });
    return again ? "again" : recordHold(sql, rig.clock.now(), asked);
  });
  if (answer === "again") return;
  if (answer.length === 0) by.held.get(id)?.add(segment);
  else assert.ok(by.mayGo(segment), `a hold on ${segment} came too late`);
}

function vaultIsAway(rig: Rig): boolean {
  return existsSync(join(rig.folder, "vault-away"));
}

async function moveVault(rig: Rig, away: boolean): Promise<void> {
  if (vaultIsAway(rig) === away) return;
  const path = join(rig.folder, "vault");
  await rename(away ? path : `${path}-away`, away ? `${path}-away` : path);
}

async function sweep(rig: Rig, by: Bystander, deskAway: boolean): Promise<void> {
  const { clock, events, database, spool, vault, box } = rig;
  const desk = {
    site: "test",
    demo: true,
    signersPath: join(rig.folder, "signers"),
    separate: false,
  };
  const heed = deskAway
    ? async () => false
    : heeder(clock, events, database, vault, box.node, desk);
  const turn = turns(clock, 1);
  const { node, term } = box;
  const { askHistory: ask } = rig;
  const settled = by.sweeping();
  try {
    await retain(turn.clock, events, database, spool, vault, node, term, heed, ask, turn.signal);
  } catch (error) {
    // Cut off while it read the desk: no term was reckoned yet.
    if (!(error instanceof Cut && error.step.startsWith("hold."))) settled();
    throw error;
  }
  settled();
}

/** All comes back: then nothing without a hold is past its term, and catalog and world agree. */
async function end(rig: Rig, by: Bystander): Promise<void> {
  await moveVault(rig, false);
  await recordNothingWriting(rig.database, rig.clock.now());
  for (let turn = 0; turn < 3; turn += 1) {
    await confirm(rig, by);
    await adoptNow(rig, by);
    await rig.storeOnce();
    await sweep(rig, by, false);
    rig.clock.move(HOUR_MS);
  }
  const limits = { limitBytes: 1e9, keepFreeBytes: 0 };
  const never = async () => false;
  const makeRoom = roomMaker(rig.clock, rig.events, rig.database, rig.spool, limits, never);
  await makeRoom(0, false);
  await confirm(rig, by);
  await sweep(rig, by, false);
  by.assertKept("at the end");
  by.assertGone("at the end", MINUTE_MS);
  by.assertSafe();
  // That a clock was ahead once is told for ever, and rightly.
  assert.deepEqual(
    (await rig.check()).filter(({ invariant }) => invariant !== 10),
    [],
  );
}
