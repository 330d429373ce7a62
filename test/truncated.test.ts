import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { findInLedger } from "../daemon/desk/node-ledger.ts";
import { openFootage } from "../daemon/desk/open.ts";
import { openStation } from "../daemon/desk/station.ts";
import { settleLeftovers } from "../daemon/leftovers.ts";
import { findSegments, readSegment } from "../storage/catalog/find.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { CHUNK_BYTES, SEALED_CHUNK_BYTES } from "../storage/seal/chunk.ts";
import { parseRecipientBook, recipientFor } from "../storage/seal/recipients.ts";
import { salvageSealed } from "../storage/seal/salvage.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { manifestText, parseManifest } from "../storage/spool/manifest.ts";
import { incomingFolder, openSpool } from "../storage/spool/spool.ts";
import { type CutOff, leaveCutOff } from "./fakes/cut-off.ts";
import { CAMERA, dockOf, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";

/** Three whole chunks, of which the last was held back, as the sealer does. */
const CONTENT = randomBytes(3 * CHUNK_BYTES);

async function cutOff(rig: Rig, changes: Partial<CutOff> = {}) {
  const [day] = rig.sealing.book;
  const { node, incoming } = rig.sealing;
  const recipient = day?.recipient ?? "";
  const known = { node, recipient, content: CONTENT, startedAt: START, ...changes };
  return leaveCutOff(incoming, known);
}

async function settled(rig: Rig): Promise<readonly string[]> {
  await settleLeftovers(rig.events, rig.sealing.incoming, [
    dockOf(CAMERA, join(rig.folder, "card")),
  ]);
  return (await readdir(rig.sealing.incoming)).toSorted();
}

async function kept(rig: Rig) {
  await rig.adoptOnce();
  await rig.storeOnce();
  return findSegments(rig.database, { device: CAMERA, from: instant(0), to: instant(9e12) });
}

async function leaf(rig: Rig): Promise<string> {
  const rows = await rig.database.transaction((sql) =>
    sql.all("select body from entry where kind = 'segment.sealed' order by seq desc"),
  );
  return String(rows[0]?.["body"]);
}

describe("what a crash left of sealing, at the next start", () => {
  it("is closed, marked and kept where its source is gone: stored, proven, and it opens as far as it goes", async () => {
    await using rig = await openRig();
    const id = await cutOff(rig);
    assert.deepEqual(await settled(rig), [`${id}.age`, `${id}.json`]);
    assert.deepEqual(rig.said, ["truncated"]);
    const [segment, ...others] = await kept(rig);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [segment?.id, segment?.state, segment?.truncated, segment?.plaintextSha256],
      [id, "stored", true, undefined],
    );
    assert.match(await leaf(rig), /"plaintextBytes":null,"plaintextSha256":null.*"truncated":true/);
    assert.deepEqual(await rig.check(), []);
    const [version] = await Array.fromAsync(rig.vault.list("footage/", NEVER));
    const sealed = rig.vault.read(version?.key ?? "", version?.versionId ?? "", NEVER);
    const pieces = await Array.fromAsync(salvageSealed(sealed, decrypterOf(rig.identity)));
    assert.ok(Buffer.concat(pieces).equals(CONTENT.subarray(0, 2 * CHUNK_BYTES)));
  });

  it("is removed where the same file is on the card, which is taken again", async () => {
    await using rig = await openRig();
    const path = join(rig.folder, "card", "a.MP4");
    await writeFile(path, CONTENT);
    await utimes(path, START / 1000, START / 1000);
    await cutOff(rig, { path: "a.MP4", sourceBytes: CONTENT.length });
    assert.deepEqual(await settled(rig), []);
  });

  it("is kept where another file is in the source's place", async () => {
    for (const changed of [{ sourceBytes: 5 }, { modifiedAt: plus(START, 2000) }]) {
      await using rig = await openRig();
      const path = join(rig.folder, "card", "a.MP4");
      await writeFile(path, CONTENT);
      await utimes(path, START / 1000, START / 1000);
      await cutOff(rig, { path: "a.MP4", sourceBytes: CONTENT.length, ...changed });
      assert.equal((await settled(rig)).length, 2);
    }
  });

  it("and the whole file, when its card comes back, are two segments", async () => {
    await using rig = await openRig();
    await cutOff(rig, { path: named(0) });
    await settled(rig);
    await kept(rig);
    await rig.record(CONTENT.toString("latin1"), named(0));
    const segments = await kept(rig);
    assert.deepEqual(new Set(segments.map(({ truncated }) => truncated)), new Set([false, true]));
    assert.deepEqual(await rig.check(), []);
  });

  it("is removed, and said, when no byte of footage could be in it", async () => {
    for (const keptBytes of [0, 30, 200]) {
      await using rig = await openRig();
      await cutOff(rig, { keptBytes });
      assert.deepEqual(await settled(rig), [], `${keptBytes} bytes`);
      assert.deepEqual(rig.said, ["cut-off-empty"]);
    }
  });

  it("of which nobody can say what it is, is set apart and not removed", async () => {
    await using rig = await openRig();
    const id = await cutOff(rig);
    await writeFile(join(rig.sealing.incoming, `${id}.intent`), "{");
    assert.deepEqual(await settled(rig), [`${id}.age`, `${id}.json`]);
    await rig.adoptOnce();
    const folder = join(rig.spool.path, "quarantine");
    const [apart] = await readdir(folder);
    assert.deepEqual(await readdir(join(folder, apart ?? "")), [`${id}.age`, `${id}.json`]);
  });

  it("is nothing any more once its manifest has its name", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    await writeFile(join(rig.sealing.incoming, `${id}.intent`), "{}");
    assert.deepEqual(await settled(rig), [`${id}.age`, `${id}.json`]);
  });
});

