import { execFile } from "node:child_process";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import { asService } from "./service.ts";
import { catalogOf, type WaitingBox } from "./vault-box.ts";
import type { BenchServer } from "./vault-servers.ts";

const run = promisify(execFile);
const SIDE = fileURLToPath(new URL("./vault-side.ts", import.meta.url));

/** User and system, by `getrusage`. */
const spent = z.object({ wallSeconds: z.number(), cpuSeconds: z.number() });
export type Spent = Readonly<z.infer<typeof spent>>;

const told = z.object({
  times: z.array(spent.extend({ sinceStart: spent })),
  peakBytes: z.number(),
  residentBytes: z.array(z.number()),
});

export interface OurRun {
  /** The first time, the start of the process included. */
  readonly cold: Spent;
  /** The last time, of a process that had done it before. */
  readonly warm: Spent;
  readonly peakBytes: number;
  readonly residentBytes: readonly number[];
}

/** Core's own loop stores all that waits in `box`, under the name of each of `nodes` in turn. */
export async function runOurs(
  box: WaitingBox,
  server: BenchServer,
  nodes: readonly string[],
): Promise<OurRun> {
  const { folder, segments, catalog } = box;
  for (const node of nodes) {
    const copied = catalogOf(folder, node);
    for (const end of ["", "-wal", "-shm"]) await rm(`${copied}${end}`, { force: true });
    await copyFile(catalog, copied);
  }
  const errand = join(folder, "errand.json");
  await writeFile(errand, JSON.stringify({ ...server, folder, segments, nodes }));
  const service = await asService();
  const env = {
    PATH: process.env["PATH"],
    NODE_ENV: "production",
    NODE_COMPILE_CACHE: join(folder, "..", "compile-cache"),
    ...service.env,
  };
  const { stdout } = await run(process.execPath, [...service.flags, SIDE, errand], { env });
  await emptied(server, box, nodes.length);
  const { times, ...memory } = told.parse(JSON.parse(stdout));
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) throw new Error("nothing was stored");
  return { cold: first.sinceStart, warm: last, ...memory };
}

/** `rclone copy` with its defaults, of the same files. */
export async function runRclone(box: WaitingBox, server: BenchServer): Promise<Spent> {
  const all = await rclone(box.files, server);
  await emptied(server, box, 1);
  return all;
}

/** What `rclone` costs before it has copied anything: an empty folder. */
export async function startRclone({ folder }: WaitingBox, server: BenchServer): Promise<Spent> {
  const empty = join(folder, "empty");
  await mkdir(empty, { recursive: true });
  return rclone(empty, server);
}

async function rclone(from: string, server: BenchServer): Promise<Spent> {
  const { endpoint, region, bucket, credential, certificatePath } = server;
  // Nothing of this user's: neither a configuration nor AWS_ variables, which rclone would heed.
  const env = {
    PATH: process.env["PATH"],
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_BENCH_TYPE: "s3",
    RCLONE_CONFIG_BENCH_PROVIDER: "Other",
    RCLONE_CONFIG_BENCH_ENDPOINT: endpoint,
    RCLONE_CONFIG_BENCH_REGION: region,
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: credential.accessKeyId,
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: credential.secretAccessKey,
  };
  const secure = certificatePath === undefined ? [] : ["--ca-cert", certificatePath];
  return timed(["rclone", "copy", from, `bench:${bucket}/rclone`, ...secure], env);
}

/** A whole process. bash counts what its children used by `getrusage`, to the millisecond. */
async function timed(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Spent> {
  const started = performance.now();
  const { stdout } = await run("bash", ["-c", '"$@" && times', "bench", ...command], { env });
  const wallSeconds = (performance.now() - started) / 1000;
  const last = stdout.trim().split("\n").at(-1) ?? "";
  const cpuSeconds = [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
  return { wallSeconds, cpuSeconds };
}

/** All of it must have arrived, so often; then it goes, so that every run finds the bucket as the first did. */
async function emptied(
  server: BenchServer,
  { segments, bytes }: WaitingBox,
  times: number,
): Promise<void> {
  const { bucket: name, certificate, ...where } = server;
  const own = { provider: "own", owner: undefined, level: "plain", reports: [] } as const;
  await using calls = openS3Calls({ ...own, ...where, name, certificate }, server.credential);
  const seen = { versions: 0, bytes: 0 };
  for (;;) {
    const { versions } = await calls.listVersions("", undefined, 1000);
    if (versions.length === 0) break;
    seen.versions += versions.length;
    for (const version of versions) seen.bytes += version.bytes;
    const failed = await calls.deleteVersions(versions);
    if (failed.length > 0) throw new Error(`not deleted: ${failed[0]?.code}`);
  }
  if (seen.versions !== segments * times || seen.bytes !== bytes * times)
    throw new Error(
      `${segments} files of ${bytes} bytes sent ${times} times: ${JSON.stringify(seen)} arrived`,
    );
}
