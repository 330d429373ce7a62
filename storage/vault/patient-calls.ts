import { type Patience, unless } from "./patience.ts";
import type { S3Calls } from "./s3-answers.ts";

/** Those requests that may be made twice without harm, each made again when nobody answered. */
export type PatientCalls = Omit<
  S3Calls,
  "putObject" | "createUpload" | "completeUpload" | "getObject" | keyof AsyncDisposable
>;

/** `closed` ends the waiting for those that have no signal of their own, at once. */
export function patiently(calls: S3Calls, patience: Patience, closed: AbortSignal): PatientCalls {
  const again = <T>(doing: () => Promise<T>) => unless(closed, patience.persist(doing, closed));
  return {
    bucket: calls.bucket,
    headObject: (key, versionId) => again(() => calls.headObject(key, versionId)),
    uploadPart: (upload, number, piece, signal) =>
      patience.persist(() => calls.uploadPart(upload, number, piece, signal), signal),
    abortUpload: (upload) => again(() => calls.abortUpload(upload)),
    listUploads: (prefix) => again(() => calls.listUploads(prefix)),
    listParts: (upload) => again(() => calls.listParts(upload)),
    listVersions: (prefix, after, most) => again(() => calls.listVersions(prefix, after, most)),
    deleteVersions: (versions) => again(() => calls.deleteVersions(versions)),
    getHold: (key, versionId) => again(() => calls.getHold(key, versionId)),
    setHold: (key, versionId, held) => again(() => calls.setHold(key, versionId, held)),
    getRetention: (key, versionId) => again(() => calls.getRetention(key, versionId)),
    setRetention: (key, id, until) => again(() => calls.setRetention(key, id, until)),
    headBucket: () => again(() => calls.headBucket()),
    location: () => again(() => calls.location()),
    versioning: () => again(() => calls.versioning()),
    mfaDelete: () => again(() => calls.mfaDelete()),
    lockConfiguration: () => again(() => calls.lockConfiguration()),
    lifecycle: () => again(() => calls.lifecycle()),
    replication: () => again(() => calls.replication()),
    policy: () => again(() => calls.policy()),
    policyStatus: () => again(() => calls.policyStatus()),
    publicAccess: () => again(() => calls.publicAccess()),
    encryption: () => again(() => calls.encryption()),
  };
}
