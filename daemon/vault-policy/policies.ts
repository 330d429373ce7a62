import { BewaardError } from "#base/errors";
import { denialsOf } from "./denials.ts";
import { grantsOf } from "./grants.ts";
import { lifecycleOf } from "./lifecycle.ts";
import {
  arnOf,
  type Policy,
  type Statement,
  userOf,
  VAULT_ROLES,
  type VaultNames,
  type VaultRole,
} from "./names.ts";

/**
 * The policy of the bucket: what each credential may do, and what nobody may. All that is needed where
 * users have no policies of their own.
 */
export function bucketPolicy(names: VaultNames): Policy {
  return { Version: "2012-10-17", Statement: [...grantsOfAll(names), ...denialsOf(names)] };
}

/** What is granted to several alike is said once: a policy may not be longer than 20 kB. */
function grantsOfAll(names: VaultNames): readonly Statement[] {
  const granted = new Map<string, { users: readonly string[]; grant: Statement }>();
  for (const role of VAULT_ROLES) {
    for (const node of nodesOf(names, role)) {
      for (const grant of grantsOf(names, role, node)) {
        const body = JSON.stringify(grant);
        const users = granted.get(body)?.users ?? [];
        granted.set(body, { users: [...users, userOf(names, role, node)], grant });
      }
    }
  }
  return [...granted.values()].map(({ users, grant: { Sid, Effect, ...rest } }) => ({
    Sid: sidOf(users, Sid),
    Effect,
    Principal: { AWS: users.map((user) => arnOf(names, user)) },
    ...rest,
  }));
}

/**
 * The policy of one user, for a provider where users have their own.
 * @throws BewaardError USAGE when a bucket of this level has no such credential.
 */
export function userPolicy(names: VaultNames, role: VaultRole, node: string): Policy {
  const Statement = grantsOf(names, role, node);
  if (Statement.length > 0) return { Version: "2012-10-17", Statement };
  const nl = `een emmer met zekerheid ${names.level} heeft geen ${role}: hij vernietigt zelf`;
  const en = `a ${names.level} bucket has no ${role}: it destroys by itself`;
  throw new BewaardError("USAGE", `${nl} / ${en}`);
}

/** All of it, the users by name. */
export function vaultSetup(names: VaultNames) {
  const users = VAULT_ROLES.filter((role) => grantsOf(names, role, "").length > 0).flatMap((role) =>
    nodesOf(names, role).map((node) => {
      return [userOf(names, role, node), userPolicy(names, role, node)] as const;
    }),
  );
  return {
    bucket: bucketPolicy(names),
    lifecycle: lifecycleOf(names),
    users: Object.fromEntries(users),
  };
}

/** Custodian and break-glass are there once, for all boxes. */
function nodesOf({ nodes }: VaultNames, role: VaultRole): readonly string[] {
  return role === "box" || role === "destroyer" ? nodes : nodes.slice(0, 1);
}

/** Letters and digits only: that is all AWS takes. */
function sidOf(users: readonly string[], sid: string): string {
  const [user] = users;
  const name = users.length === 1 ? `${user}-${sid}` : sid;
  return name.replace(/(?:^|[^A-Za-z0-9]+)(.)/g, (_, letter: string) => letter.toUpperCase());
}
