import { createHash } from "node:crypto";
import diff from "microdiff";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { type Clock, type Instant, isoOf, plus } from "#base/time";
import type { Rules } from "../config/configuration.ts";
import { effectiveSettings } from "../config/effective.ts";
import type { Setting } from "../config/plain.ts";
import type { Config } from "../config/schema.ts";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import type { Database, Sql } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { canonical, type Json } from "../storage/ledger/canonical.ts";
import type { Events } from "./events.ts";

// What this box last went by, in the catalog. Personal settings lie apart, as they do in the ledger.

const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
const remembered = z.strictObject({
  settings: values,
  personal: values,
  /** References of the approvals that have served. */
  approvals: z.array(z.string()),
});
type Remembered = z.output<typeof remembered>;

/** What a change of needs the consent of the works council (AR-43); and whose consent that is. */
const CONSENTED = [
  "policy.purposes",
  "policy.retention",
  "policy.keeps",
  "policy.sound",
  "policy.covert",
  "policy.approved_by",
];
/** Of a camera: sound that is switched on, and all that is said of covert use. Less of either needs none. */
const CONSENTED_CAMERA = /^(box\.cameras\[[^\]]+\]\.(?:sound|covert))(?:\.|$)/;
/** A ledger entry is read by people: more than this many changes say how many there are more. */
const SHOWN_CHANGES = 200;
const SHOWN_LENGTH = 200;

/**
 * Compares what the site now decides with what this box last went by, and records the difference in the
 * ledger: what was, what is, and by whose consent. Nothing changed: nothing is written.
 * @throws BewaardError POLICY_NOT_IN_FORCE for a changed policy that may not hold yet, CONFIG_UNAPPROVED
 * for a change that needs a consent it does not have. Nothing is recorded then.
 */
export async function acceptConfiguration(
  clock: Clock,
  events: Events,
  database: Database,
  config: Config,
  rules: Rules,
): Promise<void> {
  const now = clock.now();
  const known = await database.transaction(recall);
  const next = split(effectiveSettings(config, rules));
  const changes = differences(known?.settings ?? {}, next.settings);
  const personal = differences(known?.personal ?? {}, next.personal);
  if (known && changes.length + personal.length === 0) return;

  requireInForce(config, rules, now);
  requireConfirmed(config, now);
  const all = [...changes, ...personal];
  const approval = known ? requireApproval(config, rules, known, all, now) : config.approval;
  const approvals = [...(known?.approvals ?? []), ...(approval ? [approval.reference] : [])];
  // The first time there is nothing to differ from: what holds is recorded by its hash.
  const told = known ? { changes, personal } : { changes: [], personal };
  const goesBy = { ...next, approvals };
  await database.transaction((sql) => enter(sql, now, rules, goesBy, told, approval));
  events.configChanged(known ? all.length : 0, digestOf(next.settings));
}

/**
 * Records that the profiles in `rules` are others than this box last went by, as pairing and retiring a bodycam
 * make them, so that the next start has nothing to tell. Whatever else is decided was accepted at the start.
 */
export async function enterProfiles(
  clock: Clock,
  events: Events,
  database: Database,
  config: Config,
  rules: Rules,
): Promise<void> {
  const next = split(effectiveSettings(config, rules));
  const count = await database.transaction(async (sql) => {
    const known = await recall(sql);
    if (known === undefined) return 0;
    const changes = differences(known.settings, next.settings);
    const personal = differences(known.personal, next.personal);
    if (changes.length + personal.length === 0) return 0;
    const goesBy = { ...next, approvals: known.approvals };
    await enter(sql, clock.now(), rules, goesBy, { changes, personal }, undefined);
    return changes.length + personal.length;
  });
  if (count > 0) events.configChanged(count, digestOf(next.settings));
}

async function recall(sql: Sql): Promise<Remembered | undefined> {
  const text = await readFact(sql, "config");
  return text === undefined ? undefined : remembered.parse(JSON.parse(text));
}

/** What this box goes by from now on, with the entry that says what is new in it. */
async function enter(
  sql: Sql,
  now: Instant,
  { policy }: Rules,
  goesBy: Remembered,
  {
    changes,
    personal,
  }: { readonly changes: readonly Change[]; readonly personal: readonly Change[] },
  approval: Config["approval"],
): Promise<void> {
  const facts = {
    changes: shown(changes),
    more: more(changes),
    sha256: digestOf(goesBy.settings),
    policy: policy.name,
    ownRegime: policy.own_regime,
    approval: approval ? { ...approval, date: isoOf(approval.date) } : null,
  };
  const eraseAfterMs = plus(now, policy.register_terms.audit);
  const detail = personal.length > 0 ? { detail: { facts: shown(personal), eraseAfterMs } } : {};
  await writeFact(sql, "config", canonical(goesBy));
  await append(sql, now, [{ kind: "config.changed", facts, ...detail }]);
}

function digestOf(settings: Values): string {
  return createHash("sha256").update(canonical(settings)).digest("hex");
}

