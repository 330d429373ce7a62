import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { z } from "zod";
import { STEPS, type Step } from "#base/step";
import { HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { makeDemoSite } from "../daemon/demo/site.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

const BORN = instant(Date.parse("2026-06-01T10:00:00.000Z"));
const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const LIFE = fileURLToPath(new URL("./crash/life.ts", import.meta.url));
/** What every recording starts with, and nothing else may contain (invariant 2). */
const SIGNATURE = Buffer.from("ftypisom plaintext of a recording");

/** Steps of every write to the vault: the ledger's two writes at the start come before any footage. */
const IN_EVERY_PUT: readonly Step[] = ["store.copied", "store.named"];
const PUTS_BEFORE_FOOTAGE = 2;

const outcome = z.object({
  segments: z.array(z.object({ id: z.string(), state: z.string(), hold: z.string() })),
  findings: z.array(z.object({ invariant: z.number(), what: z.string() })),
  states: z.record(z.string(), z.number()),
  holds: z.object({ requested: z.number(), inForce: z.number() }),
});

async function makeLife(folder: string): Promise<void> {
  const site = await makeDemoSite(simulatedClock(BORN), folder, ["bc-0101"], 3, NEVER);
  const config = join(folder, "bewaard.yaml");
  // Small enough for one recording: the ring has to overwrite while all this goes on.
  await writeFile(config, (await readFile(config, "utf8")).replace("20 GB", "0.9 MB"));
  const card = join(site.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  for (const [index, name] of ["20260601_113000", "20260601_114000", "20260601_115000"].entries()) {
    const path = join(card, `${name}.MP4`);
    await writeFile(path, Buffer.concat([SIGNATURE, randomBytes(300_000)]));
    const modified = plus(BORN, -HOUR_MS / 2 + 10 * index * MINUTE_MS) / 1000;
    await utimes(path, modified, modified);
  }
  await writeFile(join(folder, "born"), String(BORN));
  await writeFile(join(folder, "now"), String(BORN));
}

async function start(folder: string, crashAt?: Step, nth = 1) {
  const cache = join(tmpdir(), "bewaard-test-compile-cache");
  const env = {
    ...process.env,
    CRASH_AT: crashAt ?? "",
    CRASH_NTH: String(nth),
    NODE_COMPILE_CACHE: cache,
  };
  const child = spawn(process.execPath, ["--import", HOOK, LIFE, folder], { env });
  const ended = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const [out, err, how] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, err, how };
}

/** Goes on to the end of the life, or fails with what the process said. */
async function finish(folder: string): Promise<z.output<typeof outcome>> {
  const { out, err, how } = await start(folder);
  assert.equal(how, 0, err);
  return outcome.parse(JSON.parse(out));
}

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

function assertWhole({ segments, findings, holds, states }: z.output<typeof outcome>): void {
  assert.deepEqual(findings, []);
  const kept = segments.map(({ state, hold }) => `${state}, ${hold}`);
  assert.deepEqual(kept, ["stored, in force"]);
  // Only what was destroyed can be archived: the catalog's own rule.
  assert.deepEqual(states, { archived: 2, stored: 1 });
  assert.deepEqual(holds, { requested: 0, inForce: 1 });
}

describe("SIGKILL, then start again (invariants 1, 3, 4, 6, 8)", function () {
  this.timeout(60_000);

  for (const step of STEPS) {
    it(`at ${step}: nothing lost, nothing kept too long, nothing held destroyed, no plaintext left`, async () => {
      await using folder = await temporaryFolder();
      await makeLife(folder.path);
      const nth = IN_EVERY_PUT.includes(step) ? PUTS_BEFORE_FOOTAGE + 1 : 1;
      const { how, err } = await start(folder.path, step, nth);
      assert.equal(how, "SIGKILL", `the life never came to ${step}: ${err}`);
      if (nth > 1) assert.match(await keysInVault(folder.path), /"footage\//);
      assert.deepEqual(await plaintextOutsideTheCard(folder.path), []);
      assertWhole(await finish(folder.path));
      assert.deepEqual(await plaintextOutsideTheCard(folder.path), []);
    });
  }
});
