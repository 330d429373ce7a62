import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { parsePersonId } from "#base/ids";
import { instantOf } from "#base/time";
import { readConfiguration } from "../config/configuration.ts";
import { effectiveSettings } from "../config/effective.ts";
import { readDeskConfig, readDeskPlaces } from "../config/load.ts";
import { plain } from "../config/plain.ts";
import { readCredential } from "../config/secrets.ts";
import { jsonSchema } from "../config/shape.ts";
import { uploadBytesPerSecond } from "../config/upload-schema.ts";
import { bucketOf } from "../daemon/bucket-of.ts";
import { GOOD_BOX, saidOf, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const AWS = { provider: "aws", region: "eu-central-1", bucket: "gem-voorbeeld", level: "locked" };
const OWN = {
  provider: "own",
  region: "huis",
  endpoint: "https://s3.example.nl:8443",
  bucket: "gem-voorbeeld",
  level: "plain",
  country: "NL",
  declared_by: "functioneel-beheer",
  declared_on: "2026-11-01",
};

async function saying(more: object): Promise<string> {
  await using folder = await temporaryFolder();
  const said = await saidOf(await writtenIn(folder.path, { ...GOOD_BOX, ...more }));
  return said.replaceAll(folder.path, "");
}

async function ofBucket(s3: object, more: object = {}): Promise<string> {
  return await saying({ vault: { s3 }, ...more });
}

describe("the vault in a configuration", () => {
  it("is a directory or a bucket, and only one of them", async () => {
    assert.equal(await ofBucket(AWS), "");
    assert.equal(await ofBucket(OWN), "");
    assert.equal(await ofBucket({ ...AWS, owner: "123456789012", certificate: "/etc/ca.pem" }), "");
    for (const vault of [{}, { directory: "/mnt/nas", s3: AWS }]) {
      assert.match(
        await saying({ vault }),
        /:11:1: vault: write one of the two: directory, or s3$/,
      );
    }
  });

  it("in no region of the EEA, or at no address of it, is refused at its line (DH-11)", async () => {
    const { region: _, ...less } = AWS;
    assert.match(await ofBucket(less), /vault.s3.region: is missing: write the provider's name/);
    assert.match(
      await ofBucket({ ...AWS, region: "eu-west-2" }),
      /:14:5: vault.s3.region: not a region of this provider in the EEA \(DH-11\); there are: eu-/,
    );
    assert.match(
      await ofBucket({ ...AWS, endpoint: "https://s3.amazonaws.com" }),
      /vault.s3.endpoint: not an address of this region .*"https:\/\/s3.eu-central-1.amazonaws.com"/,
    );
    assert.match(
      await ofBucket({ ...AWS, provider: "azure" }),
      /vault.s3.provider: write one of: aws/,
    );
  });

  it("of the organisation's own is where somebody declares it to be, and at no provider's", async () => {
    for (const key of ["country", "declared_by", "declared_on"] as const) {
      const { [key]: _, ...less } = OWN;
      assert.match(await ofBucket(less), new RegExp(`vault.s3.${key}: is missing: of own storage`));
      assert.match(
        await ofBucket({ ...AWS, [key]: OWN[key] }),
        new RegExp(`vault.s3.${key}: leave it out`),
      );
    }
    assert.match(await ofBucket({ ...OWN, country: "GB" }), /vault.s3.country: write the code/);
    for (const host of [
      "s3.us-east-1.amazonaws.com",
      "S3.AmazonAWS.com.",
      "storage.googleapis.com",
    ]) {
      const said = await ofBucket({ ...OWN, endpoint: `https://${host}` });
      assert.match(said, /vault.s3.endpoint: the address of a provider/, host);
    }
  });

  it("has an address that is one host to whoever reads it", async () => {
    for (const endpoint of [
      String.raw`https://s3.voorbeeld.nl\elders`,
      String.raw`https://s3.voorbeeld.nl\.elders.nl`,
      "https://s3.voorbeeld.nl\u0000",
      "https://s3.voor\u00adbeeld.nl",
      "https://s3.voorbeeld.nl\t",
      "https://s3.voorbeeld.nl/pad",
    ])
      assert.match(await ofBucket({ ...OWN, endpoint }), /vault.s3.endpoint/, endpoint);
  });

  it("without TLS is for a demo on its own machine", async () => {
    const here = { ...OWN, endpoint: "http://127.0.0.1:7480" };
    const demo = { site: { name: "demo", demo: true } };
    assert.equal(await ofBucket(here, demo), "");
    assert.match(await ofBucket(here), /vault.s3.endpoint: over https/);
    assert.match(
      await ofBucket({ ...OWN, endpoint: "http://10.0.0.1" }, demo),
      /write its address/,
    );
    const secured = { s3: { ...here, level: undefined }, medium: "emmer", serial: "1" };
    assert.match(await saying({ secured }), /secured.s3.endpoint: over https/);
    assert.equal(await saying({ secured, ...demo }), "");
  });

  it("takes no secret, in whatever key, and shows none", async () => {
    const secret = "geheimGEHEIMgeheim0000";
    for (const key of [
      "access_key",
      "secret",
      "credential",
      "password",
      "token",
      "provider",
      "region",
      "bucket",
      "owner",
      "certificate",
      "declared_by",
      "level",
    ]) {
      const said = await ofBucket({ ...AWS, [key]: secret });
      assert.match(said, new RegExp(`vault.s3.${key}: `), key);
      assert.ok(!said.includes(secret), said);
    }
    for (const endpoint of [
      `https://a:${secret}@s3.example.nl`,
      `https://s3.example.nl/?k=${secret}`,
    ]) {
      const said = await ofBucket({ ...OWN, endpoint });
      assert.match(said, /vault.s3.endpoint: write its address/);
      assert.ok(!said.includes(secret), said);
    }
  });

  it("is the same vault to the box with a slash behind its address", () => {
    const day = instantOf("2026-11-01T00:00:00.000Z");
    const s3 = { ...OWN, level: "plain", country: "NL", declared_on: day } as const;
    assert.deepEqual(bucketOf({ ...s3, endpoint: `${s3.endpoint}/` }), bucketOf(s3));
  });

  it("has a separate medium that is none of its other places (AR-20)", async () => {
    const { level: _, ...place } = AWS;
    const named = { medium: "usb-schijf", serial: "WD-123" };
    assert.equal(await saying({ secured: { directory: "/media/veilig", ...named } }), "");
    assert.match(
      await saying({ secured: { directory: "/mnt/nas/veilig", ...named } }),
      /secured.directory: lies inside vault.directory/,
    );
    const both = (bucket: string) =>
      ofBucket(AWS, { secured: { s3: { ...place, bucket }, ...named } });
    assert.match(await both(AWS.bucket), /secured.s3.bucket: the same bucket as vault.s3.bucket/);
    assert.equal(await both("gem-voorbeeld-veilig"), "");
    assert.match(await saying({ secured: { s3: AWS, ...named } }), /secured.s3.level: no such key/);
    assert.match(
      await saying({ secured: { directory: "/media/veilig" } }),
      /secured.medium: is missing/,
    );
  });

  it("is seen by a desk under the same rules", async () => {
    await using folder = await temporaryFolder();
    const desk = {
      site: "den-haag",
      demo: false,
      person: "p-01",
      sign_key: "/keys/sign-key",
      policy: "arnhem",
      nodes: [],
      officers: ["age1…"],
    };
    const path = `${folder.path}/desk.yaml`;
    await writeFile(path, stringify({ ...desk, vault: { s3: AWS } }));
    assert.deepEqual((await readDeskConfig(path)).vault, { s3: AWS });
    for (const s3 of [
      { ...OWN, endpoint: "http://127.0.0.1:1" },
      { ...AWS, region: "eu-west-2" },
    ]) {
      await writeFile(path, stringify({ ...desk, vault: { s3 } }));
      await assert.rejects(readDeskConfig(path), { code: "CONFIG_INVALID" });
    }
  });
});

describe("where a new desk finds the vault", () => {
  it("is a directory, or what a file says, and is written so that the desk reads the same", async () => {
    await using folder = await temporaryFolder();
    assert.deepEqual(await readDeskPlaces("/mnt/nas"), { vault: { directory: "/mnt/nas" } });
    const path = `${folder.path}/kluis.yaml`;
    await writeFile(path, stringify({ vault: { s3: OWN } }));
    const places = await readDeskPlaces(path);
    const desk = {
      site: "den-haag",
      demo: false,
      person: parsePersonId("p-01"),
      sign_key: "/keys/sign-key",
      policy: "arnhem",
      nodes: [],
      officers: ["age1…"],
      ...places,
    };
    const written = `${folder.path}/desk.yaml`;
    await writeFile(written, stringify(plain(desk, jsonSchema("desk"))));
    assert.deepEqual(await readDeskConfig(written), desk);
    await writeFile(path, stringify({ vault: { s3: { ...OWN, country: "CH" } } }));
    await assert.rejects(readDeskPlaces(path), { code: "CONFIG_INVALID" });
  });
});

describe("upload", () => {
  it("has limits by the hour of Amsterdam, also over midnight and after the clocks changed", () => {
    const upload = {
      limit: 40e6,
      between: { "07:00-19:00": 10e6, "22:00-06:00": 80e6 },
      parallel: 4,
    };
    const at = (iso: string) => uploadBytesPerSecond(upload, instantOf(`${iso}:00.000Z`));
    assert.equal(at("2026-01-15T05:59"), 5e6);
    assert.equal(at("2026-01-15T06:00"), 1.25e6);
    assert.equal(at("2026-07-15T05:00"), 1.25e6);
    assert.equal(at("2026-01-15T18:00"), 5e6);
    assert.equal(at("2026-01-15T21:00"), 10e6);
    assert.equal(at("2026-01-15T23:30"), 10e6);
    assert.equal(at("2026-01-15T05:00"), 5e6);
    assert.equal(uploadBytesPerSecond(undefined, instantOf("2026-01-15T05:00:00.000Z")), undefined);
  });

  it("is refused with hours or rates that are none, and where hours overlap", async () => {
    const between = async (hours: string, rate = "10 Mbit/s") =>
      await saying({ upload: { between: { "22:00-06:00": "1 Mbit/s", [hours]: rate } } });
    assert.equal(await between("06:00-22:00"), "");
    assert.equal(await between("20:00-22:00"), "");
    for (const hours of [
      "7-19",
      "07:00",
      "07:00-25:00",
      "07:60-19:00",
      "07:00-07:00",
      "00:00-24:00",
    ]) {
      assert.match(await between(hours), /upload.between.*write hours like/, hours);
    }
    for (const hours of ["23:00-01:00", "05:00-07:00", "21:00-23:00", "10:00-00:30"]) {
      assert.match(await between(hours), /upload.between: no hour twice/, hours);
    }
    assert.match(
      await between("07:00-19:00", "10 MB"),
      /upload.between.*write a rate like "40 Mbit/,
    );
    assert.match(await saying({ upload: { limit: "1 kbit/s" } }), /upload.limit: at least/);
    assert.match(await saying({ upload: { parallel: 0 } }), /upload.parallel: at least 1/);
  });
});

describe("a configuration of before buckets", () => {
  it("has no setting more than it had: bringing a box up to date is no change of the site's", async () => {
    await using folder = await temporaryFolder();
    const { config, rules } = await readConfiguration(await writtenIn(folder.path, GOOD_BOX));
    assert.equal(rules.policy.read_back, "sampled");
    const paths = effectiveSettings(config, rules).map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => /read_back|secured|upload|vault|alarms|metrics|backup/.test(path)),
      ["box.vault.directory"],
    );
    const whole = { ...rules, policy: { ...rules.policy, read_back: "whole" as const } };
    assert.ok(effectiveSettings(config, whole).some(({ path }) => path === "policy.read_back"));
  });

  it("has the settings of a bucket and of the line one by one, in the words of the file", async () => {
    await using folder = await temporaryFolder();
    const box = {
      ...GOOD_BOX,
      vault: { s3: OWN },
      upload: { limit: "40 Mbit/s", between: { "07:00-19:00": "500 kbit/s" } },
    };
    const { config, rules } = await readConfiguration(await writtenIn(folder.path, box));
    const found = new Map(effectiveSettings(config, rules).map(({ path, value }) => [path, value]));
    assert.equal(found.get("box.vault.s3.declared_on"), "2026-11-01");
    assert.equal(found.get("box.vault.s3.country"), "NL");
    assert.equal(found.get("box.upload.limit"), "40 Mbit/s");
    assert.equal(found.get("box.upload.between.07:00-19:00"), "500 kbit/s");
    assert.equal(found.get("box.upload.parallel"), 4);
  });
});

describe("a credential of a bucket", () => {
  it("is one line of a file that nobody else reads, and is never shown", async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/vault.credential`;
    await writeFile(path, "AKIAEXAMPLE:abc/DEF+123=\n", { mode: 0o600 });
    assert.deepEqual(await readCredential("vault.credential", folder.path), {
      accessKeyId: "AKIAEXAMPLE",
      secretAccessKey: "abc/DEF+123=",
    });
    for (const wrong of [
      "geheimgeheim",
      ":geheimgeheim",
      "geheim:x",
      "a b:geheimgeheim",
      "AKIA:geheim geheim",
    ]) {
      await writeFile(path, `${wrong}\n`);
      await assert.rejects(readCredential("vault.credential", folder.path), (error: Error) => {
        assert.match(error.message, /^vault.credential is not <access key id>:/);
        return !error.message.includes("geheim");
      });
    }
  });
});
