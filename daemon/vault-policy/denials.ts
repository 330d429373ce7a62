import { DAY_MS } from "#base/time";
import { CHANGES } from "./grants.ts";
import {
  arnOf,
  bucketArn,
  type Statement,
  userOf,
  type VaultNames,
  type VaultRole,
} from "./names.ts";

// What nobody may do, whatever else was granted to him: a refusal outweighs every grant.

/** Refusals for everyone, with the roles that are excepted from each. */
export function denialsOf(names: VaultNames): readonly Statement[] {
  const destroy = ["s3:DeleteObject", "s3:DeleteObjectVersion"];
  return [
    deny(names, "NobodyElseDestroys", destroy, ["destroyer", "break-glass"]),
    deny(names, "NobodyElseChanges", CHANGES, ["break-glass"]),
    ...(names.dialect === "aws" ? awsDenials(names) : cephDenials(names)),
  ];
}

function awsDenials(names: VaultNames): readonly Statement[] {
  const locks = ["s3:PutObject", "s3:PutObjectRetention"];
  const days = String(Math.ceil(names.termMs / DAY_MS));
  const lift = { StringEquals: { "s3:object-lock-legal-hold": "OFF" } };
  const always = [
    deny(names, "TlsOnly", ["s3:*"], [], { Bool: { "aws:SecureTransport": "false" } }),
    deny(names, "Tls12", ["s3:*"], [], { NumericLessThan: { "s3:TlsVersion": "1.2" } }),
    // Not of the parts of an upload, which cannot say it.
    deny(names, "WriteOnce", ["s3:PutObject"], [], {
      Null: { "s3:if-none-match": "true" },
      Bool: { "s3:ObjectCreationOperation": "true" },
    }),
  ];
  if (names.level === "plain") return always;
  return [
    ...always,
    deny(names, "BypassInTwos", [BYPASS], ["break-glass"]),
    deny(names, "LockNoLongerThanTerm", locks, [], {
      NumericGreaterThan: { "s3:object-lock-remaining-retention-days": days },
    }),
    deny(names, "NoCompliance", locks, [], {
      StringEquals: { "s3:object-lock-mode": "COMPLIANCE" },
    }),
    // It moves the end of a lock past what the rule above looks at.
    deny(names, "NoEventHold", locks, [], { StringEquals: { "s3:object-lock-event-hold": "ON" } }),
    deny(names, "OnlyCustodianLifts", [HOLD], ["custodian"], lift),
  ];
}

/**
 * Ceph lets whoever put an object do anything with its lock, hold and access, and lets everyone bypass a lock,
 * unless a refusal says otherwise. It tells no plain http from https behind a proxy, and of a request that
 * puts neither the lock nor `If-None-Match`.
 */
function cephDenials(names: VaultNames): readonly Statement[] {
  const access = ["s3:PutObjectAcl", "s3:PutObjectVersionAcl", "s3:PutBucketAcl"];
  const tags = ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"];
  return [
    deny(names, "BypassInTwos", [BYPASS], ["break-glass"]),
    deny(names, "NobodyChangesLocks", ["s3:PutObjectRetention"], []),
    deny(names, "NobodyGivesAway", [...access, ...tags], []),
    deny(names, "OnlyCustodianHolds", [HOLD], ["custodian"]),
  ];
}

const BYPASS = "s3:BypassGovernanceRetention";
const HOLD = "s3:PutObjectLegalHold";

/** For everyone but `excepted`: also for who owns the bucket. */
function deny(
  names: VaultNames,
  Sid: string,
  Action: readonly string[],
  excepted: readonly VaultRole[],
  Condition?: Statement["Condition"],
): Statement {
  const bucket = bucketArn(names);
  const Resource = [bucket, `${bucket}/*`];
  const [whom, condition] = everyoneBut(names, excepted);
  const all = { ...condition, ...Condition };
  const when = Object.keys(all).length > 0 ? { Condition: all } : {};
  return { Sid, Effect: "Deny", ...whom, Action, Resource, ...when };
}

function everyoneBut(names: VaultNames, roles: readonly VaultRole[]) {
  const users = roles.flatMap((role) => names.nodes.map((node) => userOf(names, role, node)));
  const arns = [...new Set(users)].map((user) => arnOf(names, user));
  if (arns.length === 0) return [{ Principal: "*" }, {}] as const;
  // Ceph takes "not equal to any of these" for "not equal to one of these", which holds for everyone.
  if (names.dialect === "ceph") return [{ NotPrincipal: { AWS: arns } }, {}] as const;
  // With NotPrincipal AWS wants every session of a role named.
  return [{ Principal: "*" }, { StringNotEquals: { "aws:PrincipalArn": arns } }] as const;
}
