import { systemClock } from "#base/system-clock";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#base/time";
import {
  base64Of,
  CONTENT,
  endSoon,
  type Ground,
  inMs,
  type Row,
  refused,
  Seen,
  same,
  until,
} from "./s3-row.ts";

interface Lock {
  readonly mode?: "GOVERNANCE" | "COMPLIANCE";
  readonly ends?: Date;
  readonly held?: boolean;
}

/** Puts an object with a lock in its headers; the ways to name it and to ask for its removal. */
async function locked({ s3, bucket }: Ground, { mode, ends, held }: Lock) {
  const at = { Bucket: bucket, Key: "one" };
  const { VersionId } = await s3.putObject({
    ...at,
    Body: CONTENT,
    ContentMD5: base64Of("md5", CONTENT),
    ...(mode === undefined ? {} : { ObjectLockMode: mode, ObjectLockRetainUntilDate: ends }),
    ...(held === undefined ? {} : { ObjectLockLegalHoldStatus: held ? "ON" : "OFF" }),
  });
  const by = { ...at, VersionId };
  return {
    by,
    remove: () => s3.deleteObject(by),
    bypass: () => s3.deleteObject({ ...by, BypassGovernanceRetention: true }),
  };
}

export const LOCK_ROWS: readonly Row[] = [
  {
    name: "retention at PUT is read back and keeps the version; only a bypass takes it away",
    bucket: "locked",
    async run(ground) {
      const date = inMs(DAY_MS);
      const { by, remove, bypass } = await locked(ground, { mode: "GOVERNANCE", ends: date });
      const { Retention } = await ground.s3.getObjectRetention(by);
      same(Retention?.Mode, "GOVERNANCE");
      same(Retention?.RetainUntilDate?.getTime(), date.getTime());
      const head = await ground.s3.headObject(by);
      same(head.ObjectLockRetainUntilDate?.getTime(), date.getTime());
      await refused(remove(), 403, "AccessDenied");
      await bypass();
      await refused(ground.s3.headObject(by), 404);
    },
  },
  {
    name: "retention is made longer, and shorter only with a bypass",
    bucket: "locked",
    async run(ground) {
      const { s3 } = ground;
      const { by } = await locked(ground, { mode: "GOVERNANCE", ends: inMs(DAY_MS) });
      const put = (ms: number, BypassGovernanceRetention = false) =>
        s3.putObjectRetention({
          ...by,
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: inMs(ms) },
          BypassGovernanceRetention,
        });
      await put(2 * DAY_MS);
      await refused(put(DAY_MS), 403, "AccessDenied");
      await put(DAY_MS, true);
    },
  },
  {
    name: "COMPLIANCE gives way to nothing",
    bucket: "locked",
    async run(ground) {
      const { s3 } = ground;
      const { by, bypass } = await locked(ground, { mode: "COMPLIANCE", ends: inMs(MINUTE_MS) });
      await refused(bypass(), 403, "AccessDenied");
      const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inMs(HOUR_MS) } as const;
      const weaker = { ...by, Retention, BypassGovernanceRetention: true };
      await refused(s3.putObjectRetention(weaker), 403, "AccessDenied");
    },
  },
  {
    name: "a lock that has ended keeps nothing",
    bucket: "locked",
    async run(ground) {
      const { by, remove } = await locked(ground, { mode: "GOVERNANCE", ends: inMs(DAY_MS) });
      await refused(remove(), 403, "AccessDenied");
      const ends = await endSoon(ground, by);
      await until("the lock ends", async () =>
        remove().then(
          () => true,
          () => false,
        ),
      );
      same(systemClock.now() >= ends.getTime(), true);
    },
  },
  {
    name: "a retention date in the past is refused at PUT",
    bucket: "locked",
    async run(ground) {
      const put = locked(ground, { mode: "GOVERNANCE", ends: inMs(-HOUR_MS) });
      await refused(put, 400, "InvalidArgument");
    },
  },
  {
    name: "a retention until after 2106 is kept as it was asked, and keeps the version",
    bucket: "locked",
    async run(ground) {
      const ends = new Date("2126-03-01T00:00:00Z");
      const { by, remove } = await locked(ground, { mode: "GOVERNANCE", ends });
      const { Retention } = await ground.s3.getObjectRetention(by);
      same(Retention?.RetainUntilDate?.toISOString(), ends.toISOString());
      await refused(remove(), 403, "AccessDenied");
    },
  },
  {
    name: "a legal hold at PUT is read back and withstands a bypass; lifted, it keeps nothing",
    bucket: "locked",
    async run(ground) {
      const { s3 } = ground;
      const { by, remove, bypass } = await locked(ground, { held: true });
      same((await s3.getObjectLegalHold(by)).LegalHold?.Status, "ON");
      same((await s3.headObject(by)).ObjectLockLegalHoldStatus, "ON");
      await refused(remove(), 403, "AccessDenied");
      await refused(bypass(), 403, "AccessDenied");
      await s3.putObjectLegalHold({ ...by, LegalHold: { Status: "OFF" } });
      same((await s3.getObjectLegalHold(by)).LegalHold?.Status, "OFF");
      await remove();
    },
  },
  {
    name: "a legal hold is set later, by version, behind a delete marker",
    bucket: "locked",
    async run(ground) {
      const { s3, bucket } = ground;
      const { by, remove } = await locked(ground, {});
      await s3.deleteObject({ Bucket: bucket, Key: "one" });
      await s3.putObjectLegalHold({ ...by, LegalHold: { Status: "ON" } });
      same((await s3.getObjectLegalHold(by)).LegalHold?.Status, "ON");
      await refused(remove(), 403, "AccessDenied");
    },
  },
  {
    name: "a hold and a retention that were never set are told as none",
    bucket: "locked",
    async run(ground) {
      const { by } = await locked(ground, {});
      await refused(ground.s3.getObjectRetention(by), 404, "NoSuchObjectLockConfiguration");
      await refused(ground.s3.getObjectLegalHold(by), 404, "NoSuchObjectLockConfiguration");
    },
  },
  {
    name: "DeleteObjects tells a held version in its errors and takes the others",
    bucket: "locked",
    async run(ground) {
      const { s3, bucket } = ground;
      const { by } = await locked(ground, { held: true });
      const free = await s3.putObject({ Bucket: bucket, Key: "two", Body: "x" });
      const Objects = [
        { Key: by.Key, VersionId: by.VersionId },
        { Key: "two", VersionId: free.VersionId },
      ];
      const done = await s3.deleteObjects({ Bucket: bucket, Delete: { Objects, Quiet: true } });
      same(done.Errors?.map((one) => `${one.Key} ${one.Code}`).join(), "one AccessDenied");
      await s3.headObject(by);
      await refused(s3.headObject({ Bucket: bucket, Key: "two", VersionId: free.VersionId }), 404);
    },
  },
  {
    name: "an overwrite leaves the locked version as it was",
    bucket: "locked",
    async run(ground) {
      const { by, remove } = await locked(ground, { mode: "GOVERNANCE", ends: inMs(DAY_MS) });
      await ground.s3.putObject({ Bucket: by.Bucket, Key: by.Key, Body: "junk" });
      same((await ground.s3.headObject(by)).ContentLength, CONTENT.length);
      await refused(remove(), 403, "AccessDenied");
    },
  },
  {
    name: "a bucket's own retention falls on every new version",
    bucket: "locked",
    async run(ground) {
      const { s3, bucket } = ground;
      const Rule = { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } } as const;
      const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule } as const;
      await s3.putObjectLockConfiguration({ Bucket: bucket, ObjectLockConfiguration });
      const read = await s3.getObjectLockConfiguration({ Bucket: bucket });
      same(read.ObjectLockConfiguration?.Rule?.DefaultRetention?.Days, 1);
      const { by, remove } = await locked(ground, {});
      same((await s3.getObjectRetention(by)).Retention?.Mode, "GOVERNANCE");
      await refused(remove(), 403, "AccessDenied");
    },
  },
  {
    name: "a lock in a bucket without object lock is refused",
    bucket: "versioned",
    async run(ground) {
      await refused(locked(ground, { held: true }), 400, "InvalidRequest");
      await refused(locked(ground, { mode: "GOVERNANCE", ends: inMs(DAY_MS) }), 400);
      const { by } = await locked(ground, {});
      const hold = ground.s3.putObjectLegalHold({ ...by, LegalHold: { Status: "ON" } });
      await refused(hold, 400, "InvalidRequest");
    },
  },
  {
    name: "a PUT with a lock and no digest of its own is refused",
    bucket: "locked",
    async run(ground) {
      const { s3, bucket } = ground;
      await locked(ground, { held: true });
      const at = { Bucket: bucket, Key: "one", Body: CONTENT };
      await refused(s3.putObject({ ...at, ObjectLockLegalHoldStatus: "ON" }), 400);
    },
  },
  {
    name: "a hold asked for when an upload starts is on what it becomes",
    bucket: "locked",
    run: (ground) => uploaded(ground, { ObjectLockLegalHoldStatus: "ON" }),
  },
  {
    name: "a retention asked for when an upload starts is on what it becomes",
    bucket: "locked",
    run: (ground) =>
      uploaded(ground, {
        ObjectLockMode: "GOVERNANCE",
        ObjectLockRetainUntilDate: inMs(DAY_MS),
      }),
  },
  {
    name: "retention and hold set after Complete keep what an upload became",
    bucket: "locked",
    async run(ground) {
      const { s3 } = ground;
      const by = await upload(ground, {});
      const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inMs(DAY_MS) } as const;
      await s3.putObjectRetention({ ...by, Retention });
      same((await s3.getObjectRetention(by)).Retention?.Mode, "GOVERNANCE");
      await refused(s3.deleteObject(by), 403, "AccessDenied");
      await s3.putObjectLegalHold({ ...by, LegalHold: { Status: "ON" } });
      same((await s3.getObjectLegalHold(by)).LegalHold?.Status, "ON");
    },
  },
];

type AtStart =
  | { readonly ObjectLockLegalHoldStatus?: "ON" }
  | { readonly ObjectLockMode: "GOVERNANCE"; readonly ObjectLockRetainUntilDate: Date };

async function upload({ s3, bucket }: Ground, lock: AtStart) {
  const at = { Bucket: bucket, Key: "one" };
  const { UploadId } = await s3.createMultipartUpload({ ...at, ...lock });
  const part = { ...at, UploadId, PartNumber: 1, Body: CONTENT };
  const { ETag } = await s3.uploadPart({ ...part, ContentMD5: base64Of("md5", CONTENT) });
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await s3.completeMultipartUpload({ ...at, UploadId, MultipartUpload });
  const { VersionId } = await s3.headObject(at);
  return { ...at, VersionId };
}

async function uploaded(ground: Ground, lock: AtStart): Promise<void> {
  const by = await upload(ground, lock);
  const head = await ground.s3.headObject(by);
  const kept = head.ObjectLockLegalHoldStatus ?? head.ObjectLockMode;
  if (kept === undefined) throw new Seen("not locked");
  await refused(ground.s3.deleteObject(by), 403, "AccessDenied");
}
