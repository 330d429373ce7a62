import assert from "node:assert/strict";
import { mkdir, readdir, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { openBackOff } from "#base/back-off";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, plus } from "#base/time";
import type { Ask } from "../daemon/control/client.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { evictor } from "../daemon/evict.ts";
import { newSegmentId } from "../daemon/new-id.ts";
import { vaultFolder } from "../daemon/places.ts";
import { recordStored } from "../storage/catalog/copies.ts";
import { markStored } from "../storage/catalog/evict.ts";
import { recordSealed } from "../storage/catalog/record-sealed.ts";
import { segmentOfRow } from "../storage/catalog/segment-row.ts";
import { segmentPath } from "../storage/spool/spool.ts";
import { openRig, type Rig } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";

const START = instant(Date.parse("2026-11-02T06:00:00.000Z"));

async function record(site: Site, startedAt: Instant): Promise<void> {
  const local = new Date(startedAt + HOUR_MS).toISOString().slice(0, 19);
  const name = local.replaceAll(/[-:]/g, "").replace("T", "_");
  const folder = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.MP4`);
  await writeFile(path, `recording at ${name}`);
  await utimes(path, startedAt / 1000 + 60, startedAt / 1000 + 60);
}

async function states(ask: Ask): Promise<readonly string[]> {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  const oldestFirst = segments.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  return oldestFirst.map(({ state }) => state);
}

describe("days without the vault", function () {
  this.timeout(240_000);

  it("stop nothing: all is kept, then stored once, what came due is destroyed, and the vault is not stormed", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const vault = vaultFolder(site.demo.config.vault);
    const said = await whileRunning(site, async (ask, signal) => {
      await rename(vault, `${vault}-away`);
      await record(site, plus(START, -27 * DAY_MS));
      for (let quarter = 0; quarter < 12; quarter += 1) {
        await record(site, plus(site.clock.now(), -HOUR_MS));
        for (let hop = 0; hop < 12; hop += 1) await site.clock.pass(30 * MINUTE_MS, signal);
      }
      assert.deepEqual(await states(ask), [
        "destroying",
        ...Array.from({ length: 12 }, () => "sealed"),
      ]);
      await rename(`${vault}-away`, vault);
      const over = async () => (await states(ask)).every((state) => state.endsWith("ed"));
      const stored = async () => (await over()) && !(await states(ask)).includes("sealed");
      assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, stored, signal));
      assert.deepEqual(await states(ask), [
        "destroyed",
        ...Array.from({ length: 12 }, () => "stored"),
      ]);
      assert.deepEqual((await ask("verify", { depth: "hashes" })).findings, []);
    });
    const tries = said.filter((event) => event === "store-delayed").length;
    // Three days, a quarter of an hour at the shortest: never each minute for each segment.
    assert.ok(tries <= 3 * 24 * 2 * 3, `${tries} tries`);
    assert.equal(said.filter((event) => event === "stored").length, 12);
    const bodies = await readdir(join(vault, "footage"), { recursive: true });
    assert.equal(bodies.filter((name) => name.endsWith("body")).length, 12);
  });
});

describe("the wait for a vault that is away", () => {
  it("doubles from one minute to fifteen, jitter only shortens it, and an answer starts it anew", () => {
    const full = openBackOff(MINUTE_MS, 15 * MINUTE_MS, () => 0);
    const waits = Array.from({ length: 6 }, () => full.next() / MINUTE_MS);
    assert.deepEqual(waits, [1, 2, 4, 8, 15, 15]);
    const short = openBackOff(MINUTE_MS, 15 * MINUTE_MS, () => 0.999);
    assert.ok(short.next() > 0.74 * MINUTE_MS);
    full.reset();
    assert.equal(full.next(), MINUTE_MS);
  });
});

/** Puts `count` stored segments of one file into the ring, by the catalog's own functions. */
async function fillRing(rig: Rig, count: number): Promise<void> {
  await rig.keep("beeld");
  const [row] = await rig.database.transaction((sql) => sql.all("select * from segment"));
  if (!row) throw new Error("nothing was kept");
  const segment = segmentOfRow(row);
  for (let index = 1; index < count; index += 1) {
    const id = newSegmentId(rig.clock.now());
    const sourcePath = Buffer.from(`copy ${index}`);
    await recordSealed(rig.database, rig.clock.now(), { ...segment, id, sourcePath });
    await rig.database.transaction((sql) =>
      sql.run(
        `insert into copy (segment_id, place, state, bytes, changed_at_ms) values ($id, 'vault', 'writing', 1, 1)`,
        { $id: id },
      ),
    );
    await recordStored(rig.database, id, "version", undefined, rig.clock.now());
    await writeFile(segmentPath(rig.spool, id, segment.arrivedAt), "x");
  }
}

describe("room", () => {
  it("is made a hundred times faster than fifty cameras fill it, in three transactions a thousand copies", async function () {
    this.timeout(240_000);
    let transactions = 0;
    await using rig = await openRig({
      database: ":memory:",
      wrap: (database) => ({
        ...database,
        transaction: (body) => ((transactions += 1), database.transaction(body)),
      }),
    });
    const count = 1000;
    await fillRing(rig, count);
    transactions = 0;
    const began = performance.now();
    assert.equal(await markStored(rig.database, rig.clock.now(), 1e12), count);
    await evictor(rig.clock, rig.events, rig.database, rig.spool)();
    const aSecond = (count / (performance.now() - began)) * 1000;
    // Fifty cameras hand over a segment a minute each.
    assert.ok(aSecond > 100 * (50 / 60), `${aSecond.toFixed()} a second`);
    assert.ok(transactions <= 4, `${transactions} transactions`);
  });
});
