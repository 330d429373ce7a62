import { DAY_MS, type Instant, isoOf, plus, SECOND_MS } from "#base/time";
import type { After, ListedVersion, S3Calls } from "../../storage/vault/s3-answers.ts";
import { outcomeOf, type Probing, refusalsOf, tried } from "./bucket-probe.ts";
import { type BucketRow, honoured, notLocked, say, unfit } from "./bucket-row.ts";

/** What a probe left, because nobody on this machine may remove it. */
export interface Left {
  readonly key: string;
  readonly versionId: string;
  /** Until then its lock keeps it; null where it has none. */
  readonly lockedUntil: string | null;
  /** The bucket's own rule has removed it by then; null where nothing removes it. */
  readonly goneBy: string | null;
}

/** Removes what was written, by whoever may; waits for locks of seconds to end where somebody may. */
export async function tidy(
  probing: Probing,
): Promise<{ rows: readonly BucketRow[]; left: readonly Left[] }> {
  const { box, folder, kept, lockedUntil, signal } = probing;
  let left: readonly Left[] = [];
  const rows = await tried("left behind", signal, async () => {
    for (const upload of await box.listUploads(folder)) await box.abortUpload(upload);
    await remove(probing);
    left = await Promise.all((await all(box, folder)).map((one) => leftOf(probing, one)));
    const uploads = (await box.listUploads(folder)).length;
    if (left.length === 0 && uploads === 0) return [honoured("left behind", "niets", "nothing")];
    const saw = say(
      `${left.length} versie(s) en ${uploads} onafgemaakt onder ${folder}`,
      `${left.length} version(s) and ${uploads} unfinished under ${folder}`,
    );
    // Where the box may not delete, that is how it should be: the bucket's own rule takes them.
    if (lockedUntil !== undefined && uploads === 0)
      return [
        honoured(
          "left behind",
          `${saw.nl}: de emmer ruimt ze op`,
          `${saw.en}: its rule removes them`,
        ),
      ];
    return [(kept.level === "locked" ? notLocked : unfit)("left behind", { saw, ...STAYS })];
  });
  return { rows, left };
}

const STAYS = {
  means: say("niemand hier kan ze weghalen", "nobody here can remove them"),
  todo: say("haal ze weg als beheerder van de emmer", "remove them as the bucket's administrator"),
};

async function remove(probing: Probing): Promise<void> {
  const { box, destroyer, folder, clock, lockedUntil, signal } = probing;
  const able = destroyer ?? box;
  const there = await all(box, folder);
  if (there.length === 0) return;
  if ((await refusalsOf(able, there)).length === 0 || lockedUntil === undefined) return;
  // Somebody who is refused for the lock alone gets it done when it ends; others never do.
  const [{ versionId } = { versionId: "" }] = there;
  if ((await refusalsOf(able, [{ key: `${folder}never`, versionId }])).length > 0) return;
  const locked = await all(box, folder);
  const ends = await lastLock(box, locked);
  await clock.sleep(Math.max(0, ends - clock.now()) + SECOND_MS, signal);
  await refusalsOf(able, locked);
}

async function lastLock(box: S3Calls, there: readonly ListedVersion[]): Promise<number> {
  const ends = await Promise.all(
    there.map(async ({ key, versionId, marker }) =>
      marker ? 0 : ((await box.getRetention(key, versionId))?.until ?? 0),
    ),
  );
  return Math.max(0, ...ends);
}

async function all(box: S3Calls, folder: string): Promise<readonly ListedVersion[]> {
  const found: ListedVersion[] = [];
  let after: After | undefined;
  do {
    const page = await box.listVersions(folder, after, 1000);
    found.push(...page.versions);
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** Expiry and removal, each a day and rounded up to midnight. */
const RULE_MS = 4 * DAY_MS;

async function leftOf(
  { box, clock, lockedUntil: ruled }: Probing,
  { key, versionId, marker }: ListedVersion,
): Promise<Left> {
  let until: Instant | undefined;
  if (!marker) {
    await outcomeOf(async () => {
      until = (await box.getRetention(key, versionId))?.until;
    });
  }
  const lockedUntil = until === undefined ? null : isoOf(until);
  const goneBy = ruled === undefined ? null : isoOf(plus(until ?? clock.now(), RULE_MS));
  return { key, versionId, lockedUntil, goneBy };
}
