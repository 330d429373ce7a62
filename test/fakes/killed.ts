import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { STEPS, type Step } from "#base/step";
import { temporaryFolder } from "./folder.ts";
import { assertWhole, finish, makeLife, SIGNATURE, startLife } from "./life.ts";

/** Steps that only a bucket comes to: test/bucket-crash.test.ts. */
const OF_A_BUCKET: readonly Step[] = [
  "store.upload-begun",
  "store.upload-noted",
  "store.part-noted",
  "store.completed",
  "destroy.left-to-bucket",
];

/**
 * The steps that the life of docked cameras comes to. Those of recording: test/record-crash.test.ts. Those of
 * wiping a card: test/wipe-crash.test.ts, and for the root helper test/helper-crash.test.ts. Those of backups: test/backup-crash.test.ts.
 */
export const OF_A_LIFE = STEPS.filter(
  (step) =>
    !/^(backup|clock|helper|pair|record|rebuild|restore|wipe)\./.test(step) &&
    !OF_A_BUCKET.includes(step),
);
/** Steps of every write to the vault: the ledger's two writes at the start come before any footage. */
const IN_EVERY_PUT: readonly Step[] = ["store.copied", "store.named"];
const PUTS_BEFORE_FOOTAGE = 2;

/** What lies in the vault, finished or not, says under which key. */
async function keysInVault(folder: string): Promise<string> {
  const files = await readdir(join(folder, "vault"), { recursive: true, withFileTypes: true });
  const facts = files.filter(({ name }) => name === "facts.json");
  const texts = facts.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}

async function plaintextOutsideTheCard(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.includes("dock-bc-0101")) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(SIGNATURE)) found.push(path);
  }
  return found;
}

/**
 * Kills one life at each of `steps` in turn, each time started again where it was, and asserts that it
 * ends whole. `authority` is the folder of a timestamp authority's keys.
 */
export async function killedAt(steps: readonly Step[], authority: string): Promise<void> {
  await using folder = await temporaryFolder();
  await makeLife(folder.path);
  const course = { authority, archive: true };
  for (const step of steps) {
    // A timestamp is a write to the vault as well: it must not be counted for footage.
    const nth = IN_EVERY_PUT.includes(step) ? PUTS_BEFORE_FOOTAGE + 1 : 1;
    const cut = { ...course, crashAt: step, nth, authority: nth > 1 ? "" : authority };
    const { how, err } = await startLife(folder.path, folder.path, cut).ended;
    assert.equal(how, "SIGKILL", `the life never came to ${step}: ${err}`);
    if (nth > 1) assert.match(await keysInVault(folder.path), /"footage\//);
    assert.deepEqual(await plaintextOutsideTheCard(folder.path), [], step);
  }
  assertWhole(await finish(folder.path, folder.path, course), course);
  assert.deepEqual(await plaintextOutsideTheCard(folder.path), []);
}

/** Steps of every write to the vault, each to be killed in a life of its own: there are others before it. */
export function alone(step: Step): boolean {
  return IN_EVERY_PUT.includes(step);
}
