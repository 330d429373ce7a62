/** Who asks something of the bucket, each with a credential of its own. */
export const VAULT_ROLES = ["box", "destroyer", "custodian", "break-glass"] as const;
export type VaultRole = (typeof VAULT_ROLES)[number];

/**
 * What the policies of a provider can tell apart.
 * - `aws`: as Amazon documents it.
 * - `ceph`: Ceph RGW 16, measured (docs/vault.md). It asks the least, so it is also what others are taken for.
 */
export const DIALECTS = ["aws", "ceph"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** What the policies and rules of a site's bucket are about. */
export interface VaultNames {
  readonly bucket: string;
  readonly level: "plain" | "locked";
  readonly dialect: Dialect;
  /** Every box that stores in it. */
  readonly nodes: readonly string[];
  /** Account of the users, where the provider numbers those. */
  readonly account: string | undefined;
  /** What the name of each user begins with. */
  readonly users: string;
  /** How long footage is kept. */
  readonly termMs: number;
  /** Whether held footage is also on a separate medium (AR-20). */
  readonly separateCopy: boolean;
}

/** One statement of a policy; with a principal only where it stands with the bucket. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*" | { readonly AWS: readonly string[] };
  readonly NotPrincipal?: { readonly AWS: readonly string[] };
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** The user of a role: a box and a destroyer of each box, and one of the others. */
export function userOf({ users }: VaultNames, role: VaultRole, node: string): string {
  return role === "box" || role === "destroyer" ? `${users}-${role}-${node}` : `${users}-${role}`;
}

/** As policies name a user. */
export function arnOf({ account }: VaultNames, user: string): string {
  return `arn:aws:iam::${account ?? ""}:user/${user}`;
}

export function bucketArn({ bucket }: VaultNames): string {
  return `arn:aws:s3:::${bucket}`;
}

/** Everything under each of `prefixes`. */
export function under(names: VaultNames, ...prefixes: readonly string[]): readonly string[] {
  return prefixes.map((prefix) => `${bucketArn(names)}/${prefix}*`);
}
