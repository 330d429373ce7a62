import assert from "node:assert/strict";
import { chmod, chown, mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { adopt } from "../daemon/adopt.ts";
import { makeProducersRoom, readProducers } from "../daemon/producers.ts";
import { openRig, type Rig } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const ME = process.getuid?.() ?? 0;
const [DOCK, RECORD] = [61_001, 61_002];
const incoming = (rig: Rig, ...names: string[]): string =>
  join(rig.spool.path, "incoming", ...names);

/** As core does with whom it found at its start. */
async function adoptOnce(rig: Rig): Promise<void> {
  const box = { ...rig.box, producers: await readProducers(rig.spool) };
  const { clock, signal } = turns(rig.clock, 1);
  await adopt(clock, rig.events, rig.database, rig.spool, box, signal);
}

async function segments(rig: Rig): Promise<number> {
  const found = await rig.database.transaction((sql) => sql.all("select 1 from segment"));
  return found.length;
}

describe("whose a producer is", () => {
  it("is core's own user's in a box of one user", async () => {
    await using rig = await openRig();
    await makeProducersRoom(rig.spool);
    const expected = ["dock", "record"].map((name) => ({ name, owners: [ME] }));
    assert.deepEqual(await readProducers(rig.spool), expected);
  });

  it("is core's own where a full disk kept its folder from being made", async () => {
    await using rig = await openRig();
    await rm(incoming(rig, "record"), { recursive: true, force: true });
    assert.deepEqual(
      (await readProducers(rig.spool)).map(({ owners }) => owners),
      [[ME], [ME]],
    );
    await rm(incoming(rig), { recursive: true });
    assert.deepEqual(
      (await readProducers(rig.spool)).map(({ owners }) => owners),
      [[ME], [ME]],
    );
  });

  for (const [what, spoil] of [
    ["others may write to it", (path: string) => chmod(path, 0o770)],
    ["it is a link", toLink],
  ] as const) {
    it(`nobody knows by a folder incoming/ where ${what}`, async () => {
      await using rig = await openRig();
      await spoil(incoming(rig));
      await assert.rejects(readProducers(rig.spool), { code: "SPOOL_OWNER" });
    });
  }

  it("nobody knows by a folder of a producer that is a link", async () => {
    await using rig = await openRig();
    await toLink(incoming(rig, "dock"));
    await assert.rejects(readProducers(rig.spool), { code: "SPOOL_OWNER" });
  });
});

(ME === 0 ? describe : leftOut)("a producer of another user than core", () => {
  it("hands over in its folder, and no other producer there", async () => {
    await using rig = await openRig();
    await makeProducersRoom(rig.spool);
    await chown(incoming(rig, "dock"), DOCK, DOCK);
    await chown(incoming(rig, "record"), RECORD, RECORD);
    const found = (await readProducers(rig.spool)).map(({ owners }) => owners);
    assert.deepEqual(found, [
      [DOCK, ME],
      [RECORD, ME],
    ]);

    const theirs = await rig.record("van het dock");
    for (const end of ["age", "json"])
      await chown(incoming(rig, "dock", `${theirs}.${end}`), DOCK, DOCK);
    await adoptOnce(rig);
    assert.equal(await segments(rig), 1);

    // What was core's before the folder was given away.
    await rig.record("van voorheen");
    await adoptOnce(rig);
    assert.equal(await segments(rig), 2);
    const id = await rig.record("van een ander");
    for (const end of ["age", "json"])
      await chown(incoming(rig, "dock", `${id}.${end}`), RECORD, RECORD);
    await adoptOnce(rig);
    assert.ok(rig.lines.some((line) => line.includes("belongs to another user")));
    assert.equal(await segments(rig), 2);
    assert.equal((await readdir(join(rig.spool.path, "quarantine"))).length, 1);
  });

  it("is no longer asked whose that was which core had moved before it became one", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const day = join(rig.spool.path, "segments", "2026-06-01");
    await mkdir(day, { mode: 0o700 });
    // As after a crash between moving and recording.
    await rename(incoming(rig, "dock", `${id}.age`), join(day, `${id}.age`));
    await chown(incoming(rig, "dock"), DOCK, DOCK);
    await chown(incoming(rig, "dock", `${id}.json`), DOCK, DOCK);
    await adoptOnce(rig);
    assert.equal(await segments(rig), 1);
    assert.deepEqual(await rig.check(), []);
  });

  it("is nobody's word where incoming/ itself is another's", async () => {
    await using rig = await openRig();
    await chown(incoming(rig), DOCK, DOCK);
    await assert.rejects(readProducers(rig.spool), { code: "SPOOL_OWNER" });
  });
});

async function toLink(path: string): Promise<void> {
  await rename(path, `${path}-elsewhere`);
  await symlink(`${path}-elsewhere`, path);
}

/** Only root gives files to others. */
function leftOut(): void {}