describe("the hash of a plaintext", () => {
  it("is unknown in a manifest that says truncated, and in no other", async () => {
    await using rig = await openRig();
    const id = await cutOff(rig);
    await settled(rig);
    const text = await readFile(join(rig.sealing.incoming, `${id}.json`), "utf8");
    const truncated = parseManifest(Buffer.from(text));
    assert.equal(manifestText(truncated), text);
    for (const lie of [
      text.replace('"truncated":true', '"truncated":false'),
      text.replace('"plaintext":null', `"plaintext":{"bytes":1,"sha256":"${"0".repeat(64)}"}`),
    ]) {
      assert.throws(() => parseManifest(Buffer.from(lie)), { code: "MANIFEST_LIES" });
    }
  });

  it("is unknown in the catalog of a truncated segment only, and stays so, whatever the code asks", async () => {
    await using rig = await openRig();
    const id = await cutOff(rig);
    await settled(rig);
    await kept(rig);
    const hash = "0".repeat(64);
    await assert.rejects(
      rig.database.transaction((sql) =>
        sql.run(`update segment set plaintext_sha256 = '${hash}' where id = $id`, { $id: id }),
      ),
      { code: "CATALOG_RULE" },
    );
    const columns = "truncated, plaintext_sha256, plaintext_bytes";
    const rest = `device_id, producer, started_at_ms, time_source, time_trust, arrived_at_ms,
      arrived_boot_id, arrived_uptime_ms, clock_declared, due_at_ms, ciphertext_bytes, part_sha256,
      sealed_for, state, entry_seq`;
    for (const values of ["0, null, null", `1, '${hash}', 1`, `1, null, 1`]) {
      await assert.rejects(
        rig.database.transaction((sql) =>
          sql.run(
            `insert into segment (id, ${columns}, ${rest})
             select '01J00000000000000000000009', ${values}, ${rest} from segment`,
          ),
        ),
        { code: "CATALOG_RULE" },
      );
    }
  });
});

