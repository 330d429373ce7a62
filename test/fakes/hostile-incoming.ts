import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { ulid } from "ulid";
import { DAY_MS, isoOf, plus } from "#base/time";
import { retain } from "../../daemon/retain.ts";
import { confirmTime } from "../../daemon/trust.ts";
import { recordPaired } from "../../storage/catalog/devices.ts";
import { assertAlways } from "./campaign.ts";
import { type Mangle, mangle } from "./mangled.ts";
import { EMPTIED, GAP } from "./other-facts.ts";
import { named, openRig, type Rig, START, WALL_CAMERA } from "./rig.ts";
import { turns } from "./turns.ts";

/** What a hostile producer says of a sealed file that is as it should be, and whether it is a lie. */
interface Lie {
  readonly says: (manifest: Genuine) => object;
  /** Whether core can know. A lie it cannot know is a claim, and judged as one. */
  readonly known: boolean;
}

interface Genuine {
  readonly [field: string]: unknown;
  readonly ciphertext: { readonly bytes: number; readonly parts: readonly string[] };
}

const HASH = "0".repeat(64);

const LIES: readonly Lie[] = [
  { known: true, says: () => ({ node: "dock-2" }) },
  { known: true, says: () => ({ producer: "record" }) },
  { known: true, says: () => ({ device: "bc-9999" }) },
  { known: true, says: () => ({ device: WALL_CAMERA }) },
  { known: true, says: () => GAP },
  { known: true, says: () => EMPTIED },
  { known: true, says: () => ({ id: "01J00000000000000000000009" }) },
  { known: true, says: () => ({ bewaard: "manifest/2" }) },
  { known: true, says: ({ ciphertext }) => ({ ciphertext: { ...ciphertext, parts: [HASH] } }) },
  { known: true, says: ({ ciphertext: c }) => ({ ciphertext: { ...c, bytes: c.bytes + 1 } }) },
  {
    known: true,
    says: ({ ciphertext: c }) => ({ ciphertext: { ...c, parts: [...c.parts, HASH] } }),
  },
  { known: true, says: () => ({ arrivedUptime: { bootId: "\ud800", ms: 1 } }) },
  { known: true, says: () => ({ sealedFor: "2026-02-30" }) },
  { known: true, says: () => ({ truncated: "yes" }) },
  // As far as core can see, these may be so.
  { known: false, says: () => ({ arrivedAt: isoOf(plus(START, 400 * DAY_MS)) }) },
  { known: false, says: () => ({ sealedFor: "1999-01-01" }) },
  { known: false, says: () => ({ arrivedUptime: { bootId: "another", ms: 0 } }) },
];

type Offer =
  | { readonly kind: "lie"; readonly lie: Lie }
  | { readonly kind: "mangled"; readonly mangle: Mangle }
  | { readonly kind: "replayed" }
  | { readonly kind: "replayed with a lie"; readonly lie: Lie };

const lie = fc.constantFrom(...LIES);
const offer: fc.Arbitrary<Offer> = fc.oneof(
  { weight: 4, arbitrary: lie.map((one) => ({ kind: "lie" as const, lie: one })) },
  { weight: 6, arbitrary: mangle.map((one) => ({ kind: "mangled" as const, mangle: one })) },
  { weight: 1, arbitrary: fc.constant({ kind: "replayed" as const }) },
  {
    weight: 1,
    arbitrary: lie.map((one) => ({ kind: "replayed with a lie" as const, lie: one })),
  },
);

const AT_ONCE = 50;

/**
 * `manifests` of a hostile producer: core neither stops nor hangs, refuses each lie it can know, leaves
 * alone what it keeps, and destroys at its term what it set apart.
 */
export async function hostileIncoming(manifests: number): Promise<number> {
  const offers = fc.array(offer, { minLength: AT_ONCE, maxLength: AT_ONCE });
  const runs = await assertAlways(
    fc.asyncProperty(offers, survives),
    Math.ceil(manifests / AT_ONCE),
  );
  return runs * AT_ONCE;
}

