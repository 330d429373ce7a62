/** Where the two kinds of server differ. Ceph's column was measured on RGW 16.2.15 (test/contracts/s3-quirks.ts). */
export interface Quirks {
  /** Checksums that a client sends are compared, kept and given back. Ceph looks at none. */
  readonly checksums: boolean;
  /** Bodies in pieces with a trailer (aws-chunked). Ceph: 411. */
  readonly chunkedBodies: boolean;
  /** Making a bucket that one already has is an error. Ceph: 200. */
  readonly bucketOnce: boolean;
  /** HeadBucket tells the region. Ceph does not. */
  readonly headTellsRegion: boolean;
  /** A new bucket blocks public access and is encrypted; what is not set is an error. Ceph: 200 and empty. */
  readonly settingsFromStart: boolean;
  /** x-amz-expected-bucket-owner is compared. */
  readonly owner: boolean;
  /** If-None-Match at PUT is heeded where there are versions too. Ceph looks for the new version, and finds none. */
  readonly onceAmongVersions: boolean;
  /** Complete heeds If-None-Match. Ceph writes anyway. */
  readonly completeOnce: boolean;
  /** Complete tells the new object's tag. Ceph leaves it empty. */
  readonly completeTellsTag: boolean;
  /** An upload that is gone is told as that. Ceph: parts of no key, Complete as at first, or 500 after an abort. */
  readonly uploadGone: boolean;
  /** A version that is not there, or is a marker, is told as that. Ceph tells of no key. */
  readonly versionGone: boolean;
  /** Retention and hold asked for at the start of an upload are set. Ceph ignores both, without a word. */
  readonly locksAtUploadStart: boolean;
  /** A date after 2106 is kept. Ceph has 32 bits for it, and the lock is over. */
  readonly longLocks: boolean;
  /** A PUT with a lock, and one of rules, needs a digest in a header of its own. */
  readonly needsDigest: boolean;
  /** `?attributes` and `?partNumber` are known. Ceph gives the whole object. */
  readonly attributes: boolean;
  /** Policies can look at locks and conditions of a request. Ceph knows a list's prefix, and not of uploads. */
  readonly conditionKeys: boolean;
  /** All objects are the bucket owner's. Ceph: who wrote one may do anything with it that is not denied. */
  readonly ownerOwnsAll: boolean;
  /** A lock at PUT and a bypass at DELETE take rights of their own. Ceph: both must be denied. */
  readonly lockRights: boolean;
  /** DeleteObjects asks for each key only. Ceph: for s3:DeleteObject on the bucket first. */
  readonly deleteByKey: boolean;
}

export const QUIRKS: Readonly<Record<"aws" | "ceph", Quirks>> = {
  aws: all(true),
  ceph: all(false),
};

function all(as: boolean): Quirks {
  return {
    checksums: as,
    chunkedBodies: as,
    bucketOnce: as,
    headTellsRegion: as,
    settingsFromStart: as,
    owner: as,
    onceAmongVersions: as,
    completeOnce: as,
    completeTellsTag: as,
    uploadGone: as,
    versionGone: as,
    locksAtUploadStart: as,
    longLocks: as,
    needsDigest: as,
    attributes: as,
    conditionKeys: as,
    ownerOwnsAll: as,
    lockRights: as,
    deleteByKey: as,
  };
}
