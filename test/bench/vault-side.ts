import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "winston";
import { z } from "zod";
import { parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import type { Clock } from "#base/time";
import { openEvents } from "../../daemon/events.ts";
import { store } from "../../daemon/store.ts";
import { countStates } from "../../storage/catalog/due.ts";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { catalogNotes } from "../../storage/catalog/uploads.ts";
import { openSpool } from "../../storage/spool/spool.ts";
import { openS3Vault } from "../../storage/vault/s3.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { catalogOf, NODE } from "./vault-box.ts";

// Our side of the bench, as a process of its own: core's loop that stores, until all of a box's footage is in the
// bucket, was looked at by version, and read back. Once, or as many times as it has names to store it under.

const EVERY = 100;

const errand = z.object({
  folder: z.string(),
  segments: z.number(),
  nodes: z.array(z.string()),
  endpoint: z.string(),
  region: z.string(),
  bucket: z.string(),
  certificate: z.string().optional(),
  credential: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
});
const { folder, segments, nodes, certificate, credential, ...where } = errand.parse(
  JSON.parse(await readFile(process.argv[2] ?? "", "utf8")),
);
const bucket = {
  ...where,
  name: where.bucket,
  provider: "own",
  owner: undefined,
  level: "plain",
  certificate,
  reports: [],
} as const;

const events = openEvents(createLogger({ silent: true }));
const spool = await openSpool(join(folder, "spool"), NODE);
/** Resident memory after every hundredth segment. */
const residentBytes: number[] = [];
let puts = 0;

async function storeAll(node: string) {
  const begun = process.cpuUsage();
  const started = performance.now();
  await using database = await openDatabase(catalogOf(folder, node));
  await using vault = openS3Vault(
    systemClock,
    bucket,
    { box: credential },
    // Asked once a day, and answered from memory in between.
    { residency: async () => undefined, notes: catalogNotes(database, systemClock) },
  );
  const watched: Vault = {
    ...vault,
    async put(...asked) {
      const version = await vault.put(...asked);
      puts += 1;
      if (puts % EVERY === 0) residentBytes.push(process.memoryUsage.rss());
      return version;
    },
  };
  const stop = new AbortController();
  const clock: Clock = {
    ...systemClock,
    async sleep(ms, signal) {
      // The loop has nothing left to do, and would wait for more.
      if ((await countStates(database))["stored"] === segments) stop.abort();
      await systemClock.sleep(ms, signal);
    },
  };
  // As many at a time as by default, and as `rclone` by its default.
  const upload = { parallel: 4, bytesPerSecondAt: () => undefined, readBack: "sampled" } as const;
  await store(clock, events, database, spool, watched, parseNodeId(node), upload, stop.signal);
  return {
    wallSeconds: (performance.now() - started) / 1000,
    cpuSeconds: seconds(process.cpuUsage(begun)),
    sinceStart: { wallSeconds: performance.now() / 1000, cpuSeconds: seconds(process.cpuUsage()) },
  };
}

function seconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}

const times = [];
for (const node of nodes) times.push(await storeAll(node));
const status = await readFile("/proc/self/status", "utf8");
const peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
process.stdout.write(`${JSON.stringify({ times, peakBytes, residentBytes })}\n`);
