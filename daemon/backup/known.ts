import { z } from "zod";
import { DAY_MS, type Instant, instant } from "#base/time";
import { readFact, writeFact } from "../../storage/catalog/facts.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";

const remembered = z.strictObject({ atMs: z.int().min(0), made: z.boolean() });

/** A missed night passes; after two somebody must look. */
export const OLD_MS = 2 * DAY_MS;

/** When this box made its newest backup; before the first, since when it wants one. */
export interface KnownBackup {
  readonly at: Instant;
  readonly made: boolean;
}

export function knownBackup(database: Database, now: Instant): Promise<KnownBackup> {
  return database.transaction(async (sql) => {
    const text = await readFact(sql, "backup");
    if (text === undefined) {
      await writeFact(sql, "backup", backupText({ at: now, made: false }));
      return { at: now, made: false };
    }
    const { atMs, made } = remembered.parse(JSON.parse(text));
    return { at: instant(atMs), made };
  });
}

/** The same, without beginning to want one; undefined before that. */
export async function wantedBackup(database: Database): Promise<KnownBackup | undefined> {
  const text = await database.transaction((sql) => readFact(sql, "backup"));
  if (text === undefined) return undefined;
  const { atMs, made } = remembered.parse(JSON.parse(text));
  return { at: instant(atMs), made };
}

/** When the newest backup was made, as far as this box knows; undefined before the first. */
export async function newestBackup(database: Database): Promise<Instant | undefined> {
  const known = await wantedBackup(database);
  return known?.made === true ? known.at : undefined;
}

export function backupText({ at, made }: KnownBackup): string {
  return JSON.stringify({ atMs: at, made });
}
