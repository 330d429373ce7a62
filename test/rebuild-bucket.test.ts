import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { HOUR_MS, instant, MINUTE_MS } from "#base/time";
import type { Ask } from "../daemon/control/client.ts";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { passUntil, simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { catalogPath } from "../daemon/places.ts";
import { rebuildBox } from "../daemon/rebuild.ts";
import { verifyBox } from "../daemon/verify.ts";
import { openDatabase, type SqlRow } from "../storage/catalog/sqlite.ts";
import { lose } from "./fakes/lost-box.ts";
import { NEVER } from "./fakes/rig.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { clientOf } from "./peers/ceph-client.ts";

const START = instant(Date.parse("2026-09-28T06:00:00.000Z"));
const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const BUCKET = { Bucket: "beelden" };

async function makeBucket(server: S3Server, locked: boolean): Promise<void> {
  const client = clientOf({ ...server, certificate: undefined }, OWNER);
  await client.send(new CreateBucketCommand({ ...BUCKET, ObjectLockEnabledForBucket: locked }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ ...BUCKET, VersioningConfiguration }));
  client.destroy();
}

async function film(site: Site, name: string): Promise<void> {
  const card = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  await writeFile(join(card, `${name}.MP4`), `recording ${name}`);
}

/** Lets time pass until so many are stored and, when asked, the vault has a head over all of it. */
async function stored(site: Site, ask: Ask, count: number, signed: boolean, signal: AbortSignal) {
  const before = (await ask("ledger.head", {})).checkpoint?.size ?? 0;
  const all = async () => {
    const { states } = await ask("status", {});
    const size = (await ask("ledger.head", {})).checkpoint?.size ?? 0;
    return states["stored"] === count && (!signed || size > before);
  };
  assert.ok(await passUntil(site.clock, MINUTE_MS, 3 * HOUR_MS, all, signal));
}

function segmentsIn(path: string): Promise<readonly SqlRow[]> {
  return openDatabase(path).then(async (database) => {
    await using _ = database;
    return await database.transaction((sql) =>
      sql.all(
        `select id, state, due_at_ms, locked_until_ms, plaintext_bytes,
           (select version_id from copy where segment_id = id and place = 'vault') as version
         from segment order by id`,
      ),
    );
  });
}

describe("a catalog made again from a bucket", function () {
  this.timeout(240_000);

  for (const level of ["plain", "locked"] as const) {
    it(`that is ${level} has every segment, its version and its lock, and verifies`, async () => {
      await using server = await startS3Server({
        quirks: "aws",
        users: [OWNER],
        clock: simulatedClock(START),
      });
      await makeBucket(server, level === "locked");
      const s3 = {
        provider: "own",
        region: server.region,
        endpoint: server.endpoint,
        bucket: BUCKET.Bucket,
        level,
        country: "NL",
        declared_by: "functioneel-beheer",
        declared_on: "2026-09-01",
      };
      const known = { box: OWNER, destroyer: OWNER, custodian: OWNER };
      await using site = await openSite(START, ["bc-0101"], 70, { vault: { s3 } }, known);
      const { config } = site.demo;
      await film(site, "20260928_070100");
      await film(site, "20260928_070200");
      await whileRunning(site, async (ask, signal) => {
        await stored(site, ask, 2, true, signal);
        // After the last head: known by its facts alone.
        await film(site, "20260928_070300");
        await stored(site, ask, 3, false, signal);
      });
      const was = await segmentsIn(catalogPath(config));
      await lose(config);
      const nothing = { verifier: undefined, atLeast: 0 };
      const report = await rebuildBox(site.clock, config, nothing, NEVER);
      assert.deepEqual([report.stored, report.lost, report.missing], [3, 0, 0]);
      assert.deepEqual(await segmentsIn(catalogPath(config)), was);
      const { findings } = await verifyBox(site.clock, config, "hashes", () => undefined, NEVER);
      assert.deepEqual(findings, []);
    });
  }
});
