import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { migrate } from "../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { readCheckpoint } from "../storage/ledger/checkpoint.ts";
import {
  newNodeKeyPem,
  parseNodeKey,
  parseVerifier,
  signNote,
  verifierText,
} from "../storage/ledger/note.ts";
import { isConsistent, rootOfInclusion } from "../storage/ledger/proof.ts";
import {
  consistencyProofText,
  parseConsistencyProof,
  parseRowProof,
  parseTlogProof,
  rowProofText,
  tlogProofText,
} from "../storage/ledger/proof-text.ts";
import { proveConsistency, proveInclusion, proveRow, rootAt } from "../storage/ledger/prove.ts";
import { leafHash, rootOver } from "../storage/ledger/tree.ts";
import { auditPath, consistencyProof, treeHash } from "./fakes/rfc6962.ts";
import { START } from "./fakes/rig.ts";

const LARGEST = 600;

/** A ledger of `LARGEST` entries and their bodies. */
async function grownLedger(): Promise<{ database: Database; leaves: readonly Buffer[] }> {
  const database = await openDatabase(":memory:");
  await migrate(database);
  const [first, ...rest] = Array.from(
    { length: LARGEST },
    (_, index) => ({ kind: "gap.recorded", facts: { index } }) as const,
  );
  if (first === undefined) throw new Error("no entry");
  await database.transaction((sql) => append(sql, START, [first, ...rest]));
  const rows = await database.transaction((sql) => sql.all("select body from entry order by seq"));
  return { database, leaves: rows.map(({ body }) => Buffer.from(String(body))) };
}

const place = fc
  .integer({ min: 1, max: LARGEST })
  .chain((size) => fc.tuple(fc.integer({ min: 0, max: size - 1 }), fc.constant(size)));

const pair = fc
  .integer({ min: 1, max: LARGEST })
  .chain((newer) => fc.tuple(fc.integer({ min: 1, max: newer }), fc.constant(newer)));

/** Each way to change one byte, or leave one hash out, or add one. */
function altered(path: readonly Buffer[], at: number, bit: number): readonly (readonly Buffer[])[] {
  const one = Buffer.from(path[at % Math.max(1, path.length)] ?? Buffer.alloc(32));
  one[at % 32] = (one[at % 32] ?? 0) ^ (1 << bit);
  const changed = path.length === 0 ? [] : [path.with(at % path.length, one)];
  return [
    ...changed,
    [...path, Buffer.alloc(32, bit)],
    ...(path.length === 0 ? [] : [path.slice(1)]),
  ];
}

describe("an inclusion proof, read from the stored tree", () => {
  it("is the audit path that RFC 6962 defines and leads to its root, for any size and place", async () => {
    const { database, leaves } = await grownLedger();
    await fc.assert(
      fc.asyncProperty(place, async ([index, size]) => {
        const path = await database.transaction((sql) => proveInclusion(sql, index, size));
        const tree = leaves.slice(0, size);
        assert.deepEqual(path, auditPath(index, tree));
        const leaf = leafHash(leaves[index] ?? "");
        assert.deepEqual(rootOfInclusion(leaf, index, size, path), treeHash(tree));
        assert.deepEqual(await database.transaction((sql) => rootAt(sql, size)), treeHash(tree));
      }),
      { numRuns: 150 },
    );
  });

  it("proves nothing with one byte of body or path, or the place, changed", async () => {
    const { database, leaves } = await grownLedger();
    const anything = fc.tuple(place, fc.nat(LARGEST - 1), fc.nat(31), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(anything, async ([[index, size], other, at, bit]) => {
        const path = await database.transaction((sql) => proveInclusion(sql, index, size));
        const root = treeHash(leaves.slice(0, size));
        const body = Buffer.from(leaves[index] ?? "");
        for (const wrong of altered(path, at, bit))
          assert.notDeepEqual(rootOfInclusion(leafHash(body), index, size, wrong), root);
        if (other !== index)
          assert.notDeepEqual(rootOfInclusion(leafHash(body), other, size, path), root);
        body[at % body.length] = (body[at % body.length] ?? 0) ^ (1 << bit);
        assert.notDeepEqual(rootOfInclusion(leafHash(body), index, size, path), root);
      }),
      { numRuns: 150 },
    );
  });

  it("has no place outside the tree, and none that is no number", () => {
    for (const [index, size] of [
      [1, 1],
      [0, 0],
      [-1, 2],
      [0.5, 2],
      [Number.NaN, 2],
    ] as const)
      assert.equal(rootOfInclusion(leafHash(""), index, size, []), undefined);
  });

  it("of a row in its batch is the audit path over the rows", () => {
    const rows = fc.array(fc.string(), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(rows, fc.nat(79), (bodies, any) => {
        const index = any % bodies.length;
        const path = proveRow(bodies, index);
        assert.deepEqual(
          path,
          auditPath(
            index,
            bodies.map((body) => Buffer.from(body)),
          ),
        );
        const leaf = leafHash(bodies[index] ?? "");
        assert.deepEqual(rootOfInclusion(leaf, index, bodies.length, path), rootOver(bodies));
      }),
    );
  });
});

