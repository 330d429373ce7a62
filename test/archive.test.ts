import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseHoldId, type SegmentId } from "#base/ids";
import { DAY_MS, plus } from "#base/time";
import { type Archiving, archive, archiveOnce } from "../daemon/archive.ts";
import { checkpoint } from "../daemon/checkpoint.ts";
import type { AskHistory } from "../daemon/one-history.ts";
import { confirmTime } from "../daemon/trust.ts";
import { countStates } from "../storage/catalog/due.ts";
import { recordHold, recordRelease } from "../storage/catalog/holds.ts";
import { bytes } from "../storage/catalog/row.ts";
import { append } from "../storage/ledger/append.ts";
import { checkProofs } from "../storage/ledger/check-proof.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { proofFolder } from "../storage/ledger/proof-folder.ts";
import { rootOver } from "../storage/ledger/tree.ts";
import { decrypted } from "./fakes/decrypted.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { NEVER, named, OWNER, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

const HOLD = parseHoldId("01J00000000000000000000001");
const AFTER_MS = 10 * DAY_MS;

function boxOf(rig: Rig): Archiving {
  return {
    node: rig.box.node,
    path: join(rig.folder, "archive.age"),
    readBook: async () => rig.sealing.book,
    afterMs: AFTER_MS,
  };
}

async function sign(rig: Rig): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
}

async function hold(rig: Rig, id: SegmentId): Promise<void> {
  const reviewAt = plus(START, 400 * DAY_MS);
  const asked = {
    id: HOLD,
    incident: "zaak-12",
    deskNumber: 1,
    owner: OWNER,
    reviewAt,
    segments: [id],
  };
  await rig.database.transaction((sql) => recordHold(sql, rig.clock.now(), asked));
}

async function facts(rig: Rig, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500) {
    const some = Array.from({ length: Math.min(500, count - done) }, (_, index) => ({
      kind: "bewaard.started" as const,
      facts: { bootId: String(done + index) },
    }));
    const [first, ...rest] = some;
    if (first)
      await rig.database.transaction((sql) => append(sql, rig.clock.now(), [first, ...rest]));
  }
}

/** A box with a destroyed segment, a held one, some ledger, all of it older than the archive's age. */
async function oldBox(rig: Rig, entries = 40): Promise<{ gone: SegmentId; held: SegmentId }> {
  await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
  const held = await rig.keep("held", named(0));
  await hold(rig, held);
  await facts(rig, entries);
  const gone = await rig.keep("gone", named(5));
  await sign(rig);
  rig.clock.move(29 * DAY_MS);
  await retainOnce(rig);
  await sign(rig);
  rig.clock.move(AFTER_MS + DAY_MS);
  return { gone, held };
}

function once(rig: Rig) {
  return archiveOnce(rig.clock, rig.database, rig.vault, boxOf(rig), rig.clock.now(), NEVER);
}

/** One turn of the loop, for a box of the usual age. */
async function turn(rig: Rig, askHistory: AskHistory): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault } = rig;
  await archive(clock, events, database, vault, boxOf(rig), askHistory, signal);
}

async function all(rig: Rig, sql: string) {
  return rig.database.transaction((handle) => handle.all(sql));
}

