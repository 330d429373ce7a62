import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { isPlainBucket } from "../config/bucket-schema.ts";
import {
  EEA_COUNTRIES,
  isEndpointOf,
  isOfKnownProvider,
  regionOf,
  regionsOf,
  tellsOf,
} from "../config/eea.ts";
import { PROVIDERS, TABLE_VERSION } from "../config/eea-table.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** Whether footage may go there, by the table. */
function may(provider: string, region: string, host: string): boolean {
  const row = regionOf(provider, region);
  return row !== undefined && isEndpointOf(row, `https://${host}`);
}

describe("the table of places in the EEA (DH-11)", () => {
  it("has these, each under its own provider, region and host", () => {
    for (const [provider, region, host] of [
      ["aws", "eu-central-1", "s3.eu-central-1.amazonaws.com"],
      ["aws", "eu-west-1", "s3.dualstack.eu-west-1.amazonaws.com"],
      ["aws", "eu-south-2", "s3.eu-south-2.amazonaws.com"],
      ["aws", "eusc-de-east-1", "s3.eusc-de-east-1.amazonaws.eu"],
      ["wasabi", "eu-west-2", "s3.eu-west-2.wasabisys.com"],
      ["wasabi", "eu-west-2", "s3.fr-1.wasabisys.com"],
      ["ovh", "gra", "s3.gra.io.cloud.ovh.net"],
      ["ovh", "eu-west-par", "s3.eu-west-par.io.cloud.ovh.net"],
      ["scaleway", "nl-ams", "s3.nl-ams.scw.cloud"],
      ["ionos", "de", "s3-eu-central-1.ionoscloud.com"],
      ["hetzner", "fsn1", "fsn1.your-objectstorage.com"],
      ["exoscale", "hr-zag-1", "sos-hr-zag-1.exo.io"],
      ["backblaze", "eu-central-003", "s3.eu-central-003.backblazeb2.com"],
      ["leaseweb", "nl-01", "nl.object-storage.io"],
      ["r2", "auto", `${ACCOUNT}.eu.r2.cloudflarestorage.com`],
    ] as const) {
      assert.ok(may(provider, region, host), `${provider} ${region} ${host}`);
    }
  });

  it("has none of these, whatever they are called", () => {
    for (const [provider, region, host] of [
      // London, Zürich, and a partition of governments elsewhere.
      ["aws", "eu-west-2", "s3.eu-west-2.amazonaws.com"],
      ["aws", "eu-central-2", "s3.eu-central-2.amazonaws.com"],
      ["aws", "eu-isoe-west-1", "s3.eu-isoe-west-1.cloud.adc-e.uk"],
      ["aws", "us-east-1", "s3.us-east-1.amazonaws.com"],
      // Fits the pattern of a region, and is none.
      ["aws", "eu-west-9", "s3.eu-west-9.amazonaws.com"],
      ["aws", "EU", "s3.eu-west-1.amazonaws.com"],
      // The United Kingdom, twice.
      ["wasabi", "eu-west-1", "s3.eu-west-1.wasabisys.com"],
      ["wasabi", "eu-west-3", "s3.eu-west-3.wasabisys.com"],
      ["wasabi", "us-east-1", "s3.wasabisys.com"],
      ["ovh", "uk", "s3.uk.io.cloud.ovh.net"],
      ["ovh", "bhs", "s3.bhs.io.cloud.ovh.net"],
      // Switzerland.
      ["exoscale", "ch-gva-2", "sos-ch-gva-2.exo.io"],
      ["exoscale", "ch-dk-2", "sos-ch-dk-2.exo.io"],
      // Named by what its host says, which is not its name.
      ["ionos", "eu-central-1", "s3-eu-central-1.ionoscloud.com"],
      ["r2", "weur", `${ACCOUNT}.r2.cloudflarestorage.com`],
      ["backblaze", "us-west-004", "s3.us-west-004.backblazeb2.com"],
      ["own", "eu-central-1", "s3.eu-central-1.amazonaws.com"],
      ["toString", "eu-central-1", "s3.eu-central-1.amazonaws.com"],
      ["aws", "toString", "s3.eu-central-1.amazonaws.com"],
      ["aws", "__proto__", "s3.eu-central-1.amazonaws.com"],
    ] as const) {
      assert.ok(!may(provider, region, host), `${provider} ${region} ${host}`);
    }
  });

  it("goes by provider, region and host together: none decides alone", () => {
    for (const [provider, region, host] of [
      ["aws", "eu-central-1", "s3.eu-west-1.amazonaws.com"],
      ["aws", "eu-west-1", "s3.eu-west-1.wasabisys.com"],
      ["wasabi", "eu-west-2", "s3.eu-west-2.amazonaws.com"],
      ["wasabi", "eu-central-1", "s3.wasabisys.com"],
      ["wasabi", "eu-west-2", "s3.uk-1.wasabisys.com"],
      ["ovh", "gra", "s3.uk.io.cloud.ovh.net"],
      ["ionos", "de", "s3-eu-central-2.ionoscloud.com"],
      ["exoscale", "at-vie-1", "sos-ch-gva-2.exo.io"],
      ["r2", "auto", `${ACCOUNT}.r2.cloudflarestorage.com`],
      ["r2", "auto", `${ACCOUNT}.us.r2.cloudflarestorage.com`],
      ["r2", "auto", `${ACCOUNT}.fedramp.r2.cloudflarestorage.com`],
    ] as const) {
      assert.ok(!may(provider, region, host), `${provider} ${region} ${host}`);
    }
  });

  it("takes no global, accelerated, fips, website, access point or look-alike host", () => {
    const good = "s3.eu-central-1.amazonaws.com";
    for (const host of [
      "s3.amazonaws.com",
      "s3-accelerate.amazonaws.com",
      "s3-accelerate.dualstack.amazonaws.com",
      "s3-fips.eu-central-1.amazonaws.com",
      "s3-website.eu-central-1.amazonaws.com",
      "s3-website-eu-central-1.amazonaws.com",
      "s3-eu-central-1.amazonaws.com",
      "s3-control.eu-central-1.amazonaws.com",
      "s3express-euc1-az1.eu-central-1.amazonaws.com",
      "mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com",
      "beelden-123456789012.s3-accesspoint.eu-central-1.amazonaws.com",
      "beelden.s3.eu-central-1.amazonaws.com",
      "bucket.vpce-1a2b3c4d-5e6f.s3.eu-central-1.vpce.amazonaws.com",
      `${good}.example.com`,
      `x${good}`,
      `example.com.${good}`,
      `${good}.`,
      `${good}:443`,
      `${good}:8443`,
      `${good}@example.com`,
      `example.com@${good}`,
      `example.com#${good}`,
      `example.com/${good}`,
      `example.com\\@${good}`,
      `${good}/beelden`,
      `${good}//`,
      `${good}?x`,
      `${good}\n`,
      ` ${good}`,
      good.toUpperCase(),
      "S3.eu-central-1.amazonaws.com",
      "s3.eu-central-1.amazonaws.com.cn",
      "s3.eu-central-1.amaz0naws.com",
      "s3.eu-central-1.amaz\u043enaws.com",
      "s3.eu-central-1.xn--amaznaws-6gd.com",
      "s3.eu-central-1.\uff41mazonaws.com",
      "s3.eu-central-1\u3002amazonaws\u3002com",
      "s3%2Eeu-central-1.amazonaws.com",
      "s3xeu-central-1xamazonaws.com",
      "52.219.170.1",
      "",
    ]) {
      assert.ok(!may("aws", "eu-central-1", host), host);
    }
    const row = regionOf("aws", "eu-central-1");
    assert.ok(row && isEndpointOf(row, `https://${good}/`));
    for (const address of [`http://${good}`, `HTTPS://${good}`, `https:${good}`, `//${good}`, good])
      assert.ok(row && !isEndpointOf(row, address), address);
    for (const account of ["", "x", ACCOUNT.toUpperCase(), `${ACCOUNT}0`, `a.${ACCOUNT}`])
      assert.ok(!may("r2", "auto", `${account}.eu.r2.cloudflarestorage.com`), account);
  });

  it("takes no host that is not, letter for letter, in it", () => {
    const rows = Object.entries(PROVIDERS).flatMap(([provider, { regions }]) =>
      Object.entries(regions).map(([region, row]) => ({ provider, region, row })),
    );
    const every = rows.flatMap(({ row }) => row.hosts);
    const near = fc
      .tuple(fc.constantFrom(...every), fc.nat(60), fc.string({ maxLength: 3 }), fc.nat(3))
      .map(([host, at, text, gone]) => host.slice(0, at) + text + host.slice(at + gone));
    const isOne = new RegExp(`^[0-9a-f]{32}\\.eu\\.r2\\.cloudflarestorage\\.com/?$`);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...rows),
        fc.oneof(near, fc.constantFrom(...every), fc.domain(), fc.string()),
        ({ provider, region, row }, host) => {
          const is =
            row.hosts.some((one) => host === one || host === `${one}/`) ||
            (provider === "r2" && isOne.test(host));
          assert.equal(may(provider, region, host), is, `${provider} ${region} ${host}`);
          refused += is ? 0 : 1;
        },
      ),
      { numRuns: 5000 },
    );
    assert.ok(refused > 1000);
  });

  it("names a country of the EEA in each line, a host once, and what its bucket answers", () => {
    const hosts = new Set<string>();
    for (const [provider, { regions, domains }] of Object.entries(PROVIDERS)) {
      assert.ok(regionsOf(provider).length > 0);
      for (const [region, row] of Object.entries(regions)) {
        // What a provider promises of the whole Union lies in the EEA too.
        assert.ok(["EU", ...EEA_COUNTRIES].includes(row.country), `${provider} ${region}`);
        assert.ok(row.reports.length > 0 && row.hosts.length + (row.hostPattern ? 1 : 0) > 0);
        for (const host of row.hosts) {
          assert.ok(!hosts.has(host), host);
          hosts.add(host);
          assert.ok(
            domains.some((domain) => host.endsWith(`.${domain}`)),
            host,
          );
        }
      }
    }
    assert.match(TABLE_VERSION, /^\d{4}-\d\d-\d\d$/);
  });

  it("knows what old and global buckets answer: EU is Ireland, and nothing is Virginia", () => {
    assert.deepEqual(regionOf("aws", "eu-west-1")?.reports, ["eu-west-1", "EU"]);
    const reports = Object.values(PROVIDERS["aws"]?.regions ?? {}).flatMap((one) => one.reports);
    assert.equal(reports.filter((one) => one === "EU").length, 1);
    for (const answer of ["", "US", "us-east-1", "eu-west-2", "eu-central-2"])
      assert.ok(!reports.includes(answer), answer);
    assert.deepEqual(tellsOf("aws"), {
      header: "required",
      location: "required",
      replication: "required",
    });
  });

  it("is not got around by declaring a provider's address as one's own", () => {
    for (const host of [
      "s3.us-east-1.amazonaws.com",
      "S3.AMAZONAWS.COM.",
      "amazonaws.com",
      "beelden.s3.cn-north-1.amazonaws.com.cn",
      "s3.dualstack.us-east-1.api.aws",
      "s3.wasabisys.com",
      "s3.uk.io.cloud.ovh.net",
      "sos-ch-gva-2.exo.io",
      "storage.googleapis.com",
    ])
      assert.ok(isOfKnownProvider(host), host);
    for (const host of ["s3.example.nl", "amazonaws.com.example.nl", "10.0.0.1", "notexo.io"])
      assert.ok(!isOfKnownProvider(host), host);
  });
});

describe("the name of a bucket", () => {
  it("is a plain one, and nothing that could stand for buckets elsewhere", () => {
    for (const name of ["gem-voorbeeld-beelden", "abc", "0-0", "a".repeat(63)])
      assert.ok(isPlainBucket(name), name);
    for (const name of [
      "ab",
      "a".repeat(64),
      "-abc",
      "abc-",
      "Abc",
      "a_bc",
      "a.bc",
      "a b",
      "abc\n",
      "a/b",
      "ábc",
      "arn:aws:s3:::beelden",
      "arn:aws:s3:eu-central-1:123456789012:accesspoint/beelden",
      "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
      "mfzwi23gnjvgw.mrap",
      "beelden-abc123-s3alias",
      "beelden--ol-s3",
      "beelden--euc1-az1--x-s3",
      "beelden--table-s3",
      "xn--beelden",
      "sthree-beelden",
      "192.168.0.1",
    ])
      assert.ok(!isPlainBucket(name), name);
  });
});
