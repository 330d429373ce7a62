import type { DeviceId } from "#base/ids";
import type { Instant } from "#base/time";
import { hashedPath } from "./card-path.ts";
import { readFact, writeFact } from "./facts.ts";
import type { CardFile } from "./find.ts";
import { number } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** A file of a camera that some box has taken and whose footage is in the vault. */
export interface SeenFile {
  readonly device: string;
  /** As `hashedPath`. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: Instant;
  readonly node: string;
  readonly sha256: string;
  readonly dueAt: Instant;
}

/** The day of the list that this box last read; undefined before the first. */
export function seenDay(database: Database): Promise<string | undefined> {
  return database.transaction((sql) => readFact(sql, "seen"));
}

/** Puts the list of `day` in place of the one before it. Files of this box itself are left out by who calls. */
export function recordSeen(
  database: Database,
  day: string,
  files: readonly SeenFile[],
): Promise<void> {
  return database.transaction(async (sql) => {
    await sql.run("delete from seen_file");
    await sql.run(
      `insert into seen_file (device_id, path, bytes, modified_at_ms, node, sha256, due_at_ms)
       select value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
       from json_each($files) where true
       on conflict do update set due_at_ms = max(due_at_ms, excluded.due_at_ms)`,
      {
        $files: JSON.stringify(
          files.map((one) => [
            one.device,
            one.path,
            one.bytes,
            one.modifiedAt,
            one.node,
            one.sha256,
            one.dueAt,
          ]),
        ),
      },
    );
    await writeFact(sql, "seen", day);
  });
}

/** Files whose term is over are not left to another box any more: nothing is remembered of them. */
export function forgetSeen(database: Database, now: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run("delete from seen_file where due_at_ms <= $now", { $now: now }),
  );
}

/** For each file on a card: whether another box has it, by the desk's last list. Not once its term is over. */
export function seenElsewhere(
  database: Database,
  device: DeviceId,
  files: readonly CardFile[],
  now: Instant,
): Promise<readonly boolean[]> {
  return database.transaction(async (sql) => {
    const [any] = await sql.all(
      "select exists (select 1 from seen_file where device_id = $device) as found",
      {
        $device: device,
      },
    );
    if (number(any, "found") === 0) return files.map(() => false);
    const rows = await sql.all(
      `select wanted.key from json_each($files) as wanted cross join seen_file as seen
       on seen.device_id = $device and seen.path = unhex(wanted.value ->> 0)
         and seen.bytes = wanted.value ->> 1 and seen.modified_at_ms = wanted.value ->> 2
       where seen.due_at_ms > $now`,
      {
        $device: device,
        $now: now,
        $files: JSON.stringify(
          files.map((file) => [hashedPath(device, file.path), file.bytes, file.modifiedAt]),
        ),
      },
    );
    const seen = new Set(rows.map((row) => number(row, "key")));
    return files.map((_, index) => seen.has(index));
  });
}
