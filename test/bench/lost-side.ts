import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseNodeId } from "#base/ids";
import { DAY_MS } from "#base/time";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { parseVerifier } from "../../storage/ledger/note.ts";
import { openSpool } from "../../storage/spool/spool.ts";
import { sweepFootage } from "../../storage/sweep/sweep.ts";
import { openDirectoryVault } from "../../storage/vault/directory.ts";
import { rebuilt } from "../fakes/rebuilt-rig.ts";
import { handClock, NEVER, START } from "../fakes/rig.ts";

// One run of `bench -- lost`, as a process of its own: what it needed of time and memory is its last line.

const [folder = "", what = "", verifier = ""] = process.argv.slice(2);
const node = parseNodeId("dock-1");
const vault = await openDirectoryVault(join(folder, "vault"));
const term = { termMs: 28 * DAY_MS, longestUndockedMs: 3 * DAY_MS, destroyWithinMs: 7 * DAY_MS };
const box = { node, term, producers: [], configured: [] };
const started = performance.now();
if (what === "rebuild") {
  const spool = await openSpool(join(folder, "spool"), node);
  const clock = handClock(START);
  const lost = { vault, spool, box, clock, folder, verifier: parseVerifier(verifier) };
  await using _database = (await rebuilt(lost)).database;
} else {
  await using database = await openDatabase(join(folder, "catalog.db"));
  await sweepFootage(database, vault, node, [], START, NEVER);
}
const seconds = (performance.now() - started) / 1000;
const status = await readFile("/proc/self/status", "utf8");
const peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
process.stdout.write(`${JSON.stringify({ seconds, peakBytes })}\n`);
