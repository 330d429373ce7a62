import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { type Clock, plus } from "#base/time";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { checkBucket } from "../daemon/fitness/bucket.ts";
import { lifecycleRows } from "../daemon/fitness/bucket-lifecycle.ts";
import { shownVault, type VaultReport } from "../daemon/fitness/bucket-shown.ts";
import { FAULTS, type Fault, NO_RULE } from "./fakes/bucket-faults.ts";
import { type FitBucket, fitBucket, KEPT, USERS } from "./fakes/fit-bucket.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";
import { makeCertificate } from "./peers/ceph-files.ts";

/** The machine's clock, on which whoever sleeps wakes at once, later. */
function leaping(): Clock {
  let slept = 0;
  return {
    ...systemClock,
    now: () => plus(systemClock.now(), slept),
    async sleep(ms) {
      slept += ms;
    },
  };
}

let made: Promise<string> | undefined;

/** A key and its certificate in one PEM, made once: it takes openssl. */
async function keyAndCertificate(): Promise<string> {
  await using folder = await temporaryFolder();
  return await readFile((await makeCertificate(folder.path)).path, "utf8");
}

type Level = "plain" | "locked";
type Quirks = "aws" | "ceph";

/** Checks a bucket that is fit but for `fault`; tells what was found, and what lies there afterwards. */
async function checked(quirks: Quirks, level: Level, fault?: Fault) {
  const clock = leaping();
  const [owner, box, destroyer] = USERS;
  // The policies of AWS refuse what is not TLS.
  made ??= keyAndCertificate();
  const pem = quirks === "aws" ? await made : undefined;
  await using server = await startS3Server({
    quirks,
    ...(pem && { tls: { key: pem, cert: pem } }),
    users: USERS,
    // Its rules wait by the real one.
    clock: { ...clock, sleep: (ms, signal) => systemClock.sleep(ms, signal) },
  });
  const peer = { ...server, credential: owner, certificate: pem };
  await using bucket = await fitBucket(peer, { box, destroyer }, level, quirks);
  const calls = {
    box: bucket.box,
    destroyer: level === "plain" ? bucket.destroyer : undefined,
    ...fault?.spoil(bucket),
  };
  const report = await checkBucket(clock, calls, { ...KEPT, level }, "abc", NEVER);
  return { report, there: await thereIn(bucket) };
}

async function thereIn({ all }: FitBucket): Promise<readonly string[]> {
  const { versions } = await all.listVersions("", undefined, 1000);
  const uploads = await all.listUploads("");
  return [
    ...versions.map(({ key, versionId }) => `${key} ${versionId}`),
    ...uploads.map(({ uploadId }) => uploadId),
  ];
}

const rows = ({ checks }: VaultReport, verdict: string): readonly string[] =>
  checks.filter((row) => row.verdict === verdict).map(({ what }) => what);

const ON_CEPH = ["public access", "write once", "wrong checksum", "upload once"];
const IGNORED: Readonly<Record<Quirks, Readonly<Record<Level, readonly string[]>>>> = {
  aws: { plain: [], locked: ["lock set later"] },
  ceph: { plain: ON_CEPH, locked: [...ON_CEPH, "lock at upload", "lock cap"] },
};

describe("check --vault", () => {
  for (const quirks of ["aws", "ceph"] as const) {
    it(`${quirks}: finds a plain bucket fit, says what is ignored, and leaves nothing`, async () => {
      const { report, there } = await checked(quirks, "plain");
      assert.deepEqual(rows(report, "not fit"), [], shownVault(report));
      assert.deepEqual(rows(report, "warning"), IGNORED[quirks].plain);
      assert.deepEqual([report.amountsTo, report.fit, report.left], ["plain", true, []]);
      assert.deepEqual(there, []);
    });

    it(`${quirks}: finds a locked bucket fit, and leaves no more than it says`, async () => {
      const { report, there } = await checked(quirks, "locked");
      assert.deepEqual(rows(report, "not fit"), [], shownVault(report));
      assert.deepEqual(rows(report, "warning"), IGNORED[quirks].locked);
      assert.deepEqual([report.amountsTo, report.fit], ["locked", true]);
      const said = report.left.map(({ key, versionId }) => `${key} ${versionId}`);
      assert.deepEqual(there, said);
      for (const { goneBy } of report.left) assert.ok(goneBy !== null);
    });
  }

  for (const [what, fault] of Object.entries(FAULTS)) {
    const { row, level, quirks = "aws", verdict = "not fit", amountsTo } = fault;
    it(`says of ${what} that it is ${verdict}: ${row}`, async () => {
      const { report, there } = await checked(quirks, level, fault);
      assert.ok(rows(report, verdict).includes(row), shownVault(report));
      assert.equal(report.amountsTo, amountsTo, shownVault(report));
      assert.equal(report.fit, amountsTo === level);
      for (const { verdict: one, says, means, todo } of report.checks) {
        assert.ok(says.nl !== "" && says.en !== "");
        assert.deepEqual([means === null, todo === null], [one === "fit", one === "fit"]);
      }
      const said = report.left.map(({ key, versionId }) => `${key} ${versionId}`);
      if (fault.lies !== true) assert.deepEqual(there, said);
    });
  }

  it("has for each of its rows a bucket where it is not well", async () => {
    const known = new Set(Object.values(FAULTS).map(({ row }) => row));
    for (const level of ["plain", "locked"] as const) {
      const { report } = await checked("aws", level);
      for (const { what } of report.checks) assert.ok(known.has(what), what);
    }
  });

  it("lets a plain bucket stop what no destroyer came for, with a separate medium only, and warns of overwriting", () => {
    const stop = { ...NO_RULE, expireDays: 28, noncurrentDays: 1 };
    const verdicts = (separateCopy: boolean, rule = stop) =>
      lifecycleRows({ ...KEPT, level: "plain", separateCopy }, [rule])
        .filter(({ what }) => /footage|overwritten/.test(what))
        .map(({ what, verdict }) => `${what}: ${verdict}`);
    const overwritten = "lifecycle overwritten: warning";
    assert.deepEqual(verdicts(true), ["lifecycle footage: fit", overwritten]);
    assert.deepEqual(verdicts(false), ["lifecycle footage: not fit"]);
    const early = { ...stop, expireDays: 27 };
    assert.deepEqual(verdicts(true, early), ["lifecycle footage: not fit"]);
  });
});
