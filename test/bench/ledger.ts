import { createHash } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DAY_MS, type Instant, instant, isoOf } from "#base/time";
import { migrate } from "../../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../../storage/catalog/sqlite.ts";
import { append } from "../../storage/ledger/append.ts";
import { signCheckpoint } from "../../storage/ledger/checkpoint.ts";
import type { Entry } from "../../storage/ledger/entry.ts";
import { newNodeKeyPem, parseNodeKey } from "../../storage/ledger/note.ts";
import { proveConsistency, proveInclusion } from "../../storage/ledger/prove.ts";
import { type Figure, figure } from "./figure.ts";

const ENTRIES = 3_000_000;
const BATCH = 1000;
const SAMPLES = 200;
const START = instant(Date.parse("2026-06-01T10:00:00.000Z"));

/** A ledger of three million sealed segments, or of `--entries`, on the disk of the temporary folder. */
export async function ledgerBench(): Promise<readonly Figure[]> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { entries: { type: "string", default: String(ENTRIES) } },
  });
  const entries = Math.max(BATCH, Math.floor(Number(values.entries) / BATCH) * BATCH);
  const folder = await mkdtemp(join(tmpdir(), "bewaard-bench-"));
  try {
    await using database = await openDatabase(join(folder, "catalog.db"));
    await migrate(database);
    const grown = await grow(database, entries);
    const figures = [
      figure(`append in batches of ${BATCH}, an entry`, median(grown), "µs CPU", "<= 40"),
      figure("the same in the last 100 batches", median(grown.slice(-100)), "µs CPU", "<= 40"),
      figure("the same, mean of all", mean(grown), "µs CPU", ">= 0"),
      ...(await single(database, entries)),
      ...(await proofs(database, entries)),
      figure("entries", entries, "", ">= 0"),
      figure("catalog", (await stat(join(folder, "catalog.db"))).size / entries, "B/entry", ">= 0"),
      figure("resident memory, at most", process.resourceUsage().maxRSS / 1024, "MiB", ">= 0"),
    ];
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Appends `entries` in batches, each in its transaction; returns the CPU of each, SQLite's threads too. */
async function grow(database: Database, entries: number): Promise<readonly number[]> {
  const spent: number[] = [];
  for (let seq = 0; seq < entries; seq += BATCH) {
    const [first, ...rest] = Array.from({ length: BATCH }, (_, offset) => sealed(seq + offset));
    if (first === undefined) throw new Error("no entry");
    const before = process.cpuUsage();
    await database.transaction((sql) => append(sql, at(seq), [first, ...rest]));
    spent.push(cpuMicrosSince(before) / BATCH);
    if (seq % 100_000 === 0)
      process.stderr.write(`${seq} entries, ${spent.at(-1)?.toFixed(1)} µs CPU an entry\n`);
  }
  return spent;
}

/** One entry in a transaction of its own, as adoption does: synced to the disk each time. */
async function single(database: Database, from: number): Promise<readonly Figure[]> {
  const before = process.cpuUsage();
  const walls: number[] = [];
  for (let index = 0; index < SAMPLES; index += 1) {
    const started = performance.now();
    await database.transaction((sql) => append(sql, at(from), [sealed(from + index)]));
    walls.push(performance.now() - started);
  }
  return [
    figure("a single append", cpuMicrosSince(before) / SAMPLES, "µs CPU", ">= 0"),
    figure("a single append, median", median(walls), "ms", ">= 0"),
  ];
}

async function proofs(database: Database, entries: number): Promise<readonly Figure[]> {
  const inclusion: number[] = [];
  const consistency: number[] = [];
  for (let index = 0; index < SAMPLES; index += 1) {
    // Spread over the whole tree, the same in each run.
    const seq = Math.floor((entries - 1) * ((index * 0.618_033_988_75) % 1));
    const started = performance.now();
    await database.transaction((sql) => proveInclusion(sql, seq, entries));
    const between = performance.now();
    await database.transaction((sql) => proveConsistency(sql, seq + 1, entries));
    inclusion.push(between - started);
    consistency.push(performance.now() - between);
  }
  const key = parseNodeKey("bewaard/bench/dock-1", newNodeKeyPem());
  const started = performance.now();
  await signCheckpoint(database, START, key);
  return [
    figure("inclusion proof, median", median(inclusion), "ms", "<= 5"),
    figure("inclusion proof, slowest of 200", Math.max(...inclusion), "ms", ">= 0"),
    figure("consistency proof, median", median(consistency), "ms", "<= 5"),
    figure("checkpoint", performance.now() - started, "ms", ">= 0"),
  ];
}

/** What adoption writes of a segment, in form and length. */
function sealed(seq: number): Entry {
  const sha256 = createHash("sha256").update(String(seq)).digest("hex");
  const startedAt = at(seq);
  return {
    kind: "segment.sealed",
    facts: {
      id: `01M8${String(seq).padStart(22, "0")}`,
      device: `bc-${String(seq % 50).padStart(4, "0")}`,
      startedAt: isoOf(startedAt),
      endedAt: isoOf(instant(startedAt + 60_000)),
      timeSource: "name",
      timeTrust: "trusted",
      arrivedAt: isoOf(startedAt),
      dueAt: isoOf(instant(startedAt + 28 * DAY_MS)),
      dueProvisional: false,
      plaintextSha256: sha256,
      plaintextBytes: 30_000_000,
      ciphertextBytes: 30_007_512,
      parts: [sha256],
      sealedFor: "2026-06-01",
      truncated: false,
    },
  };
}

// 50 cameras, a segment a minute each.
function at(seq: number): Instant {
  return instant(START + seq * 1200);
}

function cpuMicrosSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