async function survives(offers: readonly Offer[]): Promise<void> {
  await using rig = await openRig();
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  await recordPaired(rig.database, START, [{ id: WALL_CAMERA, kind: "camera", pairedAt: START }]);
  const kept = await genuine(rig, "bewaard beeld", named(0), true);
  const model = await genuine(rig, "ander beeld", named(5), false);
  const before = await keptAsItIs(rig);
  let lies = 0;
  for (const [index, one] of offers.entries()) lies += await hand(rig, one, index, kept, model);
  await rig.adoptOnce();

  assert.deepEqual(await names(rig, "incoming", "dock"), [], "nothing is left waiting");
  assert.deepEqual(await keptAsItIs(rig), before, "what was kept is as it was");
  const apart = await rows(rig, "select code from quarantine");
  assert.ok(apart.length >= lies, `${lies} lies, ${apart.length} set apart`);
  for (const { code } of apart) assert.equal(code, "MANIFEST_LIES");
  assert.deepEqual(await rig.check("hashes"), []);

  rig.clock.move(25 * DAY_MS);
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, spool, vault, box } = rig;
  const heard = async () => true;
  const { node, term } = box;
  await retain(clock, events, database, spool, vault, node, term, heard, rig.askHistory, signal);
  assert.deepEqual(await names(rig, "quarantine"), [], "what was set apart is gone at its term");
}

/** A fact as a producer writes it, taken back out of incoming/, or adopted and kept. */
async function genuine(rig: Rig, content: string, name: string, keep: boolean) {
  const id = await rig.record(content, name);
  const at = (end: string) => join(rig.sealing.incoming, `${id}.${end}`);
  const [text, sealed] = [await readFile(at("json"), "utf8"), await readFile(at("age"))];
  if (keep) {
    await rig.adoptOnce();
    await rig.storeOnce();
  } else {
    await rm(at("json"));
    await rm(at("age"));
  }
  return { id, text, sealed };
}

/** Puts one offer into incoming/; returns 1 when core must refuse it. */
async function hand(
  rig: Rig,
  one: Offer,
  index: number,
  kept: { id: string; text: string; sealed: Buffer },
  model: { id: string; text: string; sealed: Buffer },
): Promise<number> {
  const again = one.kind === "replayed" || one.kind === "replayed with a lie";
  const id = again ? kept.id : ulid(START + index);
  const { text, sealed } = again ? kept : model;
  const fact = isGenuine(JSON.parse(text));
  const own = { ...fact, ...(again ? {} : { id, file: unique(index) }) };
  const said = one.kind === "lie" || one.kind === "replayed with a lie" ? one.lie.says(fact) : {};
  const honest = JSON.stringify({ ...own, ...said });
  const bytes = one.kind === "mangled" ? one.mangle(honest) : Buffer.from(honest);
  await rm(join(rig.sealing.incoming, `${id}.json`), { force: true });
  await writeFile(join(rig.sealing.incoming, `${id}.json`), bytes);
  await writeFile(join(rig.sealing.incoming, `${id}.age`), sealed);
  return one.kind === "lie" && one.lie.known ? 1 : 0;
}

/** Another file on the card each: the same one again would be a duplicate. */
function unique(index: number): object {
  const path = Buffer.from(`DCIM/${index}.MP4`).toString("base64");
  return { path, modifiedAt: isoOf(START) };
}

function isGenuine(value: unknown): Genuine {
  assert.ok(typeof value === "object" && value !== null && "ciphertext" in value);
  const { ciphertext } = value;
  assert.ok(typeof ciphertext === "object" && ciphertext !== null);
  assert.ok("parts" in ciphertext && Array.isArray(ciphertext.parts));
  assert.ok("bytes" in ciphertext && typeof ciphertext.bytes === "number");
  const parts = ciphertext.parts.map(String);
  return { ...value, ciphertext: { ...ciphertext, bytes: ciphertext.bytes, parts } };
}

/** The row, the copies and the bytes of the one segment in the vault, and its file in the ring. */
async function keptAsItIs(rig: Rig): Promise<unknown> {
  const [segment] = await rows(rig, "select * from segment where state = 'stored'");
  const id = String(segment?.["id"]);
  const files = await readdir(join(rig.spool.path, "segments"), { recursive: true });
  const file = files.find((name) => name.endsWith(`${id}.age`)) ?? "";
  return {
    segment,
    copies: await rows(rig, `select * from copy where segment_id = '${id}' order by place`),
    bytes: await readFile(join(rig.spool.path, "segments", file), "base64"),
  };
}

function names(rig: Rig, ...folder: string[]): Promise<string[]> {
  return readdir(join(rig.spool.path, ...folder));
}

async function rows(rig: Rig, sql: string) {
  return rig.database.transaction((handle) => handle.all(sql));
}
