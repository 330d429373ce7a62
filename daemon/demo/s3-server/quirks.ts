/** Where the two kinds of server differ. Ceph's column was measured on RGW 16.2.15. */
export interface Quirks {
  /** Checksums that a client sends are compared, kept and given back. Ceph looks at none. */
  readonly checksums: boolean;
  /** Bodies in pieces with a trailer (aws-chunked). Ceph: 411. */
  readonly chunkedBodies: boolean;
  /** Making a bucket that one already has is an error. Ceph: 200. */
  readonly bucketOnce: boolean;
  /** Complete tells the new object's tag. Ceph leaves it empty. */
  readonly completeTellsTag: boolean;
  /** Complete heeds If-None-Match. Ceph writes anyway. */
  readonly completeOnce: boolean;
  /** A second Complete is told that there is no such upload. Ceph answers as it did at first. */
  readonly completeForgotten: boolean;
  /** Retention and hold asked for at the start of an upload are set. Ceph ignores both, without a word. */
  readonly locksAtUploadStart: boolean;
  /** A PUT with a lock needs a digest in a header of its own. */
  readonly lockNeedsDigest: boolean;
  /** `?attributes` and `?partNumber` are known. Ceph gives the whole object. */
  readonly attributes: boolean;
  /** Putting rules needs Content-MD5 or a checksum. */
  readonly documentsNeedDigest: boolean;
  /** x-amz-expected-bucket-owner is compared. */
  readonly owner: boolean;
}

export const QUIRKS = {
  aws: {
    checksums: true,
    chunkedBodies: true,
    bucketOnce: true,
    completeTellsTag: true,
    completeOnce: true,
    completeForgotten: true,
    locksAtUploadStart: true,
    lockNeedsDigest: true,
    attributes: true,
    documentsNeedDigest: true,
    owner: true,
  },
  ceph: {
    checksums: false,
    chunkedBodies: false,
    bucketOnce: false,
    completeTellsTag: false,
    completeOnce: false,
    completeForgotten: false,
    locksAtUploadStart: false,
    lockNeedsDigest: false,
    attributes: false,
    documentsNeedDigest: false,
    owner: false,
  },
} as const satisfies Record<string, Quirks>;
