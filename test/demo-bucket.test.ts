import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { openDemoBucket } from "../daemon/demo/demo-bucket.ts";
import { givenBucket, openGivenBucket } from "../daemon/demo/given-bucket.ts";
import { openShow } from "../daemon/demo/show.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { openS3Calls } from "../storage/vault/s3-calls.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

describe("a bucket that somebody gives the demo", () => {
  it("is asked for with what it knows us by, or not at all", async () => {
    assert.equal(await givenBucket(undefined, undefined), undefined);
    await assert.rejects(givenBucket("s3://beelden?region=x", undefined), { code: "USAGE" });
    await assert.rejects(givenBucket(undefined, "/nowhere"), { code: "USAGE" });
  });

  it("is refused where its address names none, or one outside the EEA (DH-11)", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "credential");
    await writeFile(path, "AKIA-DEMO:a-secret-of-demo\n", { mode: 0o600 });
    for (const address of [
      "beelden",
      "https://beelden",
      "s3://beelden",
      "s3://beelden?provider=aws&region=eu-west-2",
      "s3://beelden?region=x&endpoint=http://s3.example.com",
      "s3://beelden?region=x&endpoint=https://s3.example.com&country=US",
    ]) {
      const given = await givenBucket(address, path);
      assert.ok(given);
      await assert.rejects(openGivenBucket(given, openShow()), { code: "USAGE" }, address);
    }
  });

  it("is left alone when something is in it already", async () => {
    await using bucket = await openDemoBucket(systemClock);
    const { endpoint = "", region = "", bucket: name = "" } = bucket.settings;
    const { box, custodian } = bucket.known;
    const there = { provider: "own", region, endpoint, name, owner: undefined, reports: [] };
    const calls = openS3Calls({ ...there, level: "plain", certificate: undefined }, box);
    const body = bytesBody(Buffer.from("somebody's"));
    const [sha256] = body.parts;
    assert.ok(sha256);
    const piece = { open: () => body.open(), bytes: body.bytes, sha256 };
    const how = { metadata: {}, held: false, lockedUntil: undefined, once: false };
    await calls.putObject("footage/dock-1/a", piece, how, NEVER);
    await calls[Symbol.asyncDispose]();
    const address = `s3://${name}?endpoint=${endpoint}&region=${region}&level=locked`;
    await assert.rejects(openGivenBucket({ address, credential: custodian }, openShow()), {
      code: /VAULT_CONFLICT|VAULT_DENIED/,
    });
  });
});
