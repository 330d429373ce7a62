import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { generateX25519Identity } from "age-encryption";
import * as fc from "fast-check";
import { instant } from "#base/time";
import { readProfile } from "../../config/load.ts";
import type { Profile } from "../../config/profile-schema.ts";
import { adopt } from "../../daemon/adopt.ts";
import type { Ask } from "../../daemon/control/client.ts";
import { type Params, READ } from "../../daemon/control/protocol.ts";
import type { Sealing } from "../../daemon/dock.ts";
import { openTaking } from "../../daemon/docks/take-card.ts";
import { listCard } from "../../drivers/bodycam/card.ts";
import { offsetOf } from "../../drivers/bodycam/clock-offset.ts";
import type { Container } from "../../drivers/bodycam/container-time.ts";
import { judgeMatch, rootNames } from "../../drivers/bodycam/match.ts";
import { sorter } from "../../drivers/bodycam/profile.ts";
import { knownFiles } from "../../storage/catalog/find.ts";
import { type Manifest, parseManifest } from "../../storage/spool/manifest.ts";
import { assertAlways } from "./campaign.ts";
import { grow, type MadeFile, type Thing, tree } from "./card-trees.ts";
import { fastFolders } from "./fast-folders.ts";
import { temporaryFolder } from "./folder.ts";
import { inlinePool } from "./inline-pool.ts";
import { asNobody } from "./nobody.ts";
import { CAMERA, capturedEvents, handClock, NEVER, openRig, type Rig, START } from "./rig.ts";
import { turns } from "./turns.ts";

type Known = (files: Params<"known">["files"]) => Promise<readonly boolean[]>;

/** What a card is taken with. */
interface Means {
  readonly sealing: Omit<Sealing, "incoming" | "readContainer">;
  readonly fifo: string;
  readonly profile: Profile;
  /** What each container on it says of itself. */
  readonly container: Container | undefined;
  /** Core, which adopts what is handed over. */
  readonly rig: Rig;
}

/**
 * Makes a card of `things`, takes it as a dock does, twice, lets core adopt what came of it, and says what of
 * it is wrong: a file that was neither taken nor handed over as left, one that came from somewhere else, other
 * bytes, and a fact that core did not believe. Empty when all is well.
 */
async function judgeCard(means: Means, things: readonly Thing[]): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  const root = join(folder.path, "card");
  const { incoming } = means.rig.sealing;
  for (const one of [root, `${root}-outside`]) mkdirSync(one);
  writeFileSync(`${root}-outside/secret`, "never on a card");
  const made = grow(root, means.fifo, things);
  const wrong: string[] = [];
  let facts: readonly Manifest[] = [];
  await asNobody(folder.path, async () => {
    const lines: string[] = [];
    const take = openCard(means, root, incoming, lines);
    const look = await take(NEVER);
    if (look === "gone") wrong.push("taken for gone");
    facts = readFacts(incoming);
    if ((await take(NEVER)) === "gone") wrong.push("taken for gone at the second look");
    if (readFacts(incoming).length !== facts.length) wrong.push("taken twice");
    wrong.push(...compare(means.profile, made, facts));
    wrong.push(...(await spoken(means.profile, root)));
    for (const line of lines)
      if (/\p{Cc}|\p{Cf}/u.test(line.trimEnd())) wrong.push(`speaks to a terminal: ${line}`);
  });
  wrong.push(...(await adopted(means.rig, facts)));
  await asNobody(folder.path, async () => {
    wrong.push(...(await dockedAgain(means, root)));
  });
  return wrong;
}

/** Docks the card once more, and says what of it core does not know by now. */
async function dockedAgain(means: Means, root: string): Promise<readonly string[]> {
  const { incoming } = means.rig.sealing;
  const look = await openCard(means, root, incoming, [], knownTo(means.rig))(NEVER);
  const again = readFacts(incoming);
  for (const { id } of again)
    for (const end of ["json", "age"]) rmSync(join(incoming, `${id}.${end}`), { force: true });
  if (look === "gone") return ["taken for gone when it was docked again"];
  const { counted, left } = look;
  return [
    ...again.flatMap(({ kind, id }) =>
      kind === "left" ? [] : [`taken at the next docking: ${id}`],
    ),
    ...(left === undefined && counted.adopted < counted.files
      ? [`never safe: ${counted.adopted} of ${counted.files}`]
      : []),
  ];
}

