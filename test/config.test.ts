import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { BewaardError } from "#base/errors";
import { EEA_COUNTRIES } from "../config/eea.ts";
import { readConfig, readProfile } from "../config/load.ts";
import { readSecret, readSecretFile } from "../config/secrets.ts";
import { parseBytes, parseDurationMs } from "../config/units.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const GOOD = {
  site: { name: "den-haag-handhaving" },
  node: "dock-1",
  state: "/var/lib/bewaard",
  spool: { path: "/srv/spool", limit: "400 GB", keep_free: "20 GB" },
  vault: { directory: "/mnt/nas" },
  recipients: "/etc/bewaard/recipients.txt",
  desk_signers: "/etc/bewaard/desk.signers",
  bodycams: [
    { number: "bc-0101", folder: "/srv/dock/1", profile: "generic-dcim", paired: "2026-11-01" },
  ],
};

async function reading(text: string): Promise<string> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "bewaard.yaml");
  await writeFile(path, text);
  try {
    await readConfig(path);
    return "";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return `${error.code} ${error.message.replaceAll(path, "")}`;
  }
}

describe("the configuration", () => {
  it("is read with its units and defaults", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "bewaard.yaml");
    await writeFile(path, stringify(GOOD));
    const config = await readConfig(path);
    assert.equal(config.spool.limit, 400e9);
    assert.equal(config.site.demo, false);
    assert.equal(config.policy, "den-haag");
  });

  it("names every mistake at once, each with its line and what to write", async () => {
    const text = stringify({ ...GOOD, node: "Dock 1", spool: { ...GOOD.spool, limit: "400" } });
    const said = await reading(text);
    assert.match(said, /^CONFIG_INVALID/);
    assert.match(said, /:3:1: node: write a short name like "dock-1"/);
    assert.match(said, /:7:3: spool.limit: write a size like "400 GB"/);
  });

  it("takes a timestamp authority in each country of the EEA, and in no other (DH-11)", async () => {
    const asked = { url: "https://tsa.example.nl/", declared_by: "privacy officer" };
    assert.equal(new Set(EEA_COUNTRIES).size, 30);
    for (const country of EEA_COUNTRIES)
      assert.equal(await reading(stringify({ ...GOOD, timestamps: { ...asked, country } })), "");
    for (const country of ["GB", "CH", "US", "nl", "EU", ""]) {
      const said = await reading(stringify({ ...GOOD, timestamps: { ...asked, country } }));
      assert.match(said, /timestamps.country: write the code of a country in the EEA/, country);
    }
  });

  it("takes no timestamp address that is none, or has a password in it", async () => {
    for (const url of [
      "tsa.example.nl",
      "ftp://tsa.example.nl/",
      "https://me:secret@tsa.example.nl/",
    ]) {
      const timestamps = { url, country: "NL", declared_by: "privacy officer" };
      const said = await reading(stringify({ ...GOOD, timestamps }));
      assert.match(said, /timestamps.url: write an address/);
      assert.doesNotMatch(said, /secret/);
    }
  });

  it("refuses a key it does not know, with its line: a mistyped limit must not be no limit", async () => {
    const said = await reading(`${stringify(GOOD)}retentoin: 10 days\n`);
    assert.match(said, /:18:1: retentoin: no such key/);
  });

  it("refuses two cameras of one number (AR-01)", async () => {
    const said = await reading(
      stringify({ ...GOOD, bodycams: [...GOOD.bodycams, ...GOOD.bodycams] }),
    );
    assert.match(said, /AR-01/);
  });

  it("that is not YAML, or not there, is said so", async () => {
    assert.match(await reading("site: [\n"), /^CONFIG_INVALID :2:1: not YAML/);
    await assert.rejects(readConfig("/nowhere/bewaard.yaml"), { code: "CONFIG_MISSING" });
  });
});

describe("a camera profile", () => {
  for (const name of ["generic-dcim", "generic-dcim-synchronised"]) {
    it(`${name} is valid`, async () => {
      const profile = await readProfile(name);
      assert.equal(profile.clock, name.endsWith("synchronised") ? "synchronised" : "unknown");
    });
  }

  it("by a name that would lead elsewhere is refused", async () => {
    await assert.rejects(async () => readProfile("../../etc/passwd"), { code: "CONFIG_INVALID" });
  });
});

describe("a secret", () => {
  it("is refused while others could read it", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.key");
    await writeFile(path, "secret", { mode: 0o640 });
    await assert.rejects(readSecretFile(path), { code: "SECRET_EXPOSED" });
    await chmod(path, 0o600);
    assert.equal(await readSecret("node.key", folder.path), "secret");
    await assert.rejects(readSecret("other", folder.path), { code: "SECRET_MISSING" });
  });
});

describe("units", () => {
  it("are read as people write them, and nothing else", () => {
    assert.equal(parseBytes("1.5 TB"), 1.5e12);
    assert.equal(parseDurationMs("72 hours"), 72 * 3_600_000);
    assert.equal(parseDurationMs("1 day"), 24 * 3_600_000);
    for (const text of ["", "400", "400 gb", "-1 GB", "1e3 GB", "28", "28 weeks"]) {
      assert.equal(parseBytes(text) ?? parseDurationMs(text), undefined, text);
    }
  });
});
