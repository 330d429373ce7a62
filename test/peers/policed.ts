import {
  CreateBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

import { DAY_MS } from "#base/time";
import { lifecycleOf } from "../../daemon/vault-policy/lifecycle.ts";
import { userOf, type VaultNames, type VaultRole } from "../../daemon/vault-policy/names.ts";
import { bucketPolicy } from "../../daemon/vault-policy/policies.ts";
import type { Bucket, Credential } from "../../storage/vault/bucket.ts";
import { type Ceph, startCeph } from "./ceph.ts";
import { clientOf } from "./ceph-client.ts";

export const BUCKET = "gem-voorbeeld-beelden";
export const [BOX, OTHER_BOX] = ["dock-1", "dock-2"];

/** What `bewaard vault policy` prints it for, on Ceph. */
function namesFor(level: VaultNames["level"], more: Partial<VaultNames>): VaultNames {
  const nodes = [BOX, OTHER_BOX];
  return {
    bucket: BUCKET,
    level,
    dialect: "ceph",
    nodes,
    account: undefined,
    users: "bewaard",
    termMs: 28 * DAY_MS,
    separateCopy: true,
    ...more,
  };
}

/** A bucket on Ceph that was set up as docs/vault.md says, with the policies as they are printed. */
export interface Policed extends AsyncDisposable {
  readonly ceph: Ceph;
  readonly bucket: Bucket;
  /** What the policies were made for. */
  readonly names: VaultNames;
  /** Of the administrator, whose bucket it is. */
  readonly owner: S3Client;
  readonly credential: (role: VaultRole, node?: string) => Credential;
  readonly as: (role: VaultRole, node?: string) => S3Client;
}

interface PolicedOptions {
  /** How many seconds a "day" of the lifecycle lasts. */
  readonly dayS?: number;
  readonly names?: Partial<VaultNames>;
  /** In place of the policy that is printed. */
  readonly policy?: (names: VaultNames) => object;
}

export async function openPoliced(
  level: VaultNames["level"],
  { dayS, names: more = {}, policy = bucketPolicy }: PolicedOptions = {},
): Promise<Policed> {
  await using undo = new AsyncDisposableStack();
  const ceph = undo.use(await startCeph(dayS === undefined ? {} : { dayS }));
  const names = namesFor(level, more);
  const users = new Map<string, Credential>();
  for (const [role, node] of [
    ["box", BOX],
    ["box", OTHER_BOX],
    ["custodian", BOX],
    ["break-glass", BOX],
    ["destroyer", BOX],
  ] as const) {
    const user = userOf(names, role, node);
    users.set(user, await ceph.addUser(user));
  }
  const owner = clientOf(ceph, ceph.credential);
  await setUp(owner, names, policy(names));
  const credential = (role: VaultRole, node = BOX): Credential => {
    const found = users.get(userOf(names, role, node));
    if (!found) throw new Error(`no ${role} of ${node}`);
    return found;
  };
  const stack = undo.move();
  return {
    ceph,
    bucket: bucketOn(ceph, level),
    names,
    owner,
    credential,
    as: (role, node) => clientOf(ceph, credential(role, node)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The steps of docs/vault.md, in their order: the policy comes last, since it forbids the others. */
async function setUp(owner: S3Client, names: VaultNames, policy: object): Promise<void> {
  const at = { Bucket: names.bucket };
  const locked = names.level === "locked";
  await owner.send(new CreateBucketCommand({ ...at, ObjectLockEnabledForBucket: locked }));
  const Status = "Enabled";
  await owner.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration: { Status } }));
  const { Rules } = lifecycleOf(names);
  const LifecycleConfiguration = { Rules: [...Rules] };
  await owner.send(new PutBucketLifecycleConfigurationCommand({ ...at, LifecycleConfiguration }));
  await owner.send(new PutBucketPolicyCommand({ ...at, Policy: JSON.stringify(policy) }));
}

function bucketOn({ endpoint, region, certificate }: Ceph, level: Bucket["level"]): Bucket {
  const own = { provider: "own", owner: undefined, certificate, reports: [] };
  return { ...own, region, endpoint, name: BUCKET, level };
}
