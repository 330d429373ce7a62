import assert from "node:assert/strict";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "mocha";
import { parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant, isoOf, plus } from "#base/time";
import { recordMediumDestroyed } from "../storage/catalog/medium-destroyed.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { check } from "../storage/check.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { bytesBody, textBody } from "../storage/vault/body.ts";
import { entriesKey, footageKey } from "../storage/vault/keys.ts";
import { FREELY, type ObjectFacts } from "../storage/vault/vault.ts";
import {
  hold,
  OTHER_HOLD,
  openDisk,
  present,
  release,
  secureOnce,
  unplug,
} from "./fakes/medium.ts";
import { publish, rebuiltOf } from "./fakes/rebuilt-rig.ts";
import { CAMERA, NEVER, openRig, type Rig, START } from "./fakes/rig.ts";

const ID = parseSegmentId("01KT1A0F80E16XX53FZ756YT2C");

function rowsOf(database: Database, sql: string) {
  return database.transaction((one) => one.all(sql));
}

/** Puts the sealed bytes of a segment that is known as another one, with facts of its own. */
async function forge(rig: Rig, of: SegmentId, started: number, more: ObjectFacts): Promise<string> {
  for await (const { key, versionId } of rig.vault.list("footage/", NEVER)) {
    if (!key.includes(of)) continue;
    const bytes = Buffer.concat(await Array.fromAsync(rig.vault.read(key, versionId, NEVER)));
    const facts = { ...(await rig.vault.facts(key, versionId)), id: ID, ...more };
    const forged = footageKey(rig.box.node, CAMERA, instant(started), ID);
    const started_ = isoOf(instant(started));
    await rig.vault.put(
      forged,
      bytesBody(bytes),
      { ...FREELY, facts: { ...facts, started: started_, ended: "" } },
      NEVER,
    );
    return forged;
  }
  throw new Error("no such segment");
}

describe("a catalog made again, of a separate medium (AR-20, invariants 4, 6)", () => {
  it("knows the copy that was made for a later hold, and removes it when that is released", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await secureOnce(rig, medium);
    await release(rig);
    await secureOnce(rig, medium);
    await hold(rig, id, OTHER_HOLD);
    await secureOnce(rig, medium);
    await publish(rig);
    await using database = (await rebuiltOf(rig)).database;
    const query = "select state, medium_id, sha256 from copy where place = 'secured'";
    assert.deepEqual(await rowsOf(database, query), await rowsOf(rig.database, query));
  });

  it("is verified, and its copy is found where it lies", async () => {
    await using rig = await openRig();
    const medium = await openDisk(rig);
    await hold(rig, await rig.keep("beeld"));
    await secureOnce(rig, medium);
    await publish(rig);
    await using database = (await rebuiltOf(rig)).database;
    const { spool, vault, box, key } = rig;
    const kept = { database, spool, vault, node: box.node, secured: medium };
    const verifier = parseVerifier(verifierText(key));
    const { findings } = await check({ ...kept, verifier }, "hashes", rig.clock.now(), NEVER);
    assert.deepEqual(
      findings.filter(({ what }) => what.includes("usb-schijf")),
      [],
    );
  });

  for (const what of ["all", "one"] as const) {
    it(`remembers that ${what} of it was signed to be destroyed (invariant 12)`, async () => {
      await using rig = await openRig();
      const medium = await openDisk(rig);
      const id = await rig.keep("beeld");
      await hold(rig, id);
      await secureOnce(rig, medium);
      await unplug(rig);
      await release(rig);
      await secureOnce(rig, medium);
      await rig.database.transaction((sql) =>
        recordMediumDestroyed(sql, rig.clock.now(), medium, what === "all" ? what : [id], {
          desk: [1, 2],
          by: ["p-01", "p-02"],
        }),
      );
      await present(rig);
      await publish(rig);
      await using database = (await rebuiltOf(rig)).database;
      const copies = "select state from copy where place = 'secured'";
      assert.deepEqual(await rowsOf(database, copies), await rowsOf(rig.database, copies));
      const media = "select kind, serial, identity, destroyed_at_ms from medium";
      assert.deepEqual(await rowsOf(database, media), await rowsOf(rig.database, media));
    });
  }
});

