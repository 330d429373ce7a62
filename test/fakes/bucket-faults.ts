import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { MINUTE_MS, plus } from "#base/time";
import type { LifecycleRule, S3Calls } from "../../storage/vault/s3-answers.ts";
import type { FitBucket } from "./fit-bucket.ts";

/** A bucket, or a credential, that is not as it must be in one way; and the row that must tell. */
export interface Fault {
  readonly row: string;
  readonly level: "plain" | "locked";
  readonly quirks?: "aws" | "ceph";
  readonly verdict?: "warning";
  readonly amountsTo: "locked" | "plain" | "none";
  /** What lies there afterwards cannot be believed either. */
  readonly lies?: true;
  readonly spoil: (bucket: FitBucket) => Partial<{ box: S3Calls; destroyer: S3Calls | undefined }>;
}

type Changed = (box: S3Calls) => Partial<S3Calls>;

/** Of a bucket without which no level is. */
function broken(row: string, change: Changed, more: Partial<Fault> = {}): Fault {
  const spoil = ({ box }: FitBucket) => ({ box: { ...box, ...change(box) } });
  return { row, level: "locked", amountsTo: "none", spoil, ...more };
}

/** Of one that is not locked; it may be plain. */
function open(row: string, change: Changed, more: Partial<Fault> = {}): Fault {
  return broken(row, change, { amountsTo: "plain", ...more });
}

/** Of one that is what it is called, with something to know. */
function odd(row: string, change: Changed, more: Partial<Fault> = {}): Fault {
  return broken(row, change, { amountsTo: "locked", verdict: "warning", ...more });
}

/** A box, or a destroyer, that has all rights. */
const boxOfAll = ({ all }: FitBucket) => ({ box: all });
const almighty = (row: string, more: Partial<Fault> = {}): Fault => ({
  row,
  level: "locked",
  amountsTo: "none",
  spoil: boxOfAll,
  ...more,
});

function denied(): never {
  throw new BewaardError("VAULT_DENIED", "refused (403 AccessDenied)");
}

/** A rule over footage that does nothing. */
export const NO_RULE: LifecycleRule = {
  id: "regel",
  enabled: true,
  prefix: "footage/",
  filtered: false,
  expireDays: undefined,
  expireDate: undefined,
  expireMarkers: false,
  noncurrentDays: undefined,
  newerNoncurrent: undefined,
  abortDays: undefined,
  moves: false,
};

/** The bucket's rules, each changed; and more. */
function rules(change: (rule: LifecycleRule) => LifecycleRule, ...more: readonly LifecycleRule[]) {
  return (box: S3Calls): Partial<S3Calls> => ({
    async lifecycle() {
      const told = await box.lifecycle();
      return told === "not told" ? told : [...told.map(change), ...more];
    },
  });
}

const same = (rule: LifecycleRule): LifecycleRule => rule;
const PUBLIC = JSON.stringify({
  Statement: [
    { Effect: "Allow", Principal: { AWS: ["*"] }, Action: "s3:GetObject", Resource: "*" },
  ],
});
const OF_EEA = { provider: "aws", reports: ["eu-central-1"] };

