import { systemClock } from "#base/system-clock";
import { DAY_MS } from "#base/time";
import { base64Of, CONTENT, endSoon, type Ground, inMs, type Row, same, until } from "./s3-row.ts";

/** What docs/vault.md asks of a bucket: everything below the prefix goes after a day, unless it may not. */
async function oneDay({ s3, bucket }: Ground): Promise<void> {
  const Filter = { Prefix: "footage/" };
  await s3.putBucketLifecycleConfiguration({
    Bucket: bucket,
    LifecycleConfiguration: {
      Rules: [
        {
          ID: "gone",
          Status: "Enabled",
          Filter,
          Expiration: { Days: 1 },
          NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        },
        {
          ID: "markers",
          Status: "Enabled",
          Filter,
          Expiration: { ExpiredObjectDeleteMarker: true },
        },
      ],
    },
  });
}

async function put({ s3, bucket }: Ground, Key: string, lock: object = {}) {
  const ContentMD5 = base64Of("md5", CONTENT);
  return (await s3.putObject({ Bucket: bucket, Key, Body: CONTENT, ContentMD5, ...lock }))
    .VersionId;
}

/** `footage/one` for a version, `footage/one†` for a marker. */
async function left({ s3, bucket }: Ground): Promise<readonly string[]> {
  const listed = await s3.listObjectVersions({ Bucket: bucket });
  return [
    ...(listed.Versions ?? []).map(({ Key }) => String(Key)),
    ...(listed.DeleteMarkers ?? []).map(({ Key }) => `${Key}†`),
  ].toSorted();
}

export const LIFECYCLE_ROWS: readonly Row[] = [
  {
    name: "a rule takes away versions, then markers, and unfinished uploads, below its prefix",
    bucket: "versioned",
    async run(ground) {
      const { s3, bucket } = ground;
      await put(ground, "footage/one");
      await put(ground, "footage/one");
      await put(ground, "ledger/one");
      await s3.createMultipartUpload({ Bucket: bucket, Key: "footage/two" });
      await oneDay(ground);
      await until("all gone", async () => (await left(ground)).join() === "ledger/one");
      await until("the upload gone", async () => {
        const { Uploads = [] } = await s3.listMultipartUploads({ Bucket: bucket });
        return Uploads.length === 0;
      });
    },
  },
  {
    name: "a rule hides what is held or locked behind a marker, and takes it once it may",
    bucket: "locked",
    async run(ground) {
      const { s3, bucket } = ground;
      const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: inMs(DAY_MS) };
      await put(ground, "footage/free");
      await put(ground, "footage/held", { ObjectLockLegalHoldStatus: "ON" });
      const VersionId = await put(ground, "footage/locked", lock);
      await oneDay(ground);
      const kept = "footage/held,footage/held†,footage/locked,footage/locked†";
      await until("the free one gone", async () => (await left(ground)).join() === kept);
      const ends = await endSoon(ground, { Bucket: bucket, Key: "footage/locked", VersionId });
      await until("the locked one gone", async () => {
        return (await left(ground)).join() === "footage/held,footage/held†";
      });
      same(systemClock.now() >= ends.getTime(), true);
      const { Versions = [] } = await s3.listObjectVersions({ Bucket: bucket });
      const by = { Bucket: bucket, Key: "footage/held", VersionId: Versions[0]?.VersionId };
      same((await s3.getObjectLegalHold(by)).LegalHold?.Status, "ON");
      await s3.putObjectLegalHold({ ...by, LegalHold: { Status: "OFF" } });
      await until("the released one gone", async () => (await left(ground)).length === 0);
    },
  },
];
