import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { DAY_MS, MINUTE_MS } from "#base/time";
import { regionOf, tellsOf } from "../config/eea.ts";
import { vaultOutside } from "../daemon/alarms/vault-outside.ts";
import { residencyRecorder } from "../daemon/record-residency.ts";
import { migrate } from "../storage/catalog/migrate.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { openResidency, type Whereabouts, whereaboutsOf } from "../storage/vault/residency.ts";
import { lookForAlarms } from "./fakes/look-for-alarms.ts";
import { capturedEvents, handClock, START } from "./fakes/rig.ts";

const DENIED = new BewaardError("VAULT_DENIED", "403");
const AWAY = new BewaardError("VAULT_UNAVAILABLE", "away", { transient: true });
const MOVED = new BewaardError("VAULT_OUTSIDE_EEA", "301", { transient: true });

type Answer<T> = T | BewaardError;

interface Bucket {
  header: Answer<string | undefined>;
  location: Answer<string>;
  replication: Answer<readonly string[] | "not told">;
  /** How often it was asked where it is. */
  asked: number;
}

/** A bucket whose answers tests change as they go. */
function bucketSaying(answers: Partial<Bucket> = {}): Bucket {
  return {
    header: "eu-central-1",
    location: "eu-central-1",
    replication: [],
    asked: 0,
    ...answers,
  };
}

async function give<T>(answer: Answer<T>): Promise<T> {
  if (answer instanceof BewaardError) throw answer;
  return answer;
}

function callsOf(bucket: Bucket) {
  return {
    async headBucket() {
      bucket.asked += 1;
      return { region: await give(bucket.header) };
    },
    async location() {
      const region = await give(bucket.location);
      return region === "not told" ? "not told" : { region };
    },
    replication: () => give(bucket.replication),
  };
}

function residenceOf(provider: string, region: string) {
  return { reports: regionOf(provider, region)?.reports ?? [], tells: tellsOf(provider) };
}

const FRANKFURT = residenceOf("aws", "eu-central-1");
const OWN = residenceOf("own", "huis");
const FINLAND = residenceOf("hetzner", "hel1");

async function refusal(residence: typeof FRANKFURT, answers: Partial<Bucket>) {
  return (await whereaboutsOf(callsOf(bucketSaying(answers)), residence)).refused;
}

describe("where a bucket says that it is (DH-11)", () => {
  it("is where it should be, or nothing is sent there", async () => {
    assert.equal(await refusal(FRANKFURT, {}), undefined);
    for (const other of ["eu-west-2", "eu-central-2", "us-east-1", "", "EU", "EU-CENTRAL-1"]) {
      assert.match((await refusal(FRANKFURT, { header: other })) ?? "", /^its header says/, other);
      assert.match(
        (await refusal(FRANKFURT, { location: other })) ?? "",
        /^its location says/,
        other,
      );
    }
    const dublin = residenceOf("aws", "eu-west-1");
    assert.equal(await refusal(dublin, { header: "eu-west-1", location: "EU" }), undefined);
    assert.match((await refusal(dublin, { header: "eu-west-1", location: "" })) ?? "", /says ""/);
  });

  it("is refused with copies in any other bucket, wherever: they outlive destruction (DH-09)", async () => {
    for (const residence of [FRANKFURT, OWN]) {
      const replication = ["arn:aws:s3:::elders"];
      assert.match((await refusal(residence, { replication })) ?? "", /copies to 1 other/);
    }
  });

  it("is refused where it does not let us look, also with those who need not tell", async () => {
    for (const residence of [FRANKFURT, OWN]) {
      for (const answers of [{ header: DENIED }, { location: DENIED }, { replication: DENIED }])
        assert.match((await refusal(residence, answers)) ?? "", /: denied$/);
      assert.match((await refusal(residence, { header: MOVED })) ?? "", /: elsewhere$/);
    }
    await assert.rejects(refusal(FRANKFURT, { location: AWAY }), { code: "VAULT_UNAVAILABLE" });
  });

  it("may stay untold where the table says that the provider cannot, and only there", async () => {
    const silent = { header: undefined, location: "not told", replication: "not told" } as const;
    assert.match((await refusal(FRANKFURT, silent)) ?? "", /its header: not told/);
    for (const what of ["location", "replication"] as const)
      assert.match((await refusal(FRANKFURT, { [what]: silent[what] })) ?? "", /: not told$/);
    assert.equal(await refusal(FINLAND, silent), undefined);
    assert.equal(await refusal(FINLAND, { ...silent, location: "" }), undefined);
    assert.match((await refusal(FINLAND, { ...silent, location: "fsn1" })) ?? "", /not hel1/);
    const answered = await whereaboutsOf(callsOf(bucketSaying({ ...silent })), FINLAND);
    assert.deepEqual(answered, {
      header: "not told",
      location: "not told",
      replication: "not asked",
      refused: undefined,
    });
    assert.equal(await refusal(OWN, { header: "default", location: "us-east-1" }), undefined);
  });

  it("goes into ledger and journal as text that cannot pass for another", async () => {
    const location = `eu\n"alert" ${"x".repeat(5000)}`;
    const { refused = "" } = await whereaboutsOf(callsOf(bucketSaying({ location })), FRANKFURT);
    assert.match(refused, /^its location says eu\?\?alert\?\?x+, which is not eu-central-1$/);
    assert.ok(refused.length < 200);
  });
});