describe("the archive", () => {
  it("takes what was destroyed long ago, keeps what is held, and everything kept still verifies (invariants 4, 5)", async () => {
    await using rig = await openRig();
    const { held } = await oldBox(rig);
    const done = await once(rig);
    assert.equal(done?.first, 0);
    assert.deepEqual(await all(rig, "select id from segment"), [{ id: held }]);
    assert.deepEqual(await countStates(rig.database), { stored: 1, archived: 1 });
    assert.deepEqual(await rig.check(), []);
    const after = await all(rig, "select count(*) as count from entry");
    assert.ok(Number(after[0]?.["count"]) < 25, "old entries are still here");
    await sign(rig);
    assert.deepEqual(await rig.check(), []);
  });

  it("is whole and sealed: its lines have the entry's root, and the box cannot read them", async () => {
    await using rig = await openRig();
    const { gone } = await oldBox(rig);
    const done = await once(rig);
    assert.ok(done);
    assert.match(done.key, /^ledger\/dock-1\/archive\/2026\/0{20}-0{18}\d{2}\.age$/);
    const [version] = await rig.vault.versions(done.key);
    const chunks: Uint8Array[] = [];
    for await (const chunk of rig.vault.read(done.key, version?.versionId ?? "", NEVER))
      chunks.push(chunk);
    const sealed = Buffer.concat(chunks);
    assert.equal(createHash("sha256").update(sealed).digest("hex"), done.sha256);
    assert.ok(!sealed.includes(gone));
    const lines = (await decrypted(rig.identity, sealed)).trimEnd().split("\n");
    const [batch] = await all(rig, "select root from batch where kind = 'archived'");
    assert.deepEqual(rootOver(lines), bytes(batch, "root"));
    assert.ok(lines.some((line) => line.includes('"segment":{') && line.includes(gone)));
  });

  it("lets a held segment's rows leave once it was released, destroyed and old", async () => {
    await using rig = await openRig();
    await oldBox(rig);
    await once(rig);
    await rig.database.transaction((sql) => recordRelease(sql, rig.clock.now(), HOLD, 2));
    await retainOnce(rig);
    await sign(rig);
    rig.clock.move(AFTER_MS + 30 * DAY_MS);
    await once(rig);
    assert.deepEqual(await all(rig, "select id from segment"), []);
    assert.deepEqual(await all(rig, "select hold_id from hold"), []);
    assert.deepEqual(await rig.check(), []);
  });

  it("drops the tree below its kept level, in more than one archive, and the rest still has its root", async () => {
    await using rig = await openRig();
    await oldBox(rig, 5000);
    while (await once(rig));
    const [nodes] = await all(rig, "select count(*) as count from tree_node");
    assert.ok(Number(nodes?.["count"]) < 200, `${String(nodes?.["count"])} nodes`);
    assert.deepEqual(await all(rig, "select count(*) as n from batch where kind = 'archived'"), [
      { n: 2 },
    ]);
    assert.deepEqual(await rig.check(), []);
    await facts(rig, 10);
    await sign(rig);
    assert.deepEqual(await rig.check(), []);
  });

  it("takes nothing that is younger, nor what the vault has no signed head over", async () => {
    await using rig = await openRig();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await rig.keep("beeld");
    rig.clock.move(29 * DAY_MS);
    await retainOnce(rig);
    assert.equal(await once(rig), undefined);
    rig.clock.move(AFTER_MS + DAY_MS);
    assert.equal(await once(rig), undefined);
    await sign(rig);
    assert.notEqual(await once(rig), undefined);
  });

  it("waits while time is not trusted, however old everything looks (invariant 10)", async () => {
    await using rig = await openRig();
    await oldBox(rig);
    rig.clock.jump(DAY_MS);
    await turn(rig, rig.askHistory);
    assert.deepEqual(await countStates(rig.database), { stored: 1, destroyed: 1 });
  });

  for (const history of ["diverged", "unknown"] as const) {
    it(`waits while the ledger's history is ${history} (invariant 5)`, async () => {
      await using rig = await openRig();
      await oldBox(rig);
      await turn(rig, async () => history);
      assert.deepEqual(await countStates(rig.database), { stored: 1, destroyed: 1 });
      await turn(rig, rig.askHistory);
      assert.deepEqual(await countStates(rig.database), { stored: 1, archived: 1 });
    });
  }

  it("never lets a row leave that is not in a read-back archive, whatever the code asks", async () => {
    await using rig = await openRig();
    await oldBox(rig);
    for (const table of ["copy", "batch_row", "batch", "tree_node", "segment", "entry"]) {
      const leave = rig.database.transaction(async (sql) => {
        await sql.script("pragma defer_foreign_keys = on");
        await sql.run(`delete from ${table}`);
      });
      await assert.rejects(leave, { code: "CATALOG_RULE", message: /is not archived/ }, table);
    }
  });

  it("is made again when the sealed file is gone before the vault had it", async () => {
    await using rig = await openRig();
    await oldBox(rig);
    const away = { ...rig.vault, put: () => Promise.reject(new Error("power cut")) };
    const box = boxOf(rig);
    const cut = archiveOnce(rig.clock, rig.database, away, box, rig.clock.now(), NEVER);
    await assert.rejects(cut, /power cut/);
    assert.ok((await readFile(box.path)).subarray(0, 10).equals(Buffer.from("age-encryp")));
    await writeFile(box.path, "torn");
    assert.notEqual(await once(rig), undefined);
    assert.deepEqual(await rig.check(), []);
  });
});

describe("a proof, where entries lie in the archive", () => {
  for (const entries of [40, 1500, 5000]) {
    it(`of footage that is still held leads to the newest head, ${entries} entries on`, async () => {
      await using rig = await openRig();
      const { held, gone } = await oldBox(rig, entries);
      while (await once(rig));
      await facts(rig, 7);
      await sign(rig);
      const verifier = parseVerifier(verifierText(rig.key));
      const { files } = await proofFolder(rig.database, verifier, { segment: held });
      const folder = new Map(files.map(({ name, content }) => [name, Buffer.from(content)]));
      const claims = checkProofs(folder, verifier);
      assert.ok(claims.some(({ file }) => file.endsWith("segments.stored.0.row")));
      assert.ok(claims.some(({ file }) => file === "older.checkpoint"));
      assert.deepEqual(
        claims.filter(({ proven }) => !proven),
        [],
      );
      const archived = /archive.* ledger\/dock-1\/archive\/2026\/0{20}-/;
      const left = proofFolder(rig.database, verifier, { entry: 12 });
      await assert.rejects(left, { code: "LEDGER_NOT_FOUND", message: archived });
      // Its destruction is younger than its sealing, and is still here.
      const destroyed = await proofFolder(rig.database, verifier, { segment: gone });
      assert.ok(destroyed.files.some(({ name }) => name.endsWith("segments.destroyed.0.row")));
    });
  }
});

describe("verify, where entries lie in the archive", () => {
  const spoilt = {
    "an entry that stayed": "update entry set body = replace(body, '{', '{ ') where seq = 1",
    "a kept root": "update tree_node set hash = zeroblob(32) where level = 10",
    "the frontier": "update tree_node set hash = zeroblob(32) where level > 10",
  };
  it("finds that an entry was changed which stayed behind the last whole block", async () => {
    await using rig = await openRig();
    await oldBox(rig);
    await once(rig);
    assert.deepEqual(await rig.check("rows"), []);
    const change = "update entry set body = replace(body, '{', '{ ') where seq = 1";
    await rig.database.transaction((sql) => sql.script(`drop trigger entry_stays; ${change}`));
    assert.deepEqual(
      (await rig.check("rows")).map(({ what }) => what),
      ["ledger entry 1 is not the one in the archived tree"],
    );
  });

  for (const [what, change] of Object.entries(spoilt)) {
    it(`finds that ${what} was changed`, async () => {
      await using rig = await openRig();
      await oldBox(rig, 5000);
      while (await once(rig));
      await rig.database.transaction((sql) =>
        sql.script(`drop trigger entry_stays; drop trigger tree_node_stays; ${change}`),
      );
      const found = (await rig.check("rows")).map(({ invariant }) => invariant);
      assert.ok(found.length > 0 && found.every((invariant) => invariant === 5), found.join());
    });
  }
});
