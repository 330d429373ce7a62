import type { Clock } from "#base/time";
import { addMarker } from "./delete-objects.ts";
import type { Keep } from "./keep.ts";
import { isLocked } from "./lock.ts";
import { endUpload } from "./multipart.ts";
import { malformed, Refusal } from "./refusal.ts";
import type { Bucket, Version } from "./state.ts";
import { removeVersion } from "./versions.ts";
import { childOf, childrenOf, type Element, parseXml, textOf } from "./xml.ts";

/** One rule, in days of this server. */
interface Rule {
  readonly enabled: boolean;
  readonly prefix: string;
  readonly expireDays: number | undefined;
  readonly noncurrentDays: number | undefined;
  readonly abortDays: number | undefined;
  readonly markers: boolean;
}

/** Reads the rules. @throws Refusal MalformedXML, or NotImplemented for a filter that is no prefix. */
export function readRules(text: string): readonly Rule[] {
  const rules = childrenOf(parseXml(text), "Rule");
  if (rules.length === 0) throw malformed();
  return rules.map((rule) => {
    const filter = childOf(rule, "Filter");
    const narrowed = childOf(filter, "And") ?? filter;
    for (const { name } of narrowed?.children ?? []) {
      if (name !== "Prefix") throw new Refusal(501, "NotImplemented", `no filter by ${name}`);
    }
    const expiration = childOf(rule, "Expiration");
    return {
      enabled: textOf(rule, "Status") === "Enabled",
      prefix: textOf(narrowed, "Prefix") ?? textOf(rule, "Prefix") ?? "",
      expireDays: daysIn(expiration, "Days"),
      noncurrentDays: daysIn(childOf(rule, "NoncurrentVersionExpiration"), "NoncurrentDays"),
      abortDays: daysIn(childOf(rule, "AbortIncompleteMultipartUpload"), "DaysAfterInitiation"),
      markers: textOf(expiration, "ExpiredObjectDeleteMarker") === "true",
    };
  });
}

/**
 * Does once what the buckets' rules ask, as Ceph was seen to: a marker comes upon the newest version even when
 * it is held or locked, older versions go unless they are, and a marker goes once nothing is left under it.
 */
export async function runLifecycle(clock: Clock, keep: Keep, dayMs: number): Promise<void> {
  for (const bucket of keep.state.buckets.values()) {
    const text = bucket.settings.documents["lifecycle"];
    if (text === undefined) continue;
    for (const rule of readRules(text)) {
      if (rule.enabled) await follow(clock, keep, bucket, rule, dayMs);
    }
  }
}

async function follow(
  clock: Clock,
  keep: Keep,
  bucket: Bucket,
  rule: Rule,
  dayMs: number,
): Promise<void> {
  const isOver = (sinceMs: number, days: number | undefined): boolean =>
    days !== undefined && sinceMs + days * dayMs <= clock.now();
  for (const [key, versions] of bucket.versions) {
    if (!key.startsWith(rule.prefix)) continue;
    const [newest, ...older] = versions;
    for (const [at, version] of older.entries()) {
      // A version is no longer current since the one above it came.
      const since = versions[at]?.atMs ?? version.atMs;
      if (isOver(since, rule.noncurrentDays)) await removeUnlocked(clock, keep, bucket, version);
    }
    if (newest === undefined) continue;
    if (newest.marker) {
      const over = rule.markers || isOver(newest.atMs, rule.expireDays);
      const alone = bucket.versions.get(key)?.length === 1;
      if (over && alone) await removeVersion(keep, bucket, newest);
    } else if (isOver(newest.atMs, rule.expireDays)) {
      if (bucket.settings.versioning === "Enabled") await addMarker({ clock, keep }, bucket, key);
      else await removeUnlocked(clock, keep, bucket, newest);
    }
  }
  for (const upload of keep.state.uploads.values()) {
    const mine = upload.bucket === bucket.settings.name && upload.key.startsWith(rule.prefix);
    if (mine && isOver(upload.atMs, rule.abortDays)) await endUpload({ keep }, upload);
  }
}

async function removeUnlocked(
  clock: Clock,
  keep: Keep,
  bucket: Bucket,
  version: Version,
): Promise<void> {
  if (!isLocked(clock, version, false)) await removeVersion(keep, bucket, version);
}

function daysIn(element: Element | undefined, name: string): number | undefined {
  const text = textOf(element, name);
  if (text === undefined) return undefined;
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1) throw malformed();
  return days;
}
