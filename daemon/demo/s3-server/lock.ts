import { type Clock, DAY_MS, SECOND_MS } from "#base/time";
import type { Call } from "./call.ts";
import type { Quirks } from "./quirks.ts";
import { denied, malformed, Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";
import type { Bucket, Retention, Version } from "./state.ts";
import { parseXml, textOf } from "./xml.ts";

/** What a request asks for in locks. */
export interface LockWish {
  readonly held: boolean | undefined;
  readonly retention: Retention | undefined;
}

/** Reads the headers of a PUT. @throws Refusal for half a wish or an unknown word. */
export function wishOf(request: S3Request): LockWish {
  const hold = request.header("x-amz-object-lock-legal-hold");
  const mode = request.header("x-amz-object-lock-mode");
  const until = request.header("x-amz-object-lock-retain-until-date");
  if ((mode === undefined) !== (until === undefined)) {
    throw new Refusal(400, "InvalidArgument", "a mode and a date belong together");
  }
  return { held: holdOf(hold), retention: retentionOf(mode, until) };
}

/** Reads the document of PutObjectLegalHold or PutObjectRetention. */
export function wishIn(text: string): LockWish {
  const document = parseXml(text);
  if (document.name === "LegalHold") {
    return { held: holdOf(textOf(document, "Status")), retention: undefined };
  }
  const [mode, until] = [textOf(document, "Mode"), textOf(document, "RetainUntilDate")];
  if ((mode === undefined) !== (until === undefined)) throw malformed();
  return { held: undefined, retention: retentionOf(mode, until) };
}

/** The lock of a new version: as asked, or the bucket's own rule. @throws Refusal where the bucket has no lock. */
export function lockFor(
  { clock, quirks }: Pick<Call, "clock" | "quirks">,
  bucket: Bucket,
  wish: LockWish,
): Partial<LockWish> {
  const { lock } = bucket.settings;
  if (lock === undefined) {
    if (wish.held === undefined && wish.retention === undefined) return {};
    throw new Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  checkFuture(clock, wish);
  const { mode, days } = lock;
  const byDefault =
    mode === undefined || days === undefined
      ? undefined
      : { mode, untilMs: clock.now() + days * DAY_MS };
  const asked = wish.retention ?? byDefault;
  const retention = asked === undefined ? undefined : asKept(quirks, asked);
  return {
    ...(wish.held === undefined ? {} : { held: wish.held }),
    ...(retention === undefined ? {} : { retention }),
  };
}

/** A retention as this kind of server writes it down. */
export function asKept({ longLocks }: Quirks, retention: Retention): Retention {
  return longLocks
    ? retention
    : { ...retention, untilMs: retention.untilMs % (2 ** 32 * SECOND_MS) };
}

/** @throws Refusal InvalidArgument for a retention that is over. */
export function checkFuture(clock: Clock, { retention }: LockWish): void {
  if (retention === undefined || retention.untilMs > clock.now()) return;
  throw new Refusal(400, "InvalidArgument", "The retain until date must be in the future!");
}

/** True while nobody (or, in governance mode, nobody without the right to bypass) may remove the version. */
export function isLocked(clock: Clock, version: Version, bypass: boolean): boolean {
  if (version.held === true) return true;
  const { retention } = version;
  if (retention === undefined || retention.untilMs <= clock.now()) return false;
  return retention.mode === "COMPLIANCE" || !bypass;
}

/** @throws Refusal AccessDenied where the change would shorten or weaken a lock that lasts. */
export function checkChange(
  clock: Clock,
  version: Version,
  next: Retention | undefined,
  bypass: boolean,
): void {
  const { retention } = version;
  if (retention === undefined || retention.untilMs <= clock.now()) return;
  const weaker =
    next === undefined || next.untilMs < retention.untilMs || next.mode !== retention.mode;
  if (weaker && (retention.mode === "COMPLIANCE" || !bypass)) {
    throw denied("Access Denied because object protected by object lock.");
  }
}

/** Headers that tell a version's lock. */
export function lockHeaders({ held, retention }: Version): Record<string, string> {
  return {
    ...(held === undefined ? {} : { "x-amz-object-lock-legal-hold": held ? "ON" : "OFF" }),
    ...(retention === undefined
      ? {}
      : {
          "x-amz-object-lock-mode": retention.mode,
          "x-amz-object-lock-retain-until-date": new Date(retention.untilMs).toISOString(),
        }),
  };
}

export function wantsBypass({ request }: Call): boolean {
  return request.header("x-amz-bypass-governance-retention")?.toLowerCase() === "true";
}

function holdOf(word: string | undefined): boolean | undefined {
  if (word === undefined) return undefined;
  if (word !== "ON" && word !== "OFF") throw new Refusal(400, "InvalidArgument", "ON or OFF");
  return word === "ON";
}

function retentionOf(mode: string | undefined, until: string | undefined): Retention | undefined {
  if (mode === undefined || until === undefined) return undefined;
  const untilMs = Date.parse(until);
  if (Number.isNaN(untilMs) || (mode !== "GOVERNANCE" && mode !== "COMPLIANCE")) {
    throw new Refusal(400, "InvalidArgument", "an unknown mode or date");
  }
  return { mode, untilMs };
}
