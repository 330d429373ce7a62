import { BewaardError } from "#base/errors";
import type {
  LifecycleRule,
  LockConfiguration,
  NotTold,
  S3Calls,
} from "../../storage/vault/s3-answers.ts";

/** `not told`: the provider does not know the question. `denied`: this credential may not ask it. */
type Told<T> = T | NotTold | "denied";

/** What the bucket says of itself. */
export interface Answers {
  /** As its header says; undefined where it says nothing. */
  readonly region: "denied" | { readonly region: string | undefined };
  readonly location: Told<{ readonly region: string }>;
  /** The buckets it copies to. */
  readonly replication: Told<readonly string[]>;
  readonly versioning: Told<"Enabled" | "Suspended" | "never">;
  readonly mfaDelete: Told<boolean>;
  readonly lock: Told<LockConfiguration>;
  readonly lifecycle: Told<readonly LifecycleRule[]>;
  readonly policyStatus: Told<{ readonly isPublic: boolean }>;
  readonly policy: Told<{ readonly json: string | undefined }>;
  readonly publicAccess: Told<{ readonly blocked: boolean }>;
  readonly encryption: Told<{ readonly algorithm: string | undefined }>;
}

/** Asks the bucket all there is to ask. @throws BewaardError when it does not answer, or says it is elsewhere. */
export async function askBucket(calls: S3Calls): Promise<Answers> {
  return {
    region: await orDenied(() => calls.headBucket()),
    location: await orDenied(() => calls.location()),
    replication: await orDenied(() => calls.replication()),
    versioning: await orDenied(() => calls.versioning()),
    mfaDelete: await orDenied(() => calls.mfaDelete()),
    lock: await orDenied(() => calls.lockConfiguration()),
    lifecycle: await orDenied(() => calls.lifecycle()),
    policyStatus: await orDenied(() => calls.policyStatus()),
    policy: await orDenied(() => calls.policy()),
    publicAccess: await orDenied(() => calls.publicAccess()),
    encryption: await orDenied(() => calls.encryption()),
  };
}

async function orDenied<T>(ask: () => Promise<T>): Promise<T | "denied"> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof BewaardError && error.code === "VAULT_DENIED") return "denied";
    throw error;
  }
}
