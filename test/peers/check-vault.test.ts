import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { checkBucket } from "../../daemon/fitness/bucket.ts";
import { shownVault, type VaultReport } from "../../daemon/fitness/bucket-shown.ts";
import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { BOX, DESTROYER, type FitBucket, fitBucket, KEPT } from "../fakes/fit-bucket.ts";
import { NEVER } from "../fakes/rig.ts";
import { type Ceph, startCeph } from "./ceph.ts";

const rows = ({ checks }: VaultReport, verdict: string): readonly string[] =>
  checks.filter((row) => row.verdict === verdict).map(({ what }) => what);

/** What Ceph 16 leaves out, or takes no notice of, and bewaard does without. */
const IGNORED = ["public access", "write once", "wrong checksum", "upload once"];
const IGNORED_LOCKS = [...IGNORED, "lock at upload", "lock cap"];

async function there({ box }: FitBucket, { left }: VaultReport): Promise<readonly unknown[]> {
  const prefix = "footage/dock-1/";
  const { versions } = await box.listVersions(prefix, undefined, 1000);
  const said = new Set(left.map(({ versionId }) => versionId));
  const unsaid = versions.filter(({ versionId }) => !said.has(versionId));
  return [...unsaid, ...(await box.listUploads(prefix))];
}

describe("check --vault on Ceph", function () {
  this.timeout(120_000);

  async function checked(
    ceph: Ceph,
    level: "plain" | "locked",
    who: (bucket: FitBucket) => { box: S3Calls; destroyer: S3Calls | undefined },
  ) {
    const credentials = { box: await ceph.addUser(BOX), destroyer: await ceph.addUser(DESTROYER) };
    const bucket = await fitBucket(ceph, credentials, level, "ceph");
    const kept = { ...KEPT, level };
    const report = await checkBucket(systemClock, who(bucket), kept, "abcd", NEVER);
    return { bucket, report };
  }

  it("finds a plain bucket with the policies of docs/vault.md fit, and leaves nothing", async () => {
    await using ceph = await startCeph();
    const { bucket, report } = await checked(ceph, "plain", (all) => all);
    await using _bucket = bucket;
    assert.deepEqual(rows(report, "not fit"), [], shownVault(report));
    assert.deepEqual(rows(report, "warning"), IGNORED, shownVault(report));
    assert.deepEqual([report.amountsTo, report.left], ["plain", []]);
    assert.deepEqual(await there(bucket, report), []);
  });

  it("finds a locked one locked, and leaves only what it says", async () => {
    await using ceph = await startCeph();
    const { bucket, report } = await checked(ceph, "locked", ({ box }) => ({
      box,
      destroyer: undefined,
    }));
    await using _bucket = bucket;
    assert.deepEqual(rows(report, "not fit"), [], shownVault(report));
    assert.deepEqual(rows(report, "warning"), IGNORED_LOCKS, shownVault(report));
    assert.equal(report.amountsTo, "locked");
    assert.deepEqual(await there(bucket, report), []);
  });

  it("refuses whom the bucket's owner gave his own credential", async () => {
    await using ceph = await startCeph();
    const { bucket, report } = await checked(ceph, "plain", ({ all }) => ({
      box: all,
      destroyer: all,
    }));
    await using _bucket = bucket;
    const wrong = rows(report, "not fit");
    for (const row of ["desk write", "other prefix list", "other prefix write", "destroyer read"])
      assert.ok(wrong.includes(row), shownVault(report));
    assert.equal(report.fit, false);
  });
});