describe("a consistency proof, read from the stored tree", () => {
  it("is the one that RFC 6962 defines, and proves that the older ledger is the beginning", async () => {
    const { database, leaves } = await grownLedger();
    await fc.assert(
      fc.asyncProperty(pair, async ([older, newer]) => {
        const path = await database.transaction((sql) => proveConsistency(sql, older, newer));
        assert.deepEqual(path, consistencyProof(older, leaves.slice(0, newer)));
        const [before, after] = [older, newer].map((size) => ({
          size,
          root: treeHash(leaves.slice(0, size)),
        }));
        assert.ok(before && after && isConsistent(before, after, path));
      }),
      { numRuns: 150 },
    );
  });

  it("holds for all pairs of sizes, and for no other pair of roots", async () => {
    const { database, leaves } = await grownLedger();
    const limit = 40;
    const trees = Array.from({ length: limit + 1 }, (_, size) => ({
      size,
      root: treeHash(leaves.slice(0, size)),
    }));
    await database.transaction(async (sql) => {
      for (const newer of trees.slice(1)) {
        for (const older of trees.slice(1, newer.size + 1)) {
          const path = await proveConsistency(sql, older.size, newer.size);
          assert.ok(isConsistent(older, newer, path), `${older.size} and ${newer.size}`);
          const forged = { size: older.size, root: leafHash("forged") };
          assert.ok(!isConsistent(forged, newer, path));
          assert.ok(!isConsistent(older, { size: newer.size, root: forged.root }, path));
        }
      }
    });
  });

  it("proves nothing with one byte changed, one hash more or fewer, or the sizes exchanged", async () => {
    const { database, leaves } = await grownLedger();
    await fc.assert(
      fc.asyncProperty(pair, fc.nat(31), fc.nat(7), async ([older, newer], at, bit) => {
        const path = await database.transaction((sql) => proveConsistency(sql, older, newer));
        const before = { size: older, root: treeHash(leaves.slice(0, older)) };
        const after = { size: newer, root: treeHash(leaves.slice(0, newer)) };
        for (const wrong of altered(path, at, bit)) assert.ok(!isConsistent(before, after, wrong));
        if (older !== newer) assert.ok(!isConsistent(after, before, path));
      }),
      { numRuns: 150 },
    );
  });
});

describe("a proof as text", () => {
  const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 12 });
  const paths = hashes.map((all) => all.map((hash) => Buffer.from(hash)));

  it("reads back as it was written", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), paths, (index, to, path) => {
        const proof = { index, path, checkpoint: "n\n1\nAAAA\n\n— n sig\n" };
        assert.deepEqual(parseTlogProof(tlogProofText(proof)), proof);
        assert.deepEqual(parseRowProof(rowProofText({ index, path })), { index, path });
        const grown = { from: index, to, path };
        assert.deepEqual(parseConsistencyProof(consistencyProofText(grown)), grown);
      }),
    );
  });

  it("is c2sp.org/tlog-proof@v1, whose extra data is passed over", () => {
    const hash = Buffer.alloc(32, 7);
    const text = `c2sp.org/tlog-proof@v1\nextra QUJD\nindex 73894\n${hash.toString("base64")}\n\nnote\n`;
    assert.deepEqual(parseTlogProof(text), { index: 73894, path: [hash], checkpoint: "note\n" });
  });

  it("with any one byte changed no longer proves its entry", () => {
    const key = parseNodeKey("bewaard/test/dock-1", newNodeKeyPem());
    const verifier = parseVerifier(verifierText(key));
    const bodies = Array.from({ length: 11 }, (_, index) => `entry ${index}`);
    const note = signNote(key, `${key.name}\n11\n${rootOver(bodies).toString("base64")}\n`);
    const good = tlogProofText({ index: 4, path: proveRow(bodies, 4), checkpoint: note });
    const proves = (text: string): boolean => {
      const proof = parseTlogProof(text);
      const head = proof && readCheckpoint(verifier, proof.checkpoint);
      if (!proof || !head) return false;
      const root = rootOfInclusion(leafHash("entry 4"), proof.index, head.size, proof.path);
      return root?.equals(head.root) ?? false;
    };
    assert.ok(proves(good));
    const bytes = Buffer.from(good);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [0, 1, 6]) {
        const wrong = Buffer.from(bytes);
        wrong[at] = (wrong[at] ?? 0) ^ (1 << bit);
        assert.ok(!proves(wrong.toString("utf8")), `byte ${at}, bit ${bit}`);
      }
    }
  });
});
