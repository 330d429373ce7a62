import type { DeviceId } from "#base/ids";
import { type Instant, MINUTE_MS, plus } from "#base/time";
import { counterInName } from "../../drivers/bodycam/start-time.ts";
import {
  type Numbered,
  readCounted,
  readNamed,
  writeCounted,
} from "../../storage/catalog/counters.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";

/** Files between `after` and `before` that a camera has numbered and that nobody has seen. */
export interface Jump {
  readonly after: Numbered;
  readonly before: Numbered;
  /** How many at least; null where the counter went back, which tells no number. */
  readonly missing: number | null;
}

/** Without a new file for so long a docking has brought what it will: until then files may come in any order. */
const SETTLED_MS = 15 * MINUTE_MS;

/**
 * Where the numbers in the names of a camera's newest files jump. Each file is looked at once.
 * Undefined while files are still coming.
 */
export function newJumps(
  database: Database,
  device: DeviceId,
  profile: { readonly start_in_name: string | null },
  now: Instant,
): Promise<readonly Jump[] | undefined> {
  return database.transaction(async (sql) => {
    const { to, last, emptiedAt } = await readCounted(sql, device);
    const files = await readNamed(sql, device, to);
    if (files.length === 0) return [];
    // What arrived while the clock was ahead has been here for long enough.
    const isComing = ({ arrivedAt }: (typeof files)[number]): boolean =>
      arrivedAt <= now && plus(arrivedAt, SETTLED_MS) > now;
    if (files.some(isComing)) return undefined;
    const numbered = files.flatMap(({ path, startedAt }) => {
      const counter = counterInName(profile, path);
      return counter === undefined ? [] : [{ counter, startedAt }];
    });
    const newTo = Math.max(...files.map(({ entry }) => entry));
    const { jumps, newest } = fewestJumps(last, numbered, emptiedAt);
    await writeCounted(sql, device, newTo, newest);
    return jumps;
  });
}

/** A clock that was reset puts files in another order than they were made in: their numbers then do better. */
export function fewestJumps(
  last: Numbered | undefined,
  files: readonly Numbered[],
  emptiedAt: Instant | undefined,
): { readonly jumps: readonly Jump[]; readonly newest: Numbered | undefined } {
  const byNumber = files.toSorted((a, b) => a.counter - b.counter);
  const [fewest] = [files, byNumber]
    .map((all) => ({ jumps: jumpsIn(last, all, emptiedAt), newest: all.at(-1) ?? last }))
    .toSorted((a, b) => a.jumps.length - b.jumps.length);
  return fewest ?? { jumps: [], newest: last };
}

/** `files` by their start. `emptiedAt` is when the card was last seen empty of all it had had. */
function jumpsIn(
  last: Numbered | undefined,
  files: readonly Numbered[],
  emptiedAt: Instant | undefined,
): readonly Jump[] {
  const all = last === undefined ? files : [last, ...files];
  return all.slice(1).flatMap((before, index): readonly Jump[] => {
    const after = all[index];
    if (after === undefined) return [];
    const step = before.counter - after.counter;
    // Two files of one recording may share a number; a day of its own on a card that was emptied begins anew.
    if (step === 0 || step === 1) return [];
    if (step > 1) return [{ after, before, missing: step - 1 }];
    return isNewRound(after, before, emptiedAt) ? [] : [{ after, before, missing: null }];
  });
}

/** Whether a counter that went back did so for a reason that costs no footage. */
function isNewRound(after: Numbered, before: Numbered, emptiedAt: Instant | undefined): boolean {
  if (before.counter > 1) return false;
  if (/^9{2,}$/.test(String(after.counter))) return true;
  return emptiedAt !== undefined && emptiedAt > after.startedAt && emptiedAt <= before.startedAt;
}
