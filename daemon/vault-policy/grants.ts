import { bucketArn, type Statement, under, type VaultNames, type VaultRole } from "./names.ts";

// What each credential may do, and no more (docs/vault.md says what the theft of each costs).

type Grants = readonly Statement[];
type Row = readonly [
  sid: string,
  actions: readonly string[],
  resource: readonly string[],
  condition?: Statement["Condition"],
];

/** What `role` may do for `node`; empty where there is no such credential: `locked` has no destroyer. */
export function grantsOf(names: VaultNames, role: VaultRole, node: string): Grants {
  return ROLES[role](names, node).map(([Sid, Action, Resource, Condition]) => ({
    Sid,
    Effect: "Allow",
    Action,
    Resource,
    ...(Condition && { Condition }),
  }));
}

const ROLES: Readonly<Record<VaultRole, (names: VaultNames, node: string) => readonly Row[]>> = {
  box,
  destroyer,
  custodian,
  "break-glass": breakGlass,
};

/** Puts and reads under its own prefixes and reads the desk's. It deletes nothing. */
function box(names: VaultNames, node: string): readonly Row[] {
  const own = ["footage", "ledger", "backup"].map((name) => `${name}/${node}/`);
  const footage = under(names, `footage/${node}/`);
  const keeps = under(names, ...own);
  return [
    ["Put", ["s3:PutObject"], keeps],
    ["Read", READ, [...keeps, ...under(names, "desk/")]],
    ["Uploads", ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], keeps],
    ...listing(names, [...own, "desk/"]),
    ...settings(names),
    ...(names.level === "locked" ? locking(names, footage) : []),
  ];
}

/**
 * Where a policy can tell a hold that is set from one that is lifted, the box sets it. Where it cannot
 * (Ceph), only the custodian does. There the box does not set a lock afterwards either: a date after the
 * year 2106 would undo the lock.
 */
function locking(names: VaultNames, footage: readonly string[]): readonly Row[] {
  const looks: Row = ["Locks", ["s3:GetObjectRetention", "s3:GetObjectLegalHold"], footage];
  if (names.dialect === "ceph") return [looks];
  const on = { StringEquals: { "s3:object-lock-legal-hold": "ON" } };
  return [
    looks,
    ["SetLock", ["s3:PutObjectRetention"], footage],
    ["SetHold", ["s3:PutObjectLegalHold"], footage, on],
  ];
}

/** Of a plain bucket: removes versions of its own box's footage. It can neither read nor list them. */
function destroyer(names: VaultNames, node: string): readonly Row[] {
  if (names.level === "locked") return [];
  return destroying(names, under(names, `footage/${node}/`));
}

/** Writes the desk's entries, reads what boxes stored, and in a locked bucket sets and lifts holds. */
function custodian(names: VaultNames): readonly Row[] {
  const footage = under(names, "footage/");
  const holds = ["s3:PutObjectLegalHold", "s3:GetObjectLegalHold", "s3:GetObjectRetention"];
  return [
    ["Put", ["s3:PutObject"], under(names, "desk/")],
    ["Read", READ, [...footage, ...under(names, "ledger/", "desk/")]],
    ["Uploads", ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], under(names, "desk/")],
    ...listing(names, ["footage/", "ledger/", "desk/"]),
    ...settings(names),
    ...(names.level === "locked" ? [["Hold", holds, footage] as const] : []),
  ];
}

/** Two people, offline: destroys footage that must go before its lock ends, or whose box is gone. */
function breakGlass(names: VaultNames): readonly Row[] {
  const footage = under(names, "footage/");
  const bypass: Row = ["Bypass", ["s3:BypassGovernanceRetention"], footage];
  const looks = ["s3:GetObjectRetention", "s3:GetObjectLegalHold"];
  return [
    ...destroying(names, footage),
    ...listing(names, ["footage/"]),
    ["Settings", CHANGES, [bucketArn(names)]],
    ...(names.level === "locked" ? [bypass, ["Locks", looks, footage] as const] : []),
  ];
}

const READ = ["s3:GetObject", "s3:GetObjectVersion"];
/** What nobody else may change while the policy stands. */
export const CHANGES: readonly string[] = [
  "s3:PutBucketObjectLockConfiguration",
  "s3:PutLifecycleConfiguration",
  "s3:PutReplicationConfiguration",
  "s3:PutBucketVersioning",
  "s3:DeleteBucketPolicy",
  "s3:DeleteBucket",
];

function destroying(names: VaultNames, footage: readonly string[]): readonly Row[] {
  const one: Row = ["Destroy", ["s3:DeleteObjectVersion"], footage];
  // Ceph asks this of the bucket for a request that names several, and then of each version the other.
  const several: Row = ["DestroySeveral", ["s3:DeleteObject"], [bucketArn(names)]];
  return names.dialect === "ceph" ? [one, several] : [one];
}

function listing(names: VaultNames, prefixes: readonly string[]): readonly Row[] {
  const bucket = [bucketArn(names)];
  const own = { StringLike: { "s3:prefix": prefixes.map((prefix) => `${prefix}*`) } };
  return [
    ["List", ["s3:ListBucket", "s3:ListBucketVersions"], bucket, own],
    // No provider can tell by prefix here: it shows the keys of others' unfinished uploads, not their bytes.
    ["ListUploads", ["s3:ListBucketMultipartUploads"], bucket],
  ];
}

/** What is asked of the bucket before the first byte, and by `bewaard check --vault`. */
function settings(names: VaultNames): readonly Row[] {
  const bucket = [bucketArn(names)];
  const asks = [
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
  ];
  if (names.dialect === "aws") {
    const more = ["s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"];
    return [["Ask", [...asks, ...more], bucket]];
  }
  // HeadBucket, told from a listing by what only a listing has.
  const head = { Null: { "s3:prefix": "true", "s3:max-keys": "true" } };
  return [
    ["Ask", asks, bucket],
    ["AskWhere", ["s3:ListBucket"], bucket, head],
  ];
}
