import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { z } from "zod";
import type { Step } from "#base/step";
import { systemClock } from "#base/system-clock";
import { type Clock, HOUR_MS, instant, MINUTE_MS, plus } from "#base/time";
import { type S3Server, startS3Server } from "../../daemon/demo/s3-server/server.ts";
import { simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import { PART_BYTES } from "../../storage/seal/part-digests.ts";
import { clientOf } from "../peers/ceph-client.ts";
import { letBucketDestroy } from "./bucket-rules.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";
import { temporaryFolder } from "./folder.ts";
import { NEVER } from "./rig.ts";

// The life of test/crash/bucket-life.ts: its bucket, its site, its process, and how it must end.

const BORN = instant(Date.parse("2026-06-01T10:00:00.000Z"));
const HOOK = new URL("../crash/hook.ts", import.meta.url).href;
const LIFE = fileURLToPath(new URL("../crash/bucket-life.ts", import.meta.url));
const OWNER = { name: "owner", accessKeyId: "OWNER", secretAccessKey: "owners-secret" };
const BUCKET = { Bucket: "beelden" };
/** The second, which is held to the end, goes in two parts: what is left of its upload would be seen there. */
const FILES = {
  "20260601_113000": 1000,
  "20260601_114000": PART_BYTES + 100_000,
  "20260601_115000": 1000,
};

export type Level = "plain" | "locked";

/** Steps of an upload in parts. What must be locked by the request that makes it goes in one. */
const IN_PARTS: Readonly<Record<Level, readonly Step[]>> = {
  plain: ["store.upload-begun", "store.upload-noted", "store.part-noted", "store.completed"],
  locked: [],
};
const STORED: readonly Step[] = [
  "store.put",
  "store.read-back",
  "store.recorded",
  "store.batch-closed",
];
/** A plain bucket knows no hold that the desk could set. */
const HOLD: Readonly<Record<Level, readonly Step[]>> = {
  plain: ["desk.entry-put", "hold.requested"],
  locked: ["desk.entry-put", "desk.flagged", "hold.requested"],
};
const HELD: readonly Step[] = ["hold.flagged", "hold.in-force", "hold.released", "hold.lifted"];
const DESTROY: Readonly<Record<Level, readonly Step[]>> = {
  plain: [
    "destroy.marked",
    "destroy.vault-emptied",
    "destroy.spool-unlinked",
    "destroy.recorded",
    "destroy.batch-closed",
  ],
  locked: [
    "destroy.marked",
    "destroy.spool-unlinked",
    "destroy.left-to-bucket",
    "destroy.recorded",
    "destroy.batch-closed",
  ],
};

/** In the order in which a life comes to them. */
export function stepsOf(level: Level): readonly Step[] {
  const upload = ["store.intended" as const, ...IN_PARTS[level], ...STORED];
  return [...upload, ...HOLD[level], ...HELD, ...DESTROY[level]];
}

const outcome = z.object({
  segments: z.array(z.object({ state: z.string(), hold: z.string() })),
  findings: z.array(z.object({ invariant: z.number(), what: z.string() })),
  holds: z.object({ requested: z.number(), inForce: z.number() }),
  late: z.boolean(),
});

/** Kills one life at each of `steps` in turn, each time started again where it was; asserts that it ends whole. */
export async function killedInBucket(level: Level, steps: readonly Step[]): Promise<void> {
  await using temporary = await temporaryFolder();
  const folder = temporary.path;
  await writeFile(join(folder, "born"), String(BORN));
  await writeFile(join(folder, "now"), String(BORN));
  await using server = await startS3Server({ quirks: "aws", users: [OWNER], clock: noted(folder) });
  await makeBucket(server, level);
  await makeSite(folder, server, level);
  for (const crashAt of steps) {
    const { how, err } = await live(folder, crashAt);
    assert.equal(how, "SIGKILL", `the life never came to ${crashAt}: ${err}`);
  }
  const { how, out, err } = await live(folder, "");
  assert.equal(how, 0, err);
  const end = outcome.parse(JSON.parse(out));
  assert.deepEqual(end.findings, []);
  const kept = end.segments.map(({ state, hold }) => `${state}, ${hold}`).toSorted();
  assert.deepEqual(kept, ["destroyed, none", "destroyed, none", "stored, in force"]);
  assert.deepEqual(end.holds, { requested: 0, inForce: 1 });
  assert.equal(end.late, false, "nothing outlives its term");
  assert.deepEqual(await leftIn(server, level), { versions: 1, unfinished: 0 });
}

/** The time that the life noted last, for the bucket: its locks end and its rule runs by it. */
function noted(folder: string): Clock {
  const now = () => instant(Number(readFileSync(join(folder, "now"), "utf8")));
  return {
    now,
    uptimeMs: () => now() - BORN + 1000,
    bootId: () => "bucket",
    async sleep(ms, signal) {
      const until = now() + ms;
      while (now() < until) await systemClock.sleep(20, signal);
    },
  };
}

async function live(folder: string, crashAt: Step | "") {
  const env = {
    ...process.env,
    CRASH_AT: crashAt,
    CRASH_NTH: "1",
    NODE_COMPILE_CACHE: COMPILE_CACHE,
  };
  // As in test/fakes/life.ts.
  const args = ["--single-threaded-gc", "--import", HOOK, LIFE, folder];
  const child = spawn(process.execPath, args, { env });
  const closed = new Promise<NodeJS.Signals | number | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const [out, err, how] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { out, err, how };
}

async function makeSite(folder: string, server: S3Server, level: Level): Promise<void> {
  const s3 = {
    provider: "own",
    region: server.region,
    endpoint: server.endpoint,
    bucket: BUCKET.Bucket,
    level,
    country: "NL",
    declared_by: "functioneel-beheer",
    declared_on: "2026-05-01",
  };
  const known = { box: OWNER, destroyer: OWNER, custodian: OWNER };
  const clock = simulatedClock(BORN);
  const site = await makeDemoSite(clock, folder, ["bc-0101"], 3, NEVER, { vault: { s3 } }, known);
  const card = join(site.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  for (const [index, [name, bytes]] of Object.entries(FILES).entries()) {
    const path = join(card, `${name}.MP4`);
    await writeFile(path, randomBytes(bytes));
    const modified = plus(BORN, -HOUR_MS / 2 + 10 * index * MINUTE_MS) / 1000;
    await utimes(path, modified, modified);
  }
}

async function makeBucket(server: S3Server, level: Level): Promise<void> {
  const client = clientOf({ ...server, certificate: undefined }, OWNER);
  const locked = level === "locked";
  await client.send(new CreateBucketCommand({ ...BUCKET, ObjectLockEnabledForBucket: locked }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await client.send(new PutBucketVersioningCommand({ ...BUCKET, VersioningConfiguration }));
  if (locked) await letBucketDestroy(client, BUCKET.Bucket);
  client.destroy();
}

async function leftIn(server: S3Server, level: Level) {
  const client = clientOf({ ...server, certificate: undefined }, OWNER);
  const under = { ...BUCKET, Prefix: "footage/" };
  const { Versions = [], DeleteMarkers = [] } = await client.send(
    new ListObjectVersionsCommand(under),
  );
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(BUCKET));
  client.destroy();
  // The rule puts a marker over what is held too: it hides it from those who look by key alone.
  assert.equal(DeleteMarkers.length, level === "locked" ? 1 : 0);
  return { versions: Versions.length, unfinished: Uploads.length };
}
