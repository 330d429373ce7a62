import { randomBytes } from "node:crypto";
import { type Clock, DAY_MS, dayOf } from "#base/time";
import type { Credential } from "../../storage/vault/bucket.ts";
import { lifecycleOf } from "../vault-policy/lifecycle.ts";
import { userOf, type VaultNames } from "../vault-policy/names.ts";
import { bucketPolicy } from "../vault-policy/policies.ts";
import { startS3Server } from "./s3-server/server.ts";
import type { SiteCredentials } from "./site.ts";

/** A bucket for a demo site of one box, and what the site knows it by. */
export interface DemoBucket extends AsyncDisposable {
  /** `vault.s3` of the configuration. */
  readonly settings: Readonly<Record<string, string>> & { readonly level: "plain" | "locked" };
  readonly known: SiteCredentials;
  /** The most that anybody has there: it may pass over a lock. Undefined where it is not ours to give. */
  readonly breakGlass: Credential | undefined;
}

const NAMES: VaultNames = {
  bucket: "demo-beelden",
  level: "locked",
  dialect: "ceph",
  nodes: ["dock-1"],
  account: undefined,
  users: "bewaard",
  termMs: 28 * DAY_MS,
  separateCopy: true,
};

/**
 * Starts the S3 server of this repository with a locked bucket, its policy and rules as `bewaard vault policy`
 * prints them. Its locks and its rules go by `clock`.
 */
export async function openDemoBucket(clock: Clock): Promise<DemoBucket> {
  const userFor = (role: "box" | "custodian" | "break-glass") => ({
    name: userOf(NAMES, role, "dock-1"),
    ...newCredential(),
  });
  const [box, custodian, breakGlass] = [
    userFor("box"),
    userFor("custodian"),
    userFor("break-glass"),
  ];
  const administrator = { name: "administrator", ...newCredential() };
  const policy = bucketPolicy(NAMES);
  const lifecycle = lifecycleOf(NAMES);
  const server = await startS3Server({
    quirks: "ceph",
    users: [administrator, box, custodian, breakGlass],
    buckets: [{ name: NAMES.bucket, locks: true, policy, lifecycle }],
    clock,
  });
  const settings = {
    provider: "own",
    region: server.region,
    endpoint: server.endpoint,
    bucket: NAMES.bucket,
    level: "locked",
    country: "NL",
    declared_by: "demo",
    declared_on: dayOf(clock.now()),
  } as const;
  const known = { box, custodian };
  return {
    settings,
    known,
    breakGlass,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function newCredential(): Credential {
  return {
    accessKeyId: randomBytes(8).toString("hex"),
    secretAccessKey: randomBytes(16).toString("hex"),
  };
}