describe("a catalog made again from a vault that somebody else wrote in", () => {
  it("believes no unsigned entry about which signed ones are unsigned (invariants 4, 5)", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await hold(rig, id);
    await publish(rig);
    const [last] = await rowsOf(rig.database, "select max(size) as size from checkpoint");
    const size = Number(last?.["size"]);
    const lie = {
      at: isoOf(START),
      kind: "catalog.rebuilt",
      signed: 0,
      entries: size,
      signer: "x",
    };
    const key = entriesKey(rig.box.node, size, size + 1);
    await rig.vault.put(key, textBody(`${JSON.stringify(lie)}\n`), FREELY, NEVER);
    await using database = (await rebuiltOf(rig)).database;
    assert.equal((await rowsOf(database, "select 1 from hold")).length, 1);
  });

  it("keeps nothing longer for a lie about when it arrived (invariant 3)", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await publish(rig);
    const far = isoOf(plus(START, 3650 * DAY_MS));
    await forge(rig, id, START + HOUR_MS, { arrived: far, due: far });
    const { database, adopted } = await rebuiltOf(rig);
    await using _ = database;
    assert.equal(adopted, 1);
    const [row] = await rowsOf(database, `select due_at_ms from segment where id = '${ID}'`);
    assert.ok(
      Number(row?.["due_at_ms"]) <= START + 28 * DAY_MS,
      isoOf(instant(Number(row?.["due_at_ms"]))),
    );
  });

  for (const [what, started, more] of [
    ["begins before there was time", 0, {}],
    ["arrived before there was time", START, { arrived: isoOf(instant(0)) }],
    ["has the wrong kind of digest", START, { "plaintext-sha256": "zz" }],
    ["has a producer without a name", START, { producer: "" }],
  ] as const) {
    it(`is not stopped by footage that ${what}`, async () => {
      await using rig = await openRig();
      const id = await rig.keep("beeld");
      await publish(rig);
      await forge(rig, id, started, more);
      const { database, adopted, strange } = await rebuiltOf(rig);
      await using _ = database;
      assert.equal(adopted + strange.length, 1);
    });
  }

  it("is not stopped by an object whose facts are damaged or gone", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    await publish(rig);
    const forged = await forge(rig, id, START + HOUR_MS, {});
    const [version] = await rig.vault.versions(forged);
    const facts = join(rig.folder, "vault", `${forged}~`, version?.versionId ?? "", "facts.json");
    const whole = await readFile(facts, "utf8");
    await rm(facts);
    await writeFile(facts, whole.slice(0, 20));
    const first = await rebuiltOf(rig);
    await first.database[Symbol.asyncDispose]();
    assert.deepEqual(first.strange, [forged]);
    for (const end of ["", "-wal", "-shm"])
      await rm(join(rig.folder, `rebuilt.db${end}`), { force: true });
    await rm(facts);
    const second = await rebuiltOf(rig);
    await second.database[Symbol.asyncDispose]();
    assert.deepEqual(second.strange, [forged]);
  });

  it("takes no bytes under another key for a segment's, and says that they are strange (invariant 6)", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await rig.adoptOnce();
    await publish(rig);
    // No head says under which version it was stored.
    await rig.storeOnce();
    const [known] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    const other = footageKey(rig.box.node, CAMERA, instant(START - 40 * DAY_MS), id);
    const at = (key = "") => join(rig.folder, "vault", `${key}~`);
    await mkdir(dirname(at(other)), { recursive: true });
    await cp(
      join(at(known?.key), known?.versionId ?? ""),
      join(at(other), "01J0000000000000000000000A"),
      {
        recursive: true,
      },
    );
    const { database, strange } = await rebuiltOf(rig);
    await using _ = database;
    assert.deepEqual(strange, [other]);
    const [copy] = await rowsOf(database, "select version_id from copy where place = 'vault'");
    assert.equal(copy?.["version_id"], known?.versionId);
  });
});
