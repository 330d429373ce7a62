import { PutBucketLifecycleConfigurationCommand, type S3Client } from "@aws-sdk/client-s3";
import { DAY_MS } from "#base/time";
import { lifecycleOf } from "../../daemon/vault-policy/lifecycle.ts";

/** Gives a locked bucket the rules that `bewaard vault policy` prints for it. */
export async function letBucketDestroy(client: S3Client, bucket: string): Promise<void> {
  const { Rules } = lifecycleOf({ level: "locked", termMs: 28 * DAY_MS, separateCopy: false });
  const asked = { Bucket: bucket, LifecycleConfiguration: { Rules: [...Rules] } };
  await client.send(new PutBucketLifecycleConfigurationCommand(asked));
}
