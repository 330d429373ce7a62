import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { findMistakes, readConfiguration } from "../config/configuration.ts";
import { readConfig } from "../config/load.ts";
import { GOOD_ANNEX, GOOD_BOX, saidOf, writtenIn } from "./fakes/configuration.ts";
import { temporaryFolder } from "./fakes/folder.ts";

/** What is said of a box's file; its own path is left out. */
async function saying(box: object | string | Uint8Array): Promise<string> {
  await using folder = await temporaryFolder();
  return (await saidOf(await writtenIn(folder.path, box))).replaceAll(folder.path, "");
}

describe("mistakes in a configuration", () => {
  it("are all named in one run, in the order of the file, each with line, column and what to write", async () => {
    const said = await saying(`site: { name: den-haag, dmo: true }
nod: dock-1
policy: arnhme
state: /var/lib/bewaard
spool: { path: /srv/spool, limit: 400, kep_free: 10 GB }
vault: { directory: nas }
recipients: /etc/bewaard/recipients.txt
desk_signers: /etc/bewaard/desk.signers
bodycams:
  - { number: "?", folder: /dock/1, profile: generic-dcm, paired: 2026-02-30 }
`);
    assert.deepEqual(said.replaceAll("/bewaard.yaml", "").split("\n"), [
      'CONFIG_INVALID :1:1: node: is missing: write a short name like "dock-1"',
      ':1:25: site.dmo: no such key; did you mean "demo"?',
      ':2:1: nod: no such key; did you mean "node"?',
      ':3:1: policy: no policy of this name is shipped (did you mean "arnhem"?); there are: arnhem, den-haag; or name one of your own by its absolute path',
      ':5:1: spool.keep_free: is missing: write a size like "400 GB"',
      ':5:28: spool.limit: write a size like "400 GB"',
      ':5:40: spool.kep_free: no such key; did you mean "keep_free"?',
      ":6:10: vault.directory: write an absolute path, starting with /",
      ':10:7: bodycams.0.number: write a camera number like "bc-0101"',
      ':10:37: bodycams.0.profile: no profile of this name is shipped (did you mean "generic-dcim"?); there are: generic-dcim, generic-dcim-synchronised, mtp-generic, transcend-drivepro-body, white-label-5-minutes; or name one of your own by its absolute path',
      ':10:59: bodycams.0.paired: write a day like "2026-11-01"',
    ]);
  });

  it("in the files that it names are named in the same run, at their own lines", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    const bodycams = [{ ...GOOD_BOX.bodycams[0], profile: at("profile.yaml") }];
    const box = {
      ...GOOD_BOX,
      node: "Dock 1",
      policy: at("away.yaml"),
      annex: at("annex.yaml"),
      bodycams,
    };
    const path = await writtenIn(folder.path, box, {
      "annex.yaml": stringify({ ...GOOD_ANNEX, tenant: "De Bibliotheek" }),
      "profile.yaml":
        "name: x\nmedia: []\nzone: Mars/Olympus\nclock: synchronized\nstart_in_name: null\n",
    });
    const mistakes = await findMistakes(path);
    assert.deepEqual(
      mistakes.map(({ file, line, column, where }) => [
        file.replace(`${folder.path}/`, ""),
        line,
        column,
        where,
      ]),
      [
        ["bewaard.yaml", 3, 1, "node"],
        ["bewaard.yaml", 4, 1, "policy"],
        ["annex.yaml", 1, 1, "tenant"],
        ["profile.yaml", 2, 1, "media"],
        ["profile.yaml", 3, 1, "zone"],
        ["profile.yaml", 4, 1, "clock"],
      ],
    );
    assert.match(mistakes.at(-1)?.what ?? "", /did you mean "synchronised"\?/);
    assert.match(mistakes[1]?.what ?? "", /cannot be read \(ENOENT\)/);
  });

  it("of YAML are all named too, in our words, and never show what stands there", async () => {
    const said = await saying(
      'node: "geheim\\q1"\nstate: @geheim2\nnode: geheim3\nvault: !geheim4 x\n',
    );
    assert.match(said, /:1:14: not YAML: a \\ between double quotes/);
    assert.match(said, /:2:8: not YAML: put a text that begins with this sign between quotes/);
    assert.match(said, /:3:1: not YAML: this key stands here twice/);
    assert.doesNotMatch(said, /geheim/);
  });

  it("never show a value: it may be a secret in the wrong place", async () => {
    const secret = "AGE-SECRET-KEY-1QQQ";
    for (const path of [
      ["node"],
      ["site", "name"],
      ["spool", "limit"],
      ["recipients"],
      ["informed_on"],
      ["policy"],
    ]) {
      const box: Record<string, unknown> = structuredClone(GOOD_BOX);
      const [first = "", second] = path;
      box[first] =
        second === undefined ? secret : { ...GOOD_BOX.spool, name: "x", [second]: secret };
      const said = await saying(box);
      assert.match(said, /^CONFIG_INVALID/);
      assert.ok(!said.includes(secret), said);
    }
  });

  it("between keys are named: one folder twice, one inside another, a book on a card", async () => {
    const [camera] = GOOD_BOX.bodycams;
    const said = await saying({
      ...GOOD_BOX,
      spool: { ...GOOD_BOX.spool, path: "/var/lib/bewaard/spool" },
      recorder: { state: "/var/lib/bewaard" },
      vault: { directory: "/var/lib/bewaard/spool/../spool/vault/" },
      recipients: "/srv/dock/1/recipients.txt",
      bodycams: [camera, { ...camera, folder: "/srv/dock/1/" }],
    });
    assert.match(said, /spool.path: lies inside state/);
    assert.match(said, /recorder.state: the same folder as state/);
    assert.match(said, /vault.directory: lies inside spool.path/);
    assert.match(said, /bodycams.1.folder: the same folder as bodycams.0.folder/);
    assert.match(said, /bodycams.1.number: each camera has one number \(AR-01\)/);
    assert.match(said, /recipients: lies inside bodycams.0.folder/);
    assert.equal(
      await saying({ ...GOOD_BOX, spool: { ...GOOD_BOX.spool, path: "/var/lib/bewaard-spool" } }),
      "",
    );
  });

  it("that are many are counted, not all shown", async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `key${index}: 1\n`).join("");
    const said = await saying(lines);
    assert.match(said, /… and 4\d\d more$/);
  });
});