describe("a catalog of release 0.1", () => {
  it("keeps what it knows of each segment when truncated ones become possible", async () => {
    await using rig = await openRig();
    const id = await rig.keep("beeld");
    const path = join(rig.folder, "old.db");
    await using old = await openDatabase(path);
    const migrations = new URL("../storage/catalog/migrations/", import.meta.url);
    const first = await readFile(new URL("0001_catalog.sql", migrations), "utf8");
    await old.transaction((sql) => sql.script(`${first}; pragma user_version = 1`));
    const columns = `id, device_id, producer, started_at_ms, time_source, time_trust, arrived_at_ms,
      arrived_boot_id, arrived_uptime_ms, clock_declared, due_at_ms, due_provisional, plaintext_sha256,
      plaintext_bytes, ciphertext_bytes, part_sha256, sealed_for, state, entry_seq`;
    const values = `'${id}', 'bc-0101', 'dock', 1, 'name', 'trusted', 1, 'b', 1, 'unknown', 2, 0,
      '${"a".repeat(64)}', 5, 9, zeroblob(32), '2026-06-01', 'sealed', 0`;
    await old.transaction((sql) =>
      sql.script(`insert into entry values (0, 1, 'test', '{}');
        insert into device values ('bc-0101', 'bodycam', 0, null, 0);
        insert into segment (${columns}) values (${values})`),
    );
    await migrate(old);
    const segment = await readSegment(old, id);
    assert.deepEqual(
      [segment?.plaintextSha256, segment?.plaintextBytes, segment?.truncated],
      ["a".repeat(64), 5, false],
    );
    const [checked] = await old.transaction((sql) => sql.all("pragma integrity_check"));
    assert.equal(checked?.["integrity_check"], "ok");
  });
});

/** Whether a desk would find it: under a signed head that is in the vault, and stored. */
async function isInLedger(site: Site, id: SegmentId, signal: AbortSignal): Promise<boolean> {
  await using station = await openStation(site.demo.desk);
  const { vault, config } = station;
  try {
    await findInLedger(vault, config.nodes, config.site, site.demo.config.node, id, signal);
    return (await Array.fromAsync(vault.list("footage/", signal))).length === 1;
  } catch (error) {
    if (error instanceof BewaardError) return false;
    throw error;
  }
}

describe("a truncated segment at the desk", () => {
  it("opens as far as it goes, and then tells its hash and what is missing", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { config } = site.demo;
    const { day, recipient } = recipientFor(
      parseRecipientBook(await readFile(config.recipients, "utf8")),
      "2026-06-01",
    );
    const spool = await openSpool(config.spool.path, config.node);
    const of = { node: config.node, recipient, sealedFor: day, content: CONTENT };
    const keptBytes = 2 * SEALED_CHUNK_BYTES + 100;
    const cut = { ...of, startedAt: plus(START, -HOUR_MS), keptBytes };
    const id = await leaveCutOff(incomingFolder(spool, "dock"), cut);
    await whileRunning(site, async (ask, signal) => {
      const known = () => isInLedger(site, id, signal);
      assert.ok(await passUntil(site.clock, MINUTE_MS, 3 * HOUR_MS, known, signal));
      const found = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
      assert.deepEqual(
        found.segments.map(({ truncated, bytes }) => [truncated, bytes]),
        [[true, null]],
      );
    });
    await using station = await openStation(site.demo.desk);
    const target = { node: config.node, id };
    const key = site.demo.officerKey;
    const opening = openFootage(site.clock, station, target, "aangifte", key, NEVER);
    const hash = createHash("sha256");
    let bytes = 0;
    for (;;) {
      const next = await opening.next();
      if (next.done) {
        const { sha256, salvaged } = next.value;
        assert.equal(sha256, hash.digest("hex"));
        assert.deepEqual([salvaged?.chunks, salvaged?.complete], [1, false]);
        assert.ok((salvaged?.lostBytes ?? 0) > 0);
        break;
      }
      hash.update(next.value);
      bytes += next.value.length;
    }
    assert.equal(bytes, CHUNK_BYTES);
  });
});