/** By its catalog, as core answers. */
function knownTo({ database }: Rig): Known {
  return (files) =>
    knownFiles(
      database,
      CAMERA,
      files.map(({ path, bytes, modifiedAtMs }) => ({
        path: Buffer.from(path, "base64"),
        bytes,
        modifiedAt: instant(modifiedAtMs),
      })),
    );
}

/** Lets core adopt `facts`, and says which of them it has not. */
async function adopted(rig: Rig, facts: readonly Manifest[]): Promise<readonly string[]> {
  const { clock, signal } = turns(rig.clock, 1);
  const owner = statSync(rig.sealing.incoming).uid;
  const box = { ...rig.box, producers: [{ name: "dock" as const, owners: [owner] }] };
  await adopt(clock, rig.events, rig.database, rig.spool, box, signal);
  const has = await rig.database.transaction(async (sql) => {
    const segments = await sql.all("select plaintext_sha256 as sha256 from segment");
    const left = await sql.all("select path from left_file");
    return new Set([
      ...segments.map(({ sha256 }) => String(sha256)),
      ...left.map(({ path }) => `left ${path instanceof Uint8Array ? base64(path) : ""}`),
    ]);
  });
  const lost = facts.filter((fact) => {
    if (fact.kind === "left") return !has.has(`left ${fact.file.path}`);
    return fact.kind === "segment" && !has.has(String(fact.plaintext?.sha256));
  });
  const waiting = readdirSync(rig.sealing.incoming);
  return [
    ...lost.map(({ kind, id }) => `not adopted: ${kind} ${id}`),
    ...waiting.map((name) => `still handed over: ${name}`),
    ...(rig.said.includes("quarantined") ? ["core did not believe a fact"] : []),
  ];
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function openCard(
  { sealing, profile, container }: Means,
  root: string,
  incoming: string,
  lines: string[],
  known: Known = async (files) => files.map(() => false),
) {
  const ask: Ask = async (method, params) => {
    if (method === "room") return READ[method]({ granted: true });
    if (method === "known" && "files" in params)
      return READ[method]({ known: await known(params.files) });
    throw new TypeError(`not asked for here: ${method}`);
  };
  const events = capturedEvents([], lines);
  const own = { ...sealing, incoming, readContainer: async () => container };
  return openTaking(handClock(START), events, ask, own, {
    device: CAMERA,
    folder: root,
    profile,
    settleMs: 0,
    isDoubted: () => false,
    isThere: async () => true,
    turn: async () => new DisposableStack(),
    tell: () => undefined,
  });
}

function readFacts(incoming: string): readonly Manifest[] {
  const names = readdirSync(incoming);
  const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
  const facts = ids.map((id) => parseManifest(readFileSync(join(incoming, `${id}.json`))));
  const sealed = facts.filter(({ kind }) => kind === "segment").map(({ id }) => `${id}.age`);
  const foreseen = new Set([...ids.map((id) => `${id}.json`), ...sealed]);
  const others = names.filter((name) => !foreseen.delete(name));
  if (others.length > 0 || foreseen.size > 0)
    throw new Error(`left behind: ${others.join()}; missing: ${[...foreseen].join()}`);
  return facts;
}

/** Each file that was made against the facts that came of it. */
function compare(
  profile: Profile,
  made: readonly MadeFile[],
  facts: readonly Manifest[],
): readonly string[] {
  const wrong: string[] = [];
  const taken = new Map<string, string | undefined>();
  const left: string[] = [];
  for (const fact of facts) {
    if ((fact.kind !== "segment" && fact.kind !== "left") || !fact.file) continue;
    const path = Buffer.from(fact.file.path, "base64").toString("latin1");
    if (fact.kind === "left") left.push(path);
    else taken.set(path, fact.plaintext?.sha256);
  }
  const sort = sorter(profile);
  for (const { path, sha256 } of made) {
    const name = path.toString("latin1");
    const told = JSON.stringify(name);
    const isLeft = left.some(
      (above) => above === name || above === "" || name.startsWith(`${above}/`),
    );
    if (["ignored", "location"].includes(sort(path))) {
      if (taken.has(name)) wrong.push(`taken, and not to be: ${told}`);
    } else if (!taken.has(name)) {
      if (!isLeft) wrong.push(`neither taken nor left: ${told}`);
    } else if (taken.get(name) !== sha256) wrong.push(`other bytes: ${told}`);
    taken.delete(name);
  }
  for (const stranger of taken.keys()) wrong.push(`not of the card: ${JSON.stringify(stranger)}`);
  return wrong;
}

/** What else reads a card: whose it is, and its clock. They answer, whatever lies on it. */
async function spoken(profile: Profile, root: string): Promise<readonly string[]> {
  const files = (await listCard(root, profile.limits))?.files ?? [];
  const seen = { usb: undefined, label: undefined, names: await rootNames(root), files };
  const judged = judgeMatch(profile, seen);
  const offset = offsetOf(profile, files, START);
  const isNumber = offset === "not measurable" || Number.isSafeInteger(offset);
  return [
    ...(judged.length > 0 ? [] : ["nothing is known of whose card it is"]),
    ...(isNumber ? [] : [`no offset: ${offset}`]),
  ];
}

const container: fc.Arbitrary<Container | undefined> = fc.option(
  fc.record({
    createdAt: fc.oneof(
      fc.constantFrom(
        undefined,
        "1904-01-01T00:00:00.000000Z",
        "2026-10-25T02:30:00.000000Z",
        "2026-05-31T08:30:00Z",
        "9999-12-31T23:59:60Z",
        "-271821-04-20T00:00:00Z",
      ),
      fc.string(),
    ),
    durationMs: fc.option(fc.nat(), { nil: undefined }),
  }),
  { nil: undefined },
);

/** The shipped ones, and one that asks everything of a card. */
export async function profiles(): Promise<readonly Profile[]> {
  const names = ["generic-dcim", "mtp-generic", "transcend-drivepro-body", "white-label-5-minutes"];
  const shipped = await Promise.all(names.map(readProfile));
  const curious = {
    ...(await readProfile("white-label-5-minutes")),
    container_time: "local",
    stamp_is: "end",
    clock_file: { path: "**", kind: "modified" },
  } as const;
  return [...shipped, curious];
}

/** After so many cards a box begins anew, and its books are compared with what it keeps. */
const CARDS_OF_A_BOX = 50;

/** Runs `runs` random cards through listing, sorting, times, hand-over and adoption. */
export async function fuzzCards(runs: number): Promise<number> {
  const every = await profiles();
  using _fast = fastFolders();
  await using folder = await temporaryFolder();
  const fifo = join(folder.path, "fifo");
  execFileSync("mkfifo", [fifo]);
  const identity = await generateX25519Identity();
  let rig = await openBox(identity);
  let cards = 0;
  const property = fc.asyncProperty(
    tree,
    fc.constantFrom(...every),
    container,
    async (things, profile, said) => {
      const { sealing } = rig;
      const means = { sealing, fifo, profile, container: said, rig };
      const wrong = await judgeCard(means, things);
      if (wrong.length > 0) throw new Error(wrong.join("\n"));
      cards += 1;
      if (cards % CARDS_OF_A_BOX > 0) return;
      assert.deepEqual(await rig.check("hashes"), []);
      await rig[Symbol.asyncDispose]();
      rig = await openBox(identity);
    },
  );
  try {
    return await assertAlways(property, runs);
  } finally {
    assert.deepEqual(await rig.check("hashes"), []);
    await rig[Symbol.asyncDispose]();
  }
}

/** A box whose dock runs as nobody, where this process may become that. */
async function openBox(identity: string): Promise<Rig> {
  const rig = await openRig({ pool: inlinePool(), identity });
  const way = [rig.folder, rig.spool.path, dirname(rig.sealing.incoming)];
  for (const one of way) chmodSync(one, 0o711);
  await asNobody(rig.sealing.incoming, async () => undefined);
  return rig;
}
