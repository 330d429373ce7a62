import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseNodeId, parseSegmentId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, plus } from "#base/time";
import { readPolicy } from "../../config/load.ts";
import type { Ask } from "../../daemon/control/client.ts";
import { passUntil } from "../../daemon/demo/simulated-clock.ts";
import { holdFootage } from "../../daemon/desk/hold.ts";
import { openStation } from "../../daemon/desk/station.ts";
import { catalogPath } from "../../daemon/places.ts";
import { rebuildBox } from "../../daemon/rebuild.ts";
import { verifyBox } from "../../daemon/verify.ts";
import { openDatabase, type SqlRow } from "../../storage/catalog/sqlite.ts";
import { lose } from "../fakes/lost-box.ts";
import { NEVER } from "../fakes/rig.ts";
import { openSite, type Site, whileRunning } from "../fakes/site.ts";
import { BOX, BUCKET, openPoliced, type Policed } from "./policed.ts";

// With the credentials and policies as `bewaard vault policy` prints them: a rebuild needs no more than the box has.

/** As the clock of Ceph has it, for locks that must end in the future. */
const START = instant(Math.floor(systemClock.now() / MINUTE_MS) * MINUTE_MS);
const AMSTERDAM = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Europe/Amsterdam",
  dateStyle: "short",
  timeStyle: "medium",
});

async function film(site: Site, at: Instant): Promise<void> {
  const card = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  const name = AMSTERDAM.format(at).replaceAll("-", "").replaceAll(":", "").replace(" ", "_");
  await writeFile(join(card, `${name}.MP4`), `recording ${name}`);
}

function vaultOf({ bucket, ceph }: Policed): object {
  const declared = { country: "NL", declared_by: "functioneel-beheer", declared_on: "2026-09-01" };
  const { provider, level } = bucket;
  const place = { provider, level, region: ceph.region, endpoint: ceph.endpoint, bucket: BUCKET };
  return { vault: { s3: { ...place, ...declared } } };
}

function credentialsOf(policed: Policed) {
  return {
    box: policed.credential("box"),
    destroyer: policed.credential("destroyer"),
    custodian: policed.credential("custodian"),
  };
}

async function holdFirst(site: Site, ask: Ask): Promise<string> {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 9e12 });
  const id = segments[0]?.id ?? "";
  await using station = await openStation(site.demo.desk);
  const policy = await readPolicy("den-haag");
  const asked = {
    incident: "2026-1",
    purpose: "aangifte",
    ground: policy.hold_grounds[0]?.name ?? "",
    reference: "PL1500-2026",
    reason: "bedreiging van een handhaver",
    reviewAt: plus(site.clock.now(), 60 * DAY_MS),
    segments: [{ node: parseNodeId(BOX), id: parseSegmentId(id) }],
  };
  await holdFootage(site.clock, station, policy, asked, NEVER);
  return id;
}

/** Lets time pass until so many are stored, so many held, and, when asked, a head was published after that. */
async function until(
  site: Site,
  ask: Ask,
  stored: number,
  held: number,
  signed: boolean,
  signal: AbortSignal,
) {
  const all = async (): Promise<boolean> => {
    const { states, holds } = await ask("status", {});
    return states["stored"] === stored && holds.inForce === held;
  };
  assert.ok(await passUntil(site.clock, MINUTE_MS, 6 * HOUR_MS, all, signal), `${stored} stored`);
  if (!signed) return;
  const size = async () => (await ask("ledger.head", {})).checkpoint?.size ?? 0;
  const before = await size();
  const more = async () => (await size()) > before;
  assert.ok(await passUntil(site.clock, MINUTE_MS, 6 * HOUR_MS, more, signal), "a head");
}

async function rows(path: string): Promise<readonly SqlRow[]> {
  await using database = await openDatabase(path);
  return await database.transaction((sql) =>
    sql.all(
      `select id, state, due_at_ms, locked_until_ms,
         (select version_id from copy where segment_id = id and place = 'vault') as version,
         (select in_force_at_ms from hold where segment_id = id) as held
       from segment order by id`,
    ),
  );
}

for (const level of ["locked", "plain"] as const) {
  describe(`a box that was lost, and its ${level} bucket on Ceph`, () => {
    it("is made again with what its own credential may: locks, versions and holds; and lives on (invariants 4, 5)", async () => {
      await using policed = await openPoliced(level);
      const known = credentialsOf(policed);
      await using site = await openSite(START, ["bc-0101"], 70, vaultOf(policed), known);
      const { config } = site.demo;
      await film(site, plus(START, -59 * MINUTE_MS));
      await film(site, plus(START, -58 * MINUTE_MS));
      let held = "";
      await whileRunning(site, async (ask, signal) => {
        await until(site, ask, 2, 0, false, signal);
        held = await holdFirst(site, ask);
        await until(site, ask, 2, 1, true, signal);
        // After the last head: known by its facts alone.
        await film(site, plus(START, -57 * MINUTE_MS));
        await until(site, ask, 3, 1, false, signal);
      });
      const was = await rows(catalogPath(config));
      await lose(config);
      const nothing = { verifier: undefined, atLeast: 0 };
      const report = await rebuildBox(site.clock, config, nothing, NEVER);
      assert.deepEqual([report.stored, report.lost, report.missing, report.strange], [3, 0, 0, []]);
      assert.deepEqual(await rows(catalogPath(config)), was);
      const { findings } = await verifyBox(site.clock, config, "hashes", () => undefined, NEVER);
      assert.deepEqual(findings, []);
      await whileRunning(site, async (ask, signal) => {
        await film(site, plus(START, -56 * MINUTE_MS));
        await until(site, ask, 4, 1, true, signal);
        assert.equal((await ask("status", {})).history, "one");
      });
      const all = await rows(catalogPath(config));
      assert.deepEqual(
        all.filter((row) => row["held"] !== null).map((row) => row["id"]),
        [held],
      );
    });
  });
}
