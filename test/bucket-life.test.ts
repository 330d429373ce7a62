import assert from "node:assert/strict";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { describe, it } from "mocha";
import { parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { readPolicy } from "../config/load.ts";
import type { Ask } from "../daemon/control/client.ts";
import { type S3Server, startS3Server } from "../daemon/demo/s3-server/server.ts";
import { passUntil, simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { holdFootage } from "../daemon/desk/hold.ts";
import { openStation } from "../daemon/desk/station.ts";
import { openSite, type Site, whileRunning } from "./fakes/site.ts";
import { clientOf } from "./peers/ceph-client.ts";

const START = instant(Date.parse("2026-09-28T06:00:00.000Z"));
/** Of the term of what was recorded an hour before the start, by its name in local time. */
const END = plus(START, 28 * DAY_MS - HOUR_MS);
const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const BUCKET = { Bucket: "beelden" };

async function makeBucket(server: S3Server, level: "plain" | "locked"): Promise<void> {
  const client = clientOf({ ...server, certificate: undefined }, OWNER);
  const locked = level === "locked";
  await client.send(new CreateBucketCommand({ ...BUCKET, ObjectLockEnabledForBucket: locked }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ ...BUCKET, VersioningConfiguration }));
  if (!locked) return;
  const Filter = { Prefix: "footage/" };
  const Rules = [
    {
      ID: "a",
      Status: "Enabled" as const,
      Filter,
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    },
    {
      ID: "b",
      Status: "Enabled" as const,
      Filter,
      Expiration: { ExpiredObjectDeleteMarker: true },
    },
  ];
  const LifecycleConfiguration = { Rules };
  const command = { ...BUCKET, LifecycleConfiguration };
  await client.send(new PutBucketLifecycleConfigurationCommand(command));
}

async function record(site: Site, minute: number): Promise<void> {
  const folder = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `20260928_070${minute}00.MP4`);
  await writeFile(path, `recording of minute ${minute}`);
  await utimes(path, START / 1000 - 1800, START / 1000 - 1800);
}

async function statesOf(ask: Ask): Promise<readonly string[]> {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  return segments.map(({ state }) => state).toSorted();
}

async function holdFirst(site: Site, ask: Ask, signal: AbortSignal): Promise<void> {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  const id = parseSegmentId(segments[0]?.id ?? "");
  await using station = await openStation(site.demo.desk);
  const request = {
    incident: "2026-7",
    purpose: "klacht",
    ground: "klacht",
    reference: undefined,
    reason: "klacht van een burger",
    reviewAt: plus(site.clock.now(), 90 * DAY_MS),
    segments: [{ node: site.demo.config.node, id }],
  };
  await holdFootage(site.clock, station, await readPolicy("den-haag"), request, signal);
}

/** Asked anew each time: the SDK would go by the server's clock from then on, and that runs ahead. */
async function footageIn(server: S3Server): Promise<string> {
  const client = clientOf({ ...server, certificate: undefined }, OWNER);
  const listed = await client.send(
    new ListObjectVersionsCommand({ ...BUCKET, Prefix: "footage/" }),
  );
  const uploads = await client.send(new ListMultipartUploadsCommand(BUCKET));
  client.destroy();
  return `${listed.Versions?.length ?? 0} versions, ${uploads.Uploads?.length ?? 0} unfinished`;
}

describe("a box and a desk with their vault in a bucket", function () {
  this.timeout(240_000);

  for (const level of ["plain", "locked"] as const) {
    it(`keeps, holds and destroys in one that is ${level}, and verifies (DH-06, AR-20, AR-26)`, async () => {
      const serverClock = simulatedClock(START);
      await using server = await startS3Server({
        quirks: "aws",
        users: [OWNER],
        clock: serverClock,
      });
      await makeBucket(server, level);
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
      const pass = async (ms: number, signal: AbortSignal): Promise<void> => {
        await serverClock.pass(ms, signal);
        await site.clock.pass(ms, signal);
      };
      const said = await whileRunning(site, async (ask, signal) => {
        for (const minute of [1, 2]) await record(site, minute);
        const stored = async () => (await statesOf(ask)).join() === "stored,stored";
        assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, stored, signal));
        assert.equal(await footageIn(server), "2 versions, 0 unfinished");
        await holdFirst(site, ask, signal);
        // Day by day, and then by hops that end where its term does.
        const lastDays = plus(END, -3 * DAY_MS);
        while (site.clock.now() < lastDays)
          await pass(Math.min(DAY_MS, lastDays - site.clock.now()), signal);
        assert.deepEqual(await statesOf(ask), ["stored", "stored"]);
        const gone = async () => (await statesOf(ask)).join() === "destroyed,stored";
        const both = { ...site.clock, pass };
        assert.ok(await passUntil(both, 4 * HOUR_MS, END - lastDays, gone, signal));
        assert.equal(await footageIn(server), "1 versions, 0 unfinished");
        assert.equal((await ask("status", {})).holds.inForce, 1);
        assert.deepEqual((await ask("verify", { depth: "hashes" })).findings, []);
      });
      for (const event of ["store-delayed", "destroy-delayed", "hold-lost"])
        assert.ok(!said.includes(event), event);
    });
  }
});