/**
 * What a box that goes by this configuration remembers of it, for a catalog that is made again. Undefined when
 * it is another than `last`: then it is recorded as a first one, for the ledger has digests and no settings.
 */
export function rememberedConfiguration(
  config: Config,
  rules: Rules,
  last: { readonly sha256: string; readonly approvals: readonly string[] },
): string | undefined {
  const next = split(effectiveSettings(config, rules));
  if (digestOf(next.settings) !== last.sha256) return undefined;
  return canonical({ ...next, approvals: last.approvals });
}

function split(settings: readonly Setting[]): Omit<Remembered, "approvals"> {
  const of = (personal: boolean) =>
    Object.fromEntries(
      settings.filter((one) => one.personal === personal).map(({ path, value }) => [path, value]),
    );
  return { settings: of(false), personal: of(true) };
}

type Values = z.output<typeof values>;
type Value = Values[string];
interface Change {
  readonly path: string;
  /** Undefined for what was not there before. */
  readonly was: Value | undefined;
  /** Undefined for what is not there any more. */
  readonly is: Value | undefined;
}

function differences(was: Values, is: Values): readonly Change[] {
  return diff(was, is)
    .map(({ path }) => String(path[0]))
    .toSorted()
    .map((path) => ({ path, was: was[path], is: is[path] }));
}

function shown(changes: readonly Change[]): readonly Json[] {
  return changes.slice(0, SHOWN_CHANGES).map(({ path, was, is }) => ({
    path: short(path),
    ...(was === undefined ? {} : { was: short(was) }),
    ...(is === undefined ? {} : { is: short(is) }),
  }));
}

function more(changes: readonly Change[]): number {
  return Math.max(0, changes.length - SHOWN_CHANGES);
}

function short<T extends Value>(value: T): T | string {
  const long = typeof value === "string" && value.length > SHOWN_LENGTH;
  return long ? `${value.slice(0, SHOWN_LENGTH)}…` : value;
}

/** AR-11. Looked at when a policy is new or changed, never again: a clock that is wrong at a start must not
 * keep a box from taking footage under a policy that already held. */
export function requireInForce(config: Config, { policy }: Rules, now: Instant): void {
  if (config.site.demo) return;
  const informed = policy.informed_on ?? config.informed_on;
  const from = policy.in_force_from ?? informed;
  const why =
    informed === undefined
      ? `nothing says when employees were informed of "${policy.name}": write informed_on, in the policy or in the box's file`
      : from !== undefined && informed > from
        ? `employees were informed on ${dayText(informed)}, after its first day ${dayText(from)}: policy may not hold before`
        : from !== undefined && from > now
          ? `it holds from ${dayText(from)}, and this box's clock says ${dayText(now)}: wait, or keep to the old policy until then`
          : undefined;
  if (why !== undefined) throw new BewaardError("POLICY_NOT_IN_FORCE", why);
}

function requireApproval(
  { approval }: Config,
  { policy }: Rules,
  known: Remembered,
  changes: readonly Change[],
  now: Instant,
): Config["approval"] {
  // Who had the say until now has it over who is to have it.
  const approver = known.settings["policy.approved_by"] ?? policy.approved_by;
  const touched = [
    ...CONSENTED.filter((prefix) => changes.some(({ path }) => path.startsWith(prefix))),
    ...new Set(changes.flatMap(ofCamera)),
  ];
  if (touched.length === 0) return undefined;
  const why =
    approval === undefined
      ? "nothing says who consented"
      : known.approvals.includes(approval.reference)
        ? `approval ${approval.reference} has served for a change before`
        : approval.by !== approver
          ? `approval ${approval.reference} is by ${approval.by}`
          : approval.date > now
            ? `approval ${approval.reference} is of ${dayText(approval.date)}, still to come`
            : undefined;
  if (why === undefined) return approval;
  throw new BewaardError(
    "CONFIG_UNAPPROVED",
    `a change of ${touched.join(", ")} needs consent, and ${why}: write approval: { reference: …, date: …, by: ${approver} } in the box's file, or undo the change`,
  );
}

function ofCamera({ path, is }: Change): readonly string[] {
  const [, what] = CONSENTED_CAMERA.exec(path) ?? [];
  return what === undefined || is === undefined || is === false ? [] : [what];
}

/** AR-10, AR-15: a day that is still to come confirms nothing. Looked at as `requireInForce` is. */
function requireConfirmed(config: Config, now: Instant): void {
  if (config.site.demo) return;
  for (const { number, notice, sound_notice } of config.cameras) {
    for (const [key, one] of Object.entries({ notice, sound_notice })) {
      if (one === undefined || one.confirmed_on <= now) continue;
      throw new BewaardError(
        "CONFIG_INVALID",
        `${number}: ${key} is confirmed on ${dayText(one.confirmed_on)}, still to come: leave it out until then`,
      );
    }
  }
}

function dayText(at: Instant): string {
  return isoOf(at).slice(0, 10);
}
