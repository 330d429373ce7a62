import {
  CreateBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { DAY_MS } from "#base/time";
import { lifecycleOf } from "../../daemon/vault-policy/lifecycle.ts";
import type { Dialect, VaultNames } from "../../daemon/vault-policy/names.ts";
import { bucketPolicy } from "../../daemon/vault-policy/policies.ts";
import type { Bucket, Credential } from "../../storage/vault/bucket.ts";
import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import { clientOf } from "../peers/ceph-client.ts";
import type { S3Peer } from "./bucket.ts";

export const NODE = "dock-1";
/** What a check is told of the box. */
export const KEPT = { node: NODE, termMs: 28 * DAY_MS, separateCopy: false };

/** Names of the box's and the destroyer's user, as the policies have them. */
export const BOX = `bewaard-box-${NODE}`;
export const DESTROYER = `bewaard-destroyer-${NODE}`;

const user = (name: string) => ({
  name,
  accessKeyId: `KEY-${name}`,
  secretAccessKey: `secret-of-${name}`,
});

/** Owner, box and destroyer, for a server of the test's own. */
export const USERS = [user("owner"), user(BOX), user(DESTROYER)] as const;

/** A bucket as the vault needs it, and who may do what there. */
export interface FitBucket extends AsyncDisposable {
  readonly box: S3Calls;
  readonly destroyer: S3Calls;
  /** Of whoever made the bucket: allowed what no policy refuses. */
  readonly all: S3Calls;
}

/** Makes a bucket of `level` by what `bewaard vault policy` prints. */
export async function fitBucket(
  peer: S3Peer,
  credentials: { readonly box: Credential; readonly destroyer: Credential },
  level: "plain" | "locked",
  dialect: Dialect,
): Promise<FitBucket> {
  const name = `fit-${level}`;
  const names: VaultNames = {
    bucket: name,
    level,
    dialect,
    nodes: [NODE],
    account: dialect === "aws" ? "123456789012" : undefined,
    users: "bewaard",
    termMs: KEPT.termMs,
    separateCopy: KEPT.separateCopy,
  };
  await makeBucket(peer, names);
  const bucket: Bucket = {
    provider: "own",
    region: peer.region,
    endpoint: peer.endpoint,
    name,
    owner: undefined,
    level,
    certificate: peer.certificate,
    reports: [],
  };
  const opened = new AsyncDisposableStack();
  const open = (credential: Credential) => opened.use(openS3Calls(bucket, credential));
  return {
    box: open(credentials.box),
    destroyer: open(credentials.destroyer),
    all: open(peer.credential),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function makeBucket(peer: S3Peer, names: VaultNames): Promise<void> {
  const owner = clientOf(peer, peer.credential);
  const at = { Bucket: names.bucket };
  const ObjectLockEnabledForBucket = names.level === "locked";
  await owner.send(new CreateBucketCommand({ ...at, ObjectLockEnabledForBucket }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await owner.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration }));
  const Rules = lifecycleOf(names).Rules.map((rule) => ({ ...rule }));
  const LifecycleConfiguration = { Rules };
  const rules = { ...at, LifecycleConfiguration, ChecksumAlgorithm: "SHA256" } as const;
  await owner.send(new PutBucketLifecycleConfigurationCommand(rules));
  const Policy = JSON.stringify(bucketPolicy(names));
  await owner.send(new PutBucketPolicyCommand({ ...at, Policy }));
  owner.destroy();
}
