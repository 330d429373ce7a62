import { BewaardError } from "#base/errors";
import type { Instant } from "#base/time";
import type { PatientCalls } from "./patient-calls.ts";
import { type KeyListing, keyListing } from "./s3-list.ts";

type Looker = Pick<PatientCalls, "bucket" | "getHold" | "getRetention" | "listVersions">;
type Destroyer = Pick<PatientCalls, "deleteVersions">;

/** No request may name more. */
const AT_ONCE = 1000;
/** This one, should it still be there, and another. */
const FEW = 2;

/** Removes one version, and once no other is left looks at all that is, and removes what hides it: delete markers. */
export async function destroyVersion(
  looker: Looker,
  destroyer: Destroyer,
  key: string,
  versionId: string,
  now: Instant,
  signal: AbortSignal,
): Promise<void> {
  const [refused] = await destroyer.deleteVersions([{ key, versionId }]);
  if (refused) throw await whyRefused(looker, key, versionId, refused.code, now);
  if (await isOneOfMany(looker, key, versionId)) return;
  const left = await keyListing(looker, key, signal);
  if (left.versions.some((version) => version.versionId === versionId)) throw stillThere(key);
  await removeUseless(destroyer, left);
}

/**
 * Whether others are left, without a listing of all: who writes ten thousand versions over one must not make their
 * destruction take its square. Whether all are gone is looked at after the last.
 */
async function isOneOfMany(looker: Looker, key: string, versionId: string): Promise<boolean> {
  const { versions } = await looker.listVersions(key, undefined, FEW);
  const ofKey = versions.filter((one) => one.key === key && !one.marker);
  if (ofKey.some((one) => one.versionId === versionId)) throw stillThere(key);
  return ofKey.length > 0;
}

/** Removes delete markers that hide nothing: somebody, or a rule for old versions, came before us. */
export async function removeMarkers(
  looker: Looker,
  destroyer: Destroyer,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  await removeUseless(destroyer, await keyListing(looker, key, signal));
}

async function removeUseless(
  destroyer: Destroyer,
  { key, versions, markers }: KeyListing,
): Promise<void> {
  if (versions.length > 0 || markers.length === 0) return;
  for (let at = 0; at < markers.length; at += AT_ONCE) {
    const [kept] = await destroyer.deleteVersions(markers.slice(at, at + AT_ONCE));
    if (kept) throw denied(key, kept.code);
  }
}

/** Providers say no more than "AccessDenied": whether a hold, a lock or a policy stands in the way must be asked. */
async function whyRefused(
  looker: Looker,
  key: string,
  versionId: string,
  code: string,
  now: Instant,
): Promise<BewaardError> {
  if (looker.bucket.level === "locked") {
    if (await looker.getHold(key, versionId))
      return new BewaardError("VAULT_HELD", `${key}: held, not destroyed`);
    const retention = await looker.getRetention(key, versionId);
    if (retention && retention.until > now)
      return new BewaardError("VAULT_LOCKED", `${key}: locked, not destroyed`);
  }
  return denied(key, code);
}

function denied(key: string, code: string): BewaardError {
  return new BewaardError("VAULT_DENIED", `${key}: not destroyed, the vault refuses (${code})`);
}

function stillThere(key: string): BewaardError {
  const message = `${key}: the vault says destroyed, and lists it`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}
