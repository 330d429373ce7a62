import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { DAY_MS } from "#base/time";
import { migrate } from "../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../storage/catalog/sqlite.ts";
import { checkLedger } from "../storage/check-ledger.ts";
import { append, commitmentTo, openTree } from "../storage/ledger/append.ts";
import { canonical } from "../storage/ledger/canonical.ts";
import { readCheckpoint, signCheckpoint } from "../storage/ledger/checkpoint.ts";
import {
  newNodeKeyPem,
  parseNodeKey,
  parseVerifier,
  signNote,
  verifiedText,
  verifierText,
} from "../storage/ledger/note.ts";
import { leafHash, nodeHash, openAppender, rootOver } from "../storage/ledger/tree.ts";
import { openRig, START } from "./fakes/rig.ts";

// RFC 6962 test tree of the Certificate Transparency project: 8 leaves and the roots over the first n.
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const ROOTS = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/** MTH of RFC 6962 §2.1, word for word: the slow oracle. */
function oracle(leaves: readonly string[]): Buffer {
  if (leaves.length === 0) return createHash("sha256").digest();
  if (leaves.length === 1) return leafHash(leaves[0] ?? "");
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(oracle(leaves.slice(0, k)), oracle(leaves.slice(k)));
}

async function openCatalog(): Promise<Database> {
  const database = await openDatabase(":memory:");
  await migrate(database);
  return database;
}

function gap(text: string) {
  return { kind: "gap.recorded", facts: { text } } as const;
}

describe("the ledger's tree", () => {
  it("has the roots of the Certificate Transparency test tree", () => {
    const leaves = LEAVES.map((leaf) => Buffer.from(leaf, "hex"));
    assert.deepEqual(
      ROOTS,
      ROOTS.map((_, index) => rootOver(leaves.slice(0, index + 1)).toString("hex")),
    );
  });

  it("has the root that RFC 6962 defines, for any leaves", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 70 }), (leaves) => {
        assert.deepEqual(rootOver(leaves), oracle(leaves));
      }),
    );
  });

  it("is the same whether appended in one transaction or in many", async () => {
    const one = await openCatalog();
    const many = await openCatalog();
    const [first, ...rest] = Array.from({ length: 100 }, (_, index) => gap(`fact ${index}`));
    if (!first) throw new Error("no entry");
    await one.transaction((sql) => append(sql, START, [first, ...rest]));
    for (const entry of [first, ...rest])
      await many.transaction((sql) => append(sql, START, [entry]));
    const roots = await Promise.all(
      [one, many].map((db) => db.transaction(openTree).then((tree) => tree.root())),
    );
    assert.deepEqual(roots[0], roots[1]);
  });

  it("grows only with the transaction it is in", async () => {
    const database = await openCatalog();
    await assert.rejects(
      database.transaction(async (sql) => {
        await append(sql, START, [gap("never")]);
        throw new Error("boom");
      }),
    );
    assert.equal((await database.transaction(openTree)).size, 0);
  });
});

describe("a ledger entry", () => {
  it("commits to personal detail without carrying it, and verifies after the detail is erased (R-02)", async () => {
    await using rig = await openRig();
    const detail = { facts: { by: "j.jansen" }, eraseAfterMs: START + DAY_MS };
    await rig.database.transaction((sql) =>
      append(sql, START, [{ kind: "clock.confirmed", facts: {}, detail }]),
    );
    const [row] = await rig.database.transaction((sql) =>
      sql.all(
        "select entry.body, detail.salt, detail.body as said from detail join entry on seq = entry_seq",
      ),
    );
    assert.doesNotMatch(String(row?.["body"]), /jansen/);
    const salt = row?.["salt"];
    assert.ok(salt instanceof Uint8Array);
    assert.match(
      String(row?.["body"]),
      new RegExp(commitmentTo(salt, canonical({ by: "j.jansen" }))),
    );
    await rig.database.transaction((sql) => sql.run("delete from detail"));
    assert.deepEqual(await rig.check("rows"), []);
  });
});

