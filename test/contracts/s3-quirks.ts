/** What a server is known to do otherwise than its row says. */
export interface Quirk {
  /** As `seenIn` tells it. */
  readonly seen: string;
  /** What it means for the vault. */
  readonly why: string;
}

const NO_KEY = "404 NoSuchKey";
const BY_OWNER =
  "an object belongs to who wrote it: what a box may not do with its own is denied in so many words";
const UNKNOWN_KEY =
  "the condition key is not known: a denial by it never holds, a right by it is never given";
const LOCK_AFTER = "locks are set, and read back, after Complete";
const CHECKSUMS =
  "x-amz-checksum-… is neither looked at nor kept: the signed hash is what refuses other bytes";
const LOOK_AFTER = "a write is believed only after it was looked up by its version";

/** Ceph 16.2.15, Debian 12. Every row that is not named here says ok. */
export const CEPH_QUIRKS: Readonly<Record<string, Quirk>> = {
  "making one's own bucket again is refused": {
    seen: "accepted",
    why: "the program makes no buckets",
  },
  "HeadBucket tells the region": {
    seen: "undefined",
    why: "the residency check takes GetBucketLocation's word and the operator's declaration",
  },
  "another owner than expected is refused": {
    seen: "accepted",
    why: "there is one owner of one's own storage",
  },
  "replication that is not there is told so": {
    seen: "accepted",
    why: "the answer is a replication without rules, which is none",
  },
  "a public access block that is not there is told so": {
    seen: "accepted",
    why: "the answer is a block of nothing",
  },
  "a new bucket blocks public access": { seen: "false", why: "`check --vault` looks" },
  "the policy status of a bucket without a policy is none": {
    seen: "accepted",
    why: "the answer is that it is not public",
  },
  "a new bucket is encrypted by the server": {
    seen: "undefined",
    why: "what is stored is sealed already",
  },
  "a stream in pieces with a trailer, as the SDK makes it unasked": {
    seen: "411 MissingContentLength",
    why: "the vault never sends one",
  },
  "a wrong x-amz-checksum-sha256 is refused and leaves nothing": {
    seen: "accepted",
    why: CHECKSUMS,
  },
  "a checksum that was sent is given back": { seen: "undefined", why: CHECKSUMS },
  "checksums of parts are given back, and one made of them": { seen: "undefined", why: CHECKSUMS },
  "If-None-Match lets a key be written once where there are versions": {
    seen: "accepted",
    why: `the first version stays and is the one the catalog names; ${LOOK_AFTER}`,
  },
  "Complete heeds If-None-Match": { seen: "accepted", why: LOOK_AFTER },
  "Complete tells the tag": { seen: "", why: LOOK_AFTER },
  "Complete after a lost answer is told that there is no such upload": {
    seen: "accepted",
    why: "a second Complete makes no second version, and no such upload means: look",
  },
  "Complete of an upload that was aborted is told so": {
    seen: "500 InternalError",
    why: "who tries again for ever after a 500 never begins anew: look whether the upload is there",
  },
  "parts of an upload that is not there are told as no upload": {
    seen: NO_KEY,
    why: "it is a 404",
  },
  "a version that was deleted is told as no version": { seen: NO_KEY, why: "it is a 404" },
  "reading a marker by its version is refused as no method for it": {
    seen: NO_KEY,
    why: "markers are found by listing versions",
  },
  "a hold and a retention that were never set are told as none": {
    seen: "404 ObjectLockConfigurationNotFoundError",
    why: "for an object it means what NoSuchObjectLockConfiguration does",
  },
  "the second part is read by its number": {
    seen: "accepted",
    why: "the whole object comes; the vault reads ranges",
  },
  "GetObjectAttributes tells the size": {
    seen: "undefined",
    why: "the whole object comes; the vault asks HEAD",
  },
  "a PUT with a lock and no digest of its own is refused": {
    seen: "accepted",
    why: "the vault always sends one",
  },
  "a hold asked for when an upload starts is on what it becomes": {
    seen: "not locked",
    why: LOCK_AFTER,
  },
  "a retention asked for when an upload starts is on what it becomes": {
    seen: "not locked",
    why: LOCK_AFTER,
  },
  "writing is not reading, even for who wrote it": { seen: "accepted", why: BY_OWNER },
  "writing is not holding or locking, even for who wrote it": { seen: "accepted", why: BY_OWNER },
  "DeleteObjects asks for the right to each key, and for no other": {
    seen: "403 AccessDenied",
    why: "it wants s3:DeleteObject on the bucket too: the destroyer deletes one by one, or has it",
  },
  "unfinished uploads are listed for their prefix only (s3:prefix)": {
    seen: "403 AccessDenied",
    why: "the list of uploads knows no prefix: who may list them sees the keys of all",
  },
  "a list that says nothing of its length is none that says it (Null s3:max-keys)": {
    seen: "403 AccessDenied",
    why: "so that HeadBucket alone can be allowed",
  },
  "a retention until after 2106 is kept as it was asked, and keeps the version": {
    seen: "1990-01-22T17:31:44.000Z",
    why: "its 32 bits turn round and the lock is over: a box there has no right to set locks later",
  },
  "writing once can be demanded (Null s3:if-none-match)": {
    seen: "403 AccessDenied",
    why: UNKNOWN_KEY,
  },
  "a right to set holds can be for ON only (s3:object-lock-legal-hold)": {
    seen: "403 AccessDenied",
    why: `${UNKNOWN_KEY}; so a box has no right to holds, and the desk sets them`,
  },
  "COMPLIANCE can be denied (s3:object-lock-mode)": { seen: "accepted", why: UNKNOWN_KEY },
  "retention can be capped where it is set (s3:object-lock-remaining-retention-days)": {
    seen: "accepted",
    why: UNKNOWN_KEY,
  },
  "a lock at PUT needs the right to set locks": {
    seen: "accepted",
    why: "who may write may lock what he writes",
  },
  "a bypass needs a right of its own": {
    seen: "accepted",
    why: "who may delete versions may bypass governance, unless s3:BypassGovernanceRetention is denied",
  },
  "plain http can be denied (aws:SecureTransport)": {
    seen: "accepted",
    why: "the key is there over TLS only; the program speaks https only",
  },
};
