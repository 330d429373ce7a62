import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { STEPS, type Step } from "#base/step";
import { temporaryFolder } from "./fakes/folder.ts";
import { assertWhole, finish, makeLife, SIGNATURE, startLife } from "./fakes/life.ts";
import { makeAuthority } from "./peers/timestamp-authority.ts";

/** One timestamp authority for all lives: its keys are what takes time. */
const authority = temporaryFolder().then(async (folder) => {
  await makeAuthority(join(folder.path, "keys"));
  return folder;
});

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

describe("SIGKILL, then start again (invariants 1, 3, 4, 6, 8)", function () {
  this.timeout(60_000);
  after(async () => (await authority)[Symbol.asyncDispose]());

  for (const step of STEPS) {
    it(`at ${step}: nothing lost, nothing kept too long, nothing held destroyed, no plaintext left`, async () => {
      await using folder = await temporaryFolder();
      await makeLife(folder.path);
      const keys = join((await authority).path, "keys");
      // A timestamp is a write to the vault as well: it must not be counted for footage.
      const nth = IN_EVERY_PUT.includes(step) ? PUTS_BEFORE_FOOTAGE + 1 : 1;
      const course = { authority: keys, archive: true };
      const cut = { ...course, crashAt: step, nth, authority: nth > 1 ? "" : keys };
      const { how, err } = await startLife(folder.path, folder.path, cut).ended;
      assert.equal(how, "SIGKILL", `the life never came to ${step}: ${err}`);
      if (nth > 1) assert.match(await keysInVault(folder.path), /"footage\//);
      assert.deepEqual(await plaintextOutsideTheCard(folder.path), []);
      assertWhole(await finish(folder.path, folder.path, course), course);
      assert.deepEqual(await plaintextOutsideTheCard(folder.path), []);
    });
  }
});
