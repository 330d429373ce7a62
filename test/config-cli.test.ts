import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { readConfiguration } from "../config/configuration.ts";
import { effective } from "../config/effective.ts";
import { runCore } from "../daemon/main.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { GOOD_ANNEX, GOOD_BOX, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents, NEVER, START } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";

const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));
const ENV = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };

async function run(...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { env: ENV });
  const [out, err, ended] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { out, err, code: Number(ended[0]) };
}

describe("bewaard config, as administrators type it", function () {
  it("check names every mistake, and exits with 0 or 1", async () => {
    await using folder = await temporaryFolder();
    const good = await writtenIn(folder.path, { ...GOOD_BOX, informed_on: "2026-05-01" });
    const well = await run("config", "check", good);
    assert.deepEqual([well.code, well.err], [0, ""]);
    assert.match(well.out, /no mistakes; Gemeente Arnhem/);
    await writtenIn(folder.path, { ...GOOD_BOX, node: "Dock 1", polcy: "arnhem" });
    const wrong = await run("--json", "config", "check", good);
    assert.equal(wrong.code, 1);
    const { mistakes } = z
      .object({ mistakes: z.array(z.looseObject({ where: z.string() })) })
      .parse(JSON.parse(wrong.out));
    assert.deepEqual(
      mistakes.map(({ where }) => where),
      ["node", "polcy"],
    );
    const people = await run("-c", good, "config", "check");
    assert.match(
      people.out,
      /bewaard.yaml:3:1: node: write a short name[^]*polcy: no such key; did you mean "policy"\?/,
    );
  });

  it("check looks into the book of recipients where there is one, and names its line", async () => {
    await using folder = await temporaryFolder();
    const box = {
      ...GOOD_BOX,
      informed_on: "2026-05-01",
      recipients: join(folder.path, "book.txt"),
    };
    const path = await writtenIn(folder.path, box, {
      "book.txt": "# ceremony\n2026-11-22 age1geheim\n",
    });
    const { err, code } = await run("config", "check", path);
    assert.equal(code, 1);
    assert.match(
      err,
      /^RECIPIENT_INVALID: .*\nrecipients line 2: write a UTC day and its recipient/,
    );
    assert.doesNotMatch(err, /geheim/);
  });

  it("show prints all that holds, with the annex laid over the policy, as YAML or JSON", async () => {
    await using folder = await temporaryFolder();
    const box = { ...GOOD_BOX, annex: join(folder.path, "annex.yaml") };
    const path = await writtenIn(folder.path, box, { "annex.yaml": GOOD_ANNEX });
    const { config, rules } = await readConfiguration(path);
    const yaml = await run("-c", path, "config", "show");
    assert.match(yaml.out, /^# Gemeente Arnhem, .*, tenant bibliotheek\n/);
    assert.deepEqual(parse(yaml.out), effective(config, rules));
    assert.match(yaml.out, /retention: 7 days/);
    const json = await run("-c", path, "--json", "config", "show");
    assert.deepEqual(JSON.parse(json.out), effective(config, rules));
  });

  it("schema prints what editors read", async () => {
    const { out } = await run("config", "schema", "policy");
    const ajv = new Ajv({ keywords: ["x-unit", "x-personal"], formats: { date: true } });
    const schema: unknown = JSON.parse(out);
    assert.ok(typeof schema === "object" && schema !== null);
    assert.equal(ajv.validate(schema, { elders: 1 }), false);
  });

  it("run names every mistake in every file, and does not start", async () => {
    await using folder = await temporaryFolder();
    const bodycams = [{ ...GOOD_BOX.bodycams[0], profile: "generic-dcm" }];
    const path = await writtenIn(folder.path, { ...GOOD_BOX, policy: "arnem", bodycams });
    const { err, code } = await run("-c", path, "run");
    assert.equal(code, 1);
    assert.match(
      err,
      /^CONFIG_MISSING: [^]*policy: .*did you mean "arnhem"[^]*profile: .*did you mean "generic-dcim"/,
    );
  });
});

describe("a box with storage of its own organisation", () => {
  it("says at each start who declared where it stands: nobody can see that (DH-11)", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const s3 = {
      provider: "own",
      region: "huis",
      endpoint: "https://127.0.0.1:1",
      bucket: "beelden",
      country: "NL" as const,
      declared_by: "functioneel-beheer",
      declared_on: START,
    };
    const config = {
      ...site.demo.config,
      secured: { s3, medium: "emmer", serial: "1" },
    };
    for (let start = 0; start < 2; start += 1) {
      const declared: unknown[] = [];
      const stop = new AbortController();
      const events = {
        ...capturedEvents([]),
        vaultDeclared(declaration: object) {
          declared.push(declaration);
          stop.abort(new BewaardError("USAGE", "that is all"));
        },
      };
      // How the start ends is not looked at: there is no bucket.
      await runCore(site.clock, events, unattended(site.clock), config, stop.signal).catch(
        (error: unknown) => {
          if (!(error instanceof BewaardError)) throw error;
        },
      );
      assert.deepEqual(declared, [
        {
          bucket: "beelden",
          country: "NL",
          declaredBy: "functioneel-beheer",
          declaredOn: "2026-06-01",
        },
      ]);
    }
  });
});

describe("a box whose configuration changed", () => {
  it("records it at its start, and does not start without the consent that it needs (AR-43)", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { config } = site.demo;
    const started = await whileRunning(site, async () => undefined);
    assert.ok(started.includes("config-changed"));
    const again = await whileRunning(site, async () => undefined);
    assert.ok(!again.includes("config-changed"));
    const arnhem = { ...config, policy: "arnhem" };
    const events = capturedEvents([]);
    await assert.rejects(runCore(site.clock, events, unattended(site.clock), arnhem, NEVER), {
      code: "CONFIG_UNAPPROVED",
    });
    const approval = { reference: "OR-1", date: START, by: "ondernemingsraad" };
    const approved = await whileRunning(site, async () => undefined, { ...arnhem, approval });
    assert.ok(approved.includes("config-changed"));
  });
});
