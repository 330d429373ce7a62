import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";

/** Core reads a report within seconds. Each may be of ten thousand files, and they lie in the machine's memory. */
const KEPT_REPORTS = 256;

/** Forgets the oldest reports beyond those that are kept. */
export async function forgetReports(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  if (names.length <= KEPT_REPORTS) return;
  const reports = await Promise.all(names.map((name) => writtenAt(join(folder, name))));
  const newestFirst = reports.toSorted((a, b) => b.atMs - a.atMs);
  for (const { path } of newestFirst.slice(KEPT_REPORTS)) await rm(path, { force: true });
}

async function writtenAt(path: string): Promise<{ path: string; atMs: number }> {
  try {
    return { path, atMs: (await stat(path)).mtimeMs };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { path, atMs: 0 };
    throw error;
  }
}