export const FAULTS: Readonly<Record<string, Fault>> = {
  "a bucket that does not answer": broken("reachable", () => ({
    async headBucket() {
      throw new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
    },
  })),
  "a directory bucket": broken("bucket kind", ({ bucket }) => ({
    bucket: { ...bucket, name: "beelden--x-s3" },
  })),
  "an address of a provider that is called own storage": broken("endpoint", ({ bucket }) => ({
    bucket: { ...bucket, endpoint: "https://s3.amazonaws.com" },
  })),
  "a bucket whose header says it is in the United States": broken("region", ({ bucket }) => ({
    bucket: { ...bucket, reports: ["eu-central-1"] },
    headBucket: async () => ({ region: "us-east-1" }),
  })),
  "a bucket of a known provider that does not say where it is": broken("region", ({ bucket }) => ({
    bucket: { ...bucket, ...OF_EEA },
    headBucket: async () => ({ region: undefined }),
  })),
  "a bucket whose location is London": broken("location", ({ bucket }) => ({
    bucket: { ...bucket, reports: ["eu-central-1"] },
    location: async () => ({ region: "eu-west-2" }),
  })),
  "a bucket that may not be asked where it is": broken("location", () => ({ location: denied })),
  "a bucket that copies to another": broken("replication", () => ({
    replication: async () => ["arn:aws:s3:::kopie"],
  })),
  "versions that were turned off": broken("versioning", () => ({
    versioning: async () => "Suspended",
  })),
  "versions that may not be asked for": broken("versioning", () => ({ versioning: denied })),
  "MFA Delete": broken("mfa delete", () => ({ mfaDelete: async () => true })),
  "a bucket made without Object Lock": open("object lock", () => ({
    lockConfiguration: async () => ({
      enabled: false,
      mode: undefined,
      days: undefined,
      years: undefined,
    }),
  })),
  "Object Lock where plain is configured": odd(
    "object lock",
    () => ({
      lockConfiguration: async () => ({
        enabled: true,
        mode: undefined,
        days: undefined,
        years: undefined,
      }),
    }),
    { level: "plain", amountsTo: "plain" },
  ),
  "a default lock that nobody can take off": broken("default retention", () => ({
    lockConfiguration: async () => ({
      enabled: true,
      mode: "COMPLIANCE",
      days: 1,
      years: undefined,
    }),
  })),
  "a default lock of a year": broken("default retention", () => ({
    lockConfiguration: async () => ({
      enabled: true,
      mode: "GOVERNANCE",
      days: undefined,
      years: 1,
    }),
  })),
  "a default lock of a day": odd("default retention", () => ({
    lockConfiguration: async () => ({
      enabled: true,
      mode: "GOVERNANCE",
      days: 1,
      years: undefined,
    }),
  })),
  "a public bucket": broken("public policy", () => ({
    policyStatus: async () => ({ isPublic: true }),
    policy: async () => ({ json: PUBLIC }),
  })),
  "a policy that is called public, and cannot be read": broken("public policy", () => ({
    policyStatus: async () => ({ isPublic: true }),
    policy: async () => ({ json: "{" }),
  })),
  "public access that nothing blocks or denies": broken("public access", () => ({
    policyStatus: async () => ({ isPublic: true }),
    policy: async () => ({ json: PUBLIC }),
    publicAccess: async () => ({ blocked: false }),
  })),
  "a key of the provider's": odd("encryption", () => ({
    encryption: async () => ({ algorithm: "aws:kms" }),
  })),
  "a rule over the whole bucket": broken(
    "lifecycle reach",
    rules(same, { ...NO_RULE, prefix: "", expireDays: 30 }),
  ),
  "a rule over the ledger": broken(
    "lifecycle reach",
    rules(same, { ...NO_RULE, prefix: "ledger/", noncurrentDays: 7 }),
  ),
  "rules that nobody tells": open("lifecycle footage", () => ({
    lifecycle: async () => "not told",
  })),
  "rules that may not be asked for": broken("lifecycle reach", () => ({ lifecycle: denied })),
  "a footage rule of a week": open(
    "lifecycle footage",
    rules((rule) => ({ ...rule, expireDays: rule.expireDays === 1 ? 7 : rule.expireDays })),
  ),
  "a footage rule that keeps newer versions": open(
    "lifecycle footage",
    rules((rule) => ({ ...rule, newerNoncurrent: rule.expireDays === 1 ? 3 : undefined })),
  ),
  "a footage rule for one tag only": open(
    "lifecycle footage",
    rules((rule) => ({ ...rule, filtered: rule.prefix === "footage/" })),
  ),
  "markers that nothing removes": open(
    "lifecycle footage",
    rules((rule) => ({ ...rule, expireMarkers: false })),
  ),
  "a footage rule that is off": open(
    "lifecycle footage",
    rules((rule) => ({ ...rule, enabled: rule.prefix !== "footage/" })),
  ),
  "plain: a rule within the term": broken(
    "lifecycle footage",
    rules(same, { ...NO_RULE, expireDays: 7 }),
    { level: "plain" },
  ),
  "plain: a rule that takes held footage": broken(
    "lifecycle footage",
    rules(same, { ...NO_RULE, expireDays: 28, noncurrentDays: 28 }),
    { level: "plain" },
  ),
  "a backup that nothing removes": broken(
    "lifecycle backup",
    rules((rule) => ({ ...rule, enabled: rule.prefix !== "backup/" })),
  ),
  "a backup of a month": broken(
    "lifecycle backup",
    rules((rule) => ({ ...rule, expireDays: rule.expireDays === 1 ? 1 : 30 })),
  ),
  "uploads that nothing ends": open(
    "lifecycle unfinished",
    rules((rule) => ({ ...rule, abortDays: undefined })),
  ),
  "plain: uploads that nothing ends": odd(
    "lifecycle unfinished",
    rules((rule) => ({ ...rule, abortDays: undefined })),
    { level: "plain", amountsTo: "plain" },
  ),
  "footage that moves to another class": odd(
    "lifecycle transitions",
    rules((rule) => ({ ...rule, moves: true })),
  ),
  "a clock that is ten minutes off": broken("vault clock", () => ({
    headBucket: async () => ({
      region: "eu-central-1",
      toldAt: plus(systemClock.now(), -10 * MINUTE_MS),
    }),
  })),
  "a clock that is a minute off": odd("vault clock", () => ({
    headBucket: async () => ({
      region: "eu-central-1",
      toldAt: plus(systemClock.now(), -MINUTE_MS),
    }),
  })),
  "a bucket that takes nothing": broken("write", () => ({ putObject: denied })),
  "a bucket that ignores If-None-Match": odd("write once", () => ({}), { quirks: "ceph" }),
  "a bucket that does not know If-None-Match": odd(
    "write once",
    (box) => ({
      putObject: async (key, piece, how, signal) =>
        how.once && key.endsWith("/put") ? "no conditions" : box.putObject(key, piece, how, signal),
    }),
    { quirks: "ceph" },
  ),
  "a bucket that keeps what was damaged on its way": broken("wrong hash", (box) => ({
    putObject: async (key, piece, how, signal) =>
      key.endsWith("wrong-hash")
        ? { versionId: "junk", etag: "" }
        : box.putObject(key, piece, how, signal),
  })),
  "checksums that nobody compares": odd("wrong checksum", () => ({}), { quirks: "ceph" }),
  "facts that are lost": broken("metadata", (box) => ({
    headObject: async (key, versionId) => ({
      ...(await box.headObject(key, versionId)),
      metadata: {},
    }),
  })),
  "other bytes than were put": broken("read", () => ({
    async *getObject() {
      yield Buffer.from("junk");
    },
  })),
  "ranges that are ignored": broken("range", (box) => ({
    getObject: (key, versionId, _, signal) => box.getObject(key, versionId, undefined, signal),
  })),
  "uploads that come out empty": broken("upload", (box) => ({
    headObject: async (key, versionId) => ({
      ...(await box.headObject(key, versionId)),
      bytes: key.endsWith("upload") ? 0 : 14,
    }),
  })),
  "uploads that cannot be ended": broken("upload abort", () => ({ abortUpload: async () => {} }), {
    lies: true,
  }),
  "an upload that overwrites": odd("upload once", () => ({}), { quirks: "ceph" }),
  "pages that lose versions": broken(
    "version pages",
    (box) => ({
      listVersions: async (prefix, after, most) =>
        after === undefined
          ? box.listVersions(prefix, after, most)
          : { versions: [], next: undefined },
    }),
    { quirks: "ceph" },
  ),
  "locks that are silently ignored": open("lock at write", (box) => ({
    putObject: (key, piece, how, signal) =>
      box.putObject(key, piece, { ...how, lockedUntil: undefined }, signal),
  })),
  "a lock at an upload's beginning that is ignored": odd("lock at upload", () => ({}), {
    quirks: "ceph",
  }),
  "locks that cannot be set afterwards": open(
    "lock set later",
    () => ({ setRetention: async () => {} }),
    { quirks: "ceph" },
  ),
  "a box that may lengthen locks": odd("lock set later", () => ({})),
  "locks that can be shortened": open("lock shortened", (box) => {
    let told: Awaited<ReturnType<S3Calls["getRetention"]>>;
    return {
      async setRetention(_key, _versionId, until) {
        told = { mode: "GOVERNANCE", until };
      },
      getRetention: async (key, versionId) => told ?? box.getRetention(key, versionId),
    };
  }),
  "locks of years": odd("lock cap", () => ({}), { quirks: "ceph" }),
  "locked versions that are destroyed": open("locked delete", (box) => {
    let deleted = false;
    return {
      async deleteVersions(versions) {
        if (versions.length > 1 || versions[0]?.key.endsWith("/put") !== true)
          return box.deleteVersions(versions);
        deleted = true;
        return [];
      },
      listVersions: async (prefix, after, most) =>
        deleted && prefix.endsWith("/put")
          ? { versions: [], next: undefined }
          : box.listVersions(prefix, after, most),
    };
  }),
  "a box that lifts holds": open("hold lifted", () => {
    let isHeld = false;
    return {
      async setHold(_key, _versionId, held) {
        isHeld = held;
      },
      getHold: async () => isHeld,
    };
  }),
  "holds that are silently ignored": open("hold set", () => ({
    setHold: async () => {},
    getHold: async () => false,
  })),
  "a box that cannot write its ledger": broken("ledger write", refusing("ledger/")),
  "a box that cannot write its backup": broken("backup write", refusing("backup/")),
  "a box that cannot read the desk": broken("desk read", (box) => ({
    listVersions: (prefix, after, most) =>
      prefix === "desk/" ? denied() : box.listVersions(prefix, after, most),
  })),
  "a box that writes as the desk": almighty("desk write"),
  "a box that lists others' footage": almighty("other prefix list"),
  "a box that reads others' footage": almighty("other prefix read"),
  "a box that writes others' footage": almighty("other prefix write"),
  "plain: a box that destroys": almighty("box delete", {
    level: "plain",
    spoil: ({ box, destroyer }) => ({
      box: { ...box, deleteVersions: (versions) => destroyer.deleteVersions(versions) },
    }),
  }),
  "locked: a box that destroys what has no lock": open("box delete", (box) => ({
    deleteVersions: async (versions) =>
      versions.every(({ key }) => key.endsWith("never")) ? [] : box.deleteVersions(versions),
  })),
  "a destroyer's credential nobody needs": {
    row: "destroyer",
    level: "locked",
    verdict: "warning",
    amountsTo: "locked",
    spoil: ({ destroyer }) => ({ destroyer }),
  },
  "plain: nobody who destroys": {
    row: "destroyer",
    level: "plain",
    amountsTo: "none",
    spoil: () => ({ destroyer: undefined }),
  },
  ...Object.fromEntries(
    ["destroyer read", "destroyer write"].map((row) => [
      `plain: a destroyer with the box's rights (${row})`,
      almighty(row, { level: "plain", spoil: ({ box }) => ({ destroyer: box }) }),
    ]),
  ),
  "plain: a destroyer of other boxes' footage": almighty("destroyer elsewhere", {
    level: "plain",
    spoil: ({ destroyer }) => ({ destroyer: { ...destroyer, deleteVersions: async () => [] } }),
    lies: true,
  }),
  "plain: a destroyer that may not destroy": {
    row: "destroyer delete",
    level: "plain",
    amountsTo: "none",
    spoil: ({ box }) => ({ destroyer: box }),
  },
  "plain: what nobody removes": {
    row: "left behind",
    level: "plain",
    amountsTo: "none",
    spoil: ({ box }) => ({ destroyer: box }),
  },
};

function refusing(prefix: string): Changed {
  return (box) => ({
    putObject: (key, piece, how, signal) =>
      key.startsWith(prefix) ? denied() : box.putObject(key, piece, how, signal),
  });
}