describe("a checkpoint", () => {
  it("is a signed note that the node's public key verifies, and no other key", async () => {
    const database = await openCatalog();
    await database.transaction((sql) => append(sql, START, [gap("a"), gap("b")]));
    const key = parseNodeKey("bewaard/test/dock-1", newNodeKeyPem());
    const other = parseNodeKey("bewaard/test/dock-1", newNodeKeyPem());
    const signed = await signCheckpoint(database, START, key);
    const head = readCheckpoint(parseVerifier(verifierText(key)), signed?.note ?? "");
    assert.equal(head?.size, 2);
    assert.deepEqual(head?.root, (await database.transaction(openTree)).root());
    assert.equal(readCheckpoint(parseVerifier(verifierText(other)), signed?.note ?? ""), undefined);
    assert.equal(await signCheckpoint(database, START, key), undefined);
  });

  it("does not verify with one character changed", () => {
    const key = parseNodeKey("n", newNodeKeyPem());
    const verifier = parseVerifier(verifierText(key));
    const note = signNote(key, "n\n1\nAAAA\n");
    assert.equal(verifiedText(verifier, note), "n\n1\nAAAA\n");
    assert.equal(verifiedText(verifier, note.replace("\n1\n", "\n2\n")), undefined);
  });

  it("refuses a public key whose name was changed", () => {
    const text = verifierText(parseNodeKey("bewaard/test/dock-1", newNodeKeyPem()));
    assert.throws(() => parseVerifier(text.replace("dock-1", "dock-2")), { code: "NODE_KEY" });
  });
});

describe("checking the ledger", () => {
  async function tampered(change: string): Promise<readonly string[]> {
    const database = await openCatalog();
    const key = parseNodeKey("bewaard/test/dock-1", newNodeKeyPem());
    await database.transaction((sql) => append(sql, START, [gap("a"), gap("b"), gap("c")]));
    await signCheckpoint(database, START, key);
    await database.transaction(async (sql) => {
      for (const name of ["entry_stays", "entry_archived", "tree_node_stays"])
        await sql.script(`drop trigger ${name}`);
      await sql.script(change);
    });
    const { findings } = await checkLedger(database, parseVerifier(verifierText(key)));
    return findings.map(({ what }) => what);
  }

  it("finds nothing in one that was not touched", async () => {
    assert.deepEqual(await tampered("select 1"), []);
  });

  it("finds an entry that was changed, even with its own node", async () => {
    const found = await tampered(
      `update entry set body = replace(body, '"b"', '"x"') where seq = 1`,
    );
    assert.match(found.join("\n"), /another root[^]*not the tree/);
  });

  it("finds an entry that was taken out", async () => {
    assert.match(
      (await tampered("delete from entry where seq = 1")).join("\n"),
      /entry 1 is missing/,
    );
  });

  it("finds that the end was cut off", async () => {
    const found = await tampered("delete from entry where seq = 2");
    assert.match(found.join("\n"), /a checkpoint of 3 entries, which are not there/);
  });

  it("finds a node of the tree that was changed", async () => {
    const found = await tampered("update tree_node set hash = zeroblob(32) where level = 1");
    assert.match(found.join("\n"), /stored tree is not the tree/);
  });
});

describe("an appender", () => {
  it("knows only its frontier and still has the whole tree's root", () => {
    const whole = openAppender(0, []);
    const nodes = [];
    for (let leaf = 0; leaf < 37; leaf += 1) nodes.push(...whole.append(leafHash(String(leaf))));
    const resumed = openAppender(
      37,
      nodes.filter(
        ({ level, position }) =>
          Math.floor(37 / 2 ** level) - 1 === position && Math.floor(37 / 2 ** level) % 2 === 1,
      ),
    );
    whole.append(leafHash("next"));
    resumed.append(leafHash("next"));
    assert.deepEqual(resumed.root(), whole.root());
  });
});
