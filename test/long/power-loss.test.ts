import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "mocha";
import { timed } from "../fakes/campaign.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { assertWhole, finish, makeLife, startLife } from "../fakes/life.ts";
import { openLoopDisk, whyNoLoopDisk } from "../fakes/loop-disk.ts";

/** Cuts on each of the two file systems: six a run, whatever share of the campaigns is run. */
const CUTS = process.env["BEWAARD_NIGHTLY"] === "1" ? 50 : 3;
/** About how long a life takes on a quiet machine. */
const LIFE_MS = 6000;

const why = await whyNoLoopDisk();
if (why !== undefined) {
  process.stderr.write(
    `LEFT OUT: the tests that cut the power need loop mounts and xfs_io: ${why}\n`,
  );
}

(why === undefined ? describe : leftOut)("power loss (invariants 1, 3, 4, 6, 8)", () => {
  for (const kind of ["xfs", "ext4"] as const) {
    it(`on ${kind}: what was seen adopted, stored or held is so afterwards, and the life goes on`, async () => {
      await timed(`power cuts on ${kind}`, async () => {
        for (let cut = 0; cut < CUTS; cut += 1) {
          await test(kind, Math.round(Math.random() * LIFE_MS));
        }
        return CUTS;
      });
    });
  }
});

async function test(kind: "xfs" | "ext4", afterMs: number): Promise<void> {
  const told = `power cut on ${kind} after ${afterMs} ms`;
  await using disk = await openLoopDisk(kind);
  await using notes = await temporaryFolder();
  await makeLife(disk.path, notes.path);
  disk.settle();
  const life = startLife(disk.path, notes.path, {});
  await Promise.race([delay(afterMs), life.ended]);
  disk.cutPower();
  life.kill();
  await life.ended;
  disk.recover();
  const seen = (await readFile(join(notes.path, "seen"), "utf8").catch(() => "")).split("\n");
  const end = await finish(disk.path, notes.path, {});
  const kept = new Set(end.segments.map(({ id }) => id));
  for (const id of seen)
    if (id !== "") assert.ok(kept.has(id), `${told}: ${id} was seen and is lost`);
  try {
    assertWhole(end, {});
  } catch (cause) {
    throw new Error(told, { cause });
  }
}

function leftOut(): void {}
