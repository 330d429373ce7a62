import { type Instant, isoOf, plus, SECOND_MS } from "#base/time";
import type { Retention } from "../../storage/vault/s3-answers.ts";
import {
  outcomeOf,
  PLAINLY,
  type Probing,
  pieceOf,
  refusalsOf,
  tried,
  type Written,
} from "./bucket-probe.ts";
import { mayDelete } from "./bucket-rights.ts";
import { type BucketRow, honoured, notLocked, remark, say } from "./bucket-row.ts";

/** A provider keeps whole seconds. */
const ROUNDED_MS = SECOND_MS;
const LATER_MS = 5 * SECOND_MS;

const BROKEN = {
  means: say(
    "het slot is schijn: wie een sleutel steelt kan beelden vernietigen voor hun termijn om is",
    "the lock is not real: whoever steals a key can destroy footage before its term ends",
  ),
  todo: say(
    "neem een emmer waar dit waar is, of schrijf level: plain",
    "take a bucket where this is true, or write level: plain",
  ),
};
const RIGHTS = {
  means: BROKEN.means,
  todo: say("beperk de kast: bewaard vault policy", "narrow the box: bewaard vault policy"),
};

/**
 * Tries the locks of what was just put (`put`, and `uploaded` in parts). Sets nothing that outlives
 * seconds: what could is asked of a version that is not there.
 */
export async function lockRows(
  probing: Probing,
  put: Written,
  uploaded: Written | undefined,
): Promise<readonly BucketRow[]> {
  const { signal, lockedUntil } = probing;
  if (lockedUntil === undefined) return [];
  const one = (what: string, row: () => Promise<BucketRow>) =>
    tried(what, signal, async () => [await row()]);
  return [
    ...(await one("lock at write", () => atWrite(probing, put, lockedUntil))),
    ...(uploaded === undefined
      ? []
      : await tried("lock set later", signal, () => inParts(probing, uploaded, lockedUntil))),
    ...(await one("lock shortened", () => shortened(probing, put))),
    ...(await one("lock cap", () => capped(probing, put))),
    ...(await one("locked delete", () => refusesToGo(probing, put))),
  ];
}

async function atWrite(
  { box }: Probing,
  { key, versionId }: Written,
  until: Instant,
): Promise<BucketRow> {
  const told = await box.getRetention(key, versionId);
  if (isLock(told, until)) return honoured("lock at write", shown(told), shown(told));
  return notLocked("lock at write", { saw: none(told), ...BROKEN });
}

/**
 * What was uploaded in parts: locked from its beginning, or, where that is ignored, afterwards. Where neither goes
 * footage goes up in one request (storage/vault/s3-put.ts); not with AWS.
 */
async function inParts(
  { box }: Probing,
  { key, versionId }: Written,
  until: Instant,
): Promise<readonly BucketRow[]> {
  const first = await box.getRetention(key, versionId);
  const isLocked = isLock(first, until);
  const beginning = isLocked ? honoured("lock at upload", shown(first), shown(first)) : IGNORED;
  const what = "lock set later";
  const later = plus(until, LATER_MS);
  const came = await outcomeOf(() => box.setRetention(key, versionId, later));
  const told = await box.getRetention(key, versionId);
  const byAws = box.bucket.provider === "aws";
  if (isLock(told, later) && byAws) return [beginning, honoured(what, shown(told), shown(told))];
  if (isLock(told, later)) return [beginning, MAY_RELOCK];
  const saw = came === "denied" ? say("geweigerd", "refused") : none(told);
  if (isLocked || (came === "denied" && !byAws))
    return [beginning, honoured(what, `${saw.nl}; niet nodig`, `${saw.en}; not needed`)];
  const means = say(
    "opnamen in delen (boven 64 MiB) krijgen geen slot, en gaan zo niet naar de kluis",
    "recordings in parts (over 64 MiB) get no lock, and so do not go to the vault",
  );
  return [beginning, notLocked(what, { saw, means, todo: RIGHTS.todo })];
}

const IGNORED = remark("lock at upload", {
  saw: say("een slot bij het begin wordt genegeerd", "a lock at its beginning is silently ignored"),
  means: say(
    "grote opnamen gaan in één verzoek, hoogstens 5 GiB; bij AWS krijgen zij hun slot na afloop",
    "large recordings go up in one request, 5 GiB at most; with AWS they are locked afterwards",
  ),
  todo: say("niets", "nothing"),
});