describe("the residency of a vault", () => {
  function watched(answers: Partial<Bucket> = {}) {
    const clock = handClock(START);
    const bucket = bucketSaying(answers);
    const told: Whereabouts[] = [];
    const residency = openResidency(clock, callsOf(bucket), FRANKFURT, async (one) => {
      told.push(one);
    });
    return { clock, bucket, told, residency };
  }

  it("is asked before the first byte, and again when a day has gone by, whatever the clock is set to", async () => {
    const { clock, bucket, told, residency } = watched();
    await Promise.all([residency(), residency(), residency()]);
    assert.deepEqual([bucket.asked, told.length], [1, 1]);
    clock.move(DAY_MS - 1);
    await residency();
    clock.jump(30 * DAY_MS);
    await residency();
    assert.equal(bucket.asked, 1);
    clock.jump(-60 * DAY_MS);
    clock.move(1);
    await residency();
    assert.equal(bucket.asked, 2);
  });

  it("stops what is sent once copies appear, after a day at most, and lets it go on when they are gone", async () => {
    const { clock, bucket, told, residency } = watched();
    await residency();
    bucket.replication = ["arn:aws:s3:::elders"];
    clock.move(DAY_MS);
    const refused = { code: "VAULT_OUTSIDE_EEA", transient: true };
    await assert.rejects(residency(), refused);
    bucket.replication = [];
    // Not asked for each object that waits.
    await assert.rejects(residency(), refused);
    assert.equal(bucket.asked, 2);
    clock.move(MINUTE_MS);
    await residency();
    assert.deepEqual(
      told.map(({ refused: why }) => why !== undefined),
      [false, true, false],
    );
  });

  it("lets nothing go while the bucket does not answer, nor while the answer cannot be recorded", async () => {
    const { bucket, residency } = watched({ header: AWAY });
    await assert.rejects(residency(), { code: "VAULT_UNAVAILABLE" });
    bucket.header = "eu-central-1";
    await residency();
    const full = new BewaardError("CATALOG_FULL", "full", { transient: true });
    const deaf = openResidency(handClock(START), callsOf(bucketSaying()), FRANKFURT, () =>
      Promise.reject(full),
    );
    await assert.rejects(deaf(), full);
    await assert.rejects(deaf(), full);
  });
});

describe("what a bucket said of where it is", () => {
  it("is in the ledger once for each answer that is another, also over a restart; the alarm is told once", async () => {
    await using database = await openDatabase(":memory:");
    await migrate(database);
    const clock = handClock(START);
    const said: string[] = [];
    const lines: string[] = [];
    const place = { provider: "aws", region: "eu-central-1", bucket: "beelden" };
    const events = capturedEvents(said, lines);
    const look = (minutes = 1) =>
      lookForAlarms(
        { clock, events, database },
        [vaultOutside(events, database, [place])],
        minutes,
      );
    const start = () => residencyRecorder(clock, database, place);
    const inside = await whereaboutsOf(callsOf(bucketSaying()), FRANKFURT);
    const outside = await whereaboutsOf(callsOf(bucketSaying({ header: "eu-west-2" })), FRANKFURT);
    const first = start();
    await first(inside);
    await first(inside);
    const second = start();
    await second(inside);
    await look();
    assert.deepEqual(said, []);
    for (let hour = 0; hour < 3; hour += 1) {
      await second(outside);
      await look(60);
    }
    assert.deepEqual(said, ["vault-outside"]);
    await second(inside);
    await look(2);
    assert.deepEqual(said, ["vault-outside", "vault-inside"]);
    const entries = await database.transaction((sql) =>
      sql.all("select body from entry where kind = 'vault.residency' order by seq"),
    );
    assert.equal(entries.length, 3);
    const body: unknown = JSON.parse(String(entries[1]?.["body"]));
    assert.partialDeepStrictEqual(body, {
      provider: "aws",
      region: "eu-central-1",
      bucket: "beelden",
      header: "eu-west-2",
      location: "eu-central-1",
      replication: [],
      inside: false,
      why: "its header says eu-west-2, which is not eu-central-1",
    });
    assert.ok(lines.some((line) => line.includes('"level":"alert"') && line.includes("eu-west-2")));
  });
});