describe("a configuration that is no text of ours", () => {
  it("is refused with line and column: tabs, two documents, an alias bomb, depth, bytes that are no UTF-8", async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
      .split("")
      .map((name, index) => `${name}: &${name} [${`*${"abcdefghij"[index]},`.repeat(10)}]\n`)
      .join("")}`;
    for (const [text, wanted] of [
      ["site:\n\tname: x\n", /:2:1: not YAML: a tab: indent with spaces/],
      ["node: a\n---\nnode: b\n", /:\d:1: not YAML: one document a file/],
      [bomb, /:2:\d+: not YAML: an alias/],
      ["node: *away\n", /:1:7: not YAML: an alias/],
      ["[".repeat(100_000), /:1:\d+: not YAML/],
      ["- ".repeat(50_000), /:1:\d+: not YAML/],
      [`node: ${"x".repeat(300_000)}`, /:1:1: larger than 128 KiB/],
      [Buffer.from([0x6e, 0x3a, 0x20, 0x61, 0x0a, 0x6d, 0x3a, 0x20, 0xff]), /:2:4: not UTF-8/],
      ["", /:1:1: write keys with values/],
      ["__proto__: { polluted: 1 }\n", /:1:1: __proto__: no such key/],
      ["? [a, b]\n: c\n", /:1:3: not YAML: a key is a plain word/],
      ['"a\\e[31m\\nb": 1\n', /:1:1: a\\x1b\[31m\\x0ab: no such key/],
    ] as const) {
      const said = await saying(text);
      assert.match(said, /^CONFIG_INVALID/, text.slice(0, 40).toString());
      assert.match(said, wanted, text.slice(0, 40).toString());
    }
  });

  it("is taken with a byte order mark, and with the line ends of Windows", async () => {
    const text = stringify(GOOD_BOX);
    assert.equal(await saying(`\uFEFF${text}`), "");
    assert.equal(await saying(text.replaceAll("\n", "\r\n")), "");
  });

  it("is refused at once when it is a folder, a pipe, a device, or far too large", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string): string => join(folder.path, name);
    await mkdir(at("folder"));
    execFileSync("mkfifo", [at("pipe")]);
    await symlink("/dev/zero", at("zero"));
    await symlink("loop", at("loop"));
    for (const name of ["folder", "pipe", "zero", "loop", "away"]) {
      await assert.rejects(readConfig(at(name)), { code: "CONFIG_MISSING" }, name);
    }
    await writeFile(at("huge"), "");
    await truncate(at("huge"), 5 * 1024 ** 3);
    await assert.rejects(readConfig(at("huge")), {
      code: "CONFIG_INVALID",
      message: /larger than 8 MiB/,
    });
  });
});

describe("the configuration of a box, whole", () => {
  it("is read with the annex laid over the policy", async () => {
    await using folder = await temporaryFolder();
    const box = { ...GOOD_BOX, annex: join(folder.path, "annex.yaml") };
    const path = await writtenIn(folder.path, box, { "annex.yaml": GOOD_ANNEX });
    const { rules } = await readConfiguration(path);
    assert.equal(rules.policy.retention, 7 * 24 * 3_600_000);
    assert.deepEqual(rules.policy.purposes, GOOD_ANNEX.purposes);
    assert.equal(rules.annex?.tenant, "bibliotheek");
    assert.deepEqual(Object.keys(rules.profiles), ["generic-dcim"]);
  });
});