/** Ceph keeps 32 bits of a date: a lock until after 2106 is over (docs/vault.md). */
const MAY_RELOCK = remark("lock set later", {
  saw: say("de kast mag een slot verlengen", "the box may lengthen a lock"),
  means: say(
    "op Ceph heft een datum na 2106 het slot op; bewaard heeft dit recht alleen bij AWS nodig",
    "on Ceph a date after 2106 undoes the lock; bewaard needs this right with AWS only",
  ),
  todo: RIGHTS.todo,
});

async function shortened(probing: Probing, { key, versionId }: Written): Promise<BucketRow> {
  const { box, clock } = probing;
  const before = await box.getRetention(key, versionId);
  const sooner = plus(clock.now(), 2 * SECOND_MS);
  const came = await outcomeOf(() => box.setRetention(key, versionId, sooner));
  const after = await box.getRetention(key, versionId);
  if (came === "denied" && before?.until === after?.until)
    return honoured("lock shortened", "geweigerd", "refused");
  const saw = say(`slot ingekort tot ${shown(after)}`, `lock shortened to ${shown(after)}`);
  return notLocked("lock shortened", { saw, ...RIGHTS });
}

/**
 * A thief's junk, or footage itself, must not be locked for a hundred years. What is put to see has not the hash
 * it promises, and so is never there.
 */
async function capped(probing: Probing, { versionId }: Written): Promise<BucketRow> {
  const { box, clock, folder, kept, signal } = probing;
  const far = plus(clock.now(), 40 * kept.termMs);
  const how = { ...PLAINLY, lockedUntil: far };
  const put = pieceOf("bewaard check\n", "something else");
  const came = [
    await outcomeOf(() => box.putObject(`${folder}never`, put, how, signal)),
    await outcomeOf(() => box.setRetention(`${folder}never`, versionId, far)),
  ];
  if (came.every((one) => one === "denied"))
    return honoured("lock cap", "langer dan de termijn geweigerd", "beyond the term refused");
  return remark("lock cap", {
    saw: say("een slot van jaren is niet geweigerd", "a lock of years was not refused"),
    means: say(
      "wie de kast steelt kan rommel jaren vastzetten; alleen breekglas haalt dat weg",
      "whoever steals the box can lock junk for years; only break-glass removes it",
    ),
    todo: say(
      "begrens het slot in het beleid van de emmer, waar de aanbieder dat kan",
      "cap the lock in the bucket's policy, where the provider can",
    ),
  });
}

async function refusesToGo(probing: Probing, written: Written): Promise<BucketRow> {
  const { box, destroyer, folder } = probing;
  const refusals: string[] = [];
  for (const calls of destroyer === undefined ? [box] : [box, destroyer])
    refusals.push(...(await refusalsOf(calls, [written])));
  const { versions } = await box.listVersions(written.key, undefined, 1000);
  const there = versions.some(({ versionId }) => versionId === written.versionId);
  if (!there) {
    const saw = say("vernietigd ondanks zijn slot", "destroyed in spite of its lock");
    return notLocked("locked delete", { saw, ...BROKEN });
  }
  const may = await mayDelete(box, `${folder}never`, written.versionId);
  const codes = [...new Set(refusals)].join(", ");
  return may
    ? honoured("locked delete", `het slot weigert (${codes})`, `the lock refuses (${codes})`)
    : honoured(
        "locked delete",
        `geweigerd (${codes}); deze sleutel mag ook zonder slot niets wissen`,
        `refused (${codes}); this credential may delete nothing without a lock either`,
      );
}

function isLock(told: Retention | undefined, until: Instant): told is Retention {
  return told?.mode === "GOVERNANCE" && Math.abs(told.until - until) <= ROUNDED_MS;
}

function shown(told: Retention | undefined): string {
  return told === undefined ? "-" : `${told.mode} ${isoOf(told.until)}`;
}

function none(told: Retention | undefined) {
  return told === undefined
    ? say("genegeerd: er is geen slot", "silently ignored: there is no lock")
    : say(`een ander slot: ${shown(told)}`, `another lock: ${shown(told)}`);
}
