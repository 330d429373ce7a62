import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open as openFile, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { HOUR_MS, isoOf, plus } from "#base/time";
import { recordClip } from "../daemon/demo/clips.ts";
import { makeDemoSite } from "../daemon/demo/site.ts";
import { vaultFolder } from "../daemon/places.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

const CLI = (name: string): string =>
  fileURLToPath(new URL(`../daemon/cli/${name}.ts`, import.meta.url));
const ENV = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };

function start(name: string, ...args: string[]): ChildProcess {
  return startIn(ENV, name, ...args);
}

function startIn(env: NodeJS.ProcessEnv, name: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [CLI(name), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(name: string, ...args: string[]) {
  const child = start(name, ...args);
  const [out, err, ended] = await Promise.all([
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
    once(child, "close"),
  ]);
  return { out, err, code: Number(ended[0]) };
}

/** Asks again until the answer satisfies: the box works in real time here. */
async function eventually(ask: () => Promise<string>, wanted: RegExp): Promise<string> {
  for (let tries = 0; tries < 60; tries += 1) {
    const answer = await ask();
    if (wanted.test(answer)) return answer;
  }
  throw new Error(`never seen: ${wanted}; last: ${await ask()}`);
}

describe("the command lines, as people type them", function () {
  this.timeout(240_000);

  it("run a box: check, find, confirm the clock, hold, open into a pipe, verify, stop", async () => {
    await using folder = await temporaryFolder();
    const { config, desk, officerKey, docks } = await makeDemoSite(
      systemClock,
      folder.path,
      ["bc-0101"],
      60,
      NEVER,
    );
    const yaml = join(folder.path, "bewaard.yaml");
    const box = start("bewaard", "-c", yaml, "run");
    const journal = box.stderr ? text(box.stderr) : Promise.resolve("");
    try {
      await eventually(
        async () => (await run("bewaarctl", "-c", yaml, "status")).out,
        /NIET vertrouwd/,
      );
      const now = isoOf(systemClock.now()).slice(0, 16);
      const wrong = await run("bewaarctl", "-c", yaml, "clock", "confirm", "2020-01-01T00:00Z");
      assert.match(wrong.err, /^CLOCK_DISAGREES/);
      const confirmed = await run("bewaarctl", "-c", yaml, "clock", "confirm", `${now}Z`);
      assert.equal(confirmed.code, 0, confirmed.err);
      const fit = await run("bewaard", "-c", yaml, "check");
      assert.equal(fit.code, 0, fit.out);

      await recordClip(docks["bc-0101"] ?? "", systemClock.now(), 440);
      const find = [
        "find",
        "--from",
        isoOf(plus(systemClock.now(), -HOUR_MS)),
        "--to",
        "2099-01-01",
      ];
      const found = await eventually(
        async () => (await run("bewaarctl", "-c", yaml, ...find)).out,
        /bewaard \/ stored/,
      );
      const [, id] = /([0-9A-HJKMNP-TV-Z]{26})/.exec(found) ?? [];

      const hold = [
        "hold",
        "--incident",
        "2026-1",
        "--purpose",
        "aangifte",
        "--ground",
        "klacht",
        "--reason",
        "test",
      ];
      const held = await run(
        "bewaarctl",
        "desk",
        "--dir",
        desk,
        ...hold,
        "--review",
        "2099-01-01",
        "--segment",
        `dock-1/${id}`,
      );
      assert.match(held.out, /veiliggesteld \/ held/, held.err);
      const verified = await run("bewaard", "-c", yaml, "verify", "--depth", "hashes");
      assert.match(verified.out, /: in orde \/ all well/);

      box.kill("SIGTERM");
      assert.deepEqual(await once(box, "close"), [0, null]);
      await assertOpens(yaml, desk, officerKey, `dock-1/${id}`, docks["bc-0101"] ?? "");
    } finally {
      box.kill("SIGKILL");
    }
    const lines = (await journal).trim().split("\n");
    assert.match(lines.at(-1) ?? "", /^<5>\{.*"event":"stopped"/);
    for (const line of lines)
      assert.match(line, /^<\d>\{"level":"\w+","message":".+","event":"[a-z-]+"/);
    const alone = await run("bewaard", "-c", yaml, "--json", "verify");
    assert.match(alone.out, /"findings":\[\]/, alone.err);
    assert.match((await readdir(config.state)).join(), /catalog.db/);
  });

  it("keep what Node compiled as soon as the box runs: most of a next start, also after the power went", async () => {
    await using folder = await temporaryFolder();
    await makeDemoSite(systemClock, folder.path, ["bc-0101"], 60, NEVER);
    const yaml = join(folder.path, "bewaard.yaml");
    const cache = join(folder.path, "cache");
    const box = startIn({ ...ENV, NODE_COMPILE_CACHE: cache }, "bewaard", "-c", yaml, "run");
    try {
      await eventually(
        async () => (await run("bewaarctl", "-c", yaml, "status")).out,
        /NIET vertrouwd/,
      );
    } finally {
      box.kill("SIGKILL");
    }
    assert.ok((await readdir(cache, { recursive: true })).length > 300);
  });

  it("say in one piece what is wrong, with a code, and exit with 1", async () => {
    await using folder = await temporaryFolder();
    const yaml = join(folder.path, "bewaard.yaml");
    for (const [name, command] of [
      ["bewaard", "run"],
      ["bewaard", "verify"],
      ["bewaarctl", "status"],
    ] as const) {
      const { err, code } = await run(name, "-c", yaml, command);
      assert.equal(code, command === "verify" ? 2 : 1);
      assert.match(err, /^CONFIG_MISSING: .+ \/ .+\n.*\n\(docs\/troubleshooting.md\)\n$/);
    }
  });

  it("tell programs what is wrong as one JSON object, and exit with 2 for what was mistyped", async () => {
    const cases = [
      ["bewaarctl", 1, "CONFIG_MISSING", ["-c", "/nowhere.yaml", "status", "--json"]],
      ["bewaard", 2, "CONFIG_MISSING", ["--json", "-c", "/nowhere.yaml", "verify"]],
      ["bewaarctl", 2, "USAGE", ["find", "--json", "--frm", "x"]],
      ["bewaarctl", 2, "DESK_INPUT", ["--json", "find"]],
      ["bewaard", 2, "USAGE", ["--json", "verify", "--depth", "\u001b[31m"]],
    ] as const;
    for (const [name, exit, code, args] of cases) {
      const told = await run(name, ...args);
      assert.equal(told.code, exit, told.err);
      assert.match(told.err, /^\{[^\n]*\}\n$/);
      const error: unknown = JSON.parse(told.err);
      assert.ok(typeof error === "object" && error !== null && "code" in error);
      assert.deepEqual(Object.keys(error), ["code", "message", "transient"]);
      assert.equal(error.code, code);
      assert.equal(told.out, "");
    }
  });

  it("say which option was meant, and never send a terminal what it would obey", async () => {
    const near = await run("bewaarctl", "find", "--plaats", "x", "--plac", "x");
    assert.equal(near.code, 2);
    assert.match(near.err, /^USAGE: .+ \/ .+\nonbekende optie \/ unknown option: --plaats/);
    const meant = await run("bewaarctl", "find", "--plac", "x");
    assert.match(meant.err, /bedoelt u \/ did you mean: --place/);
    const hostile = await run("bewaarctl", "find", "--date", "\u001b]0;x\u0007\u202e");
    assert.match(hostile.err, /\\x1b\]0;x\\x07\\xe2\\x80\\xae/);
    assert.equal((await run("bewaarctl", "--help")).code, 0);
    assert.equal((await run("bewaarctl")).code, 2);
  });

  it("end quietly when whoever reads them stops early", async () => {
    for (const args of [["config", "schema"], ["--help"]]) {
      const child = start("bewaard", ...args);
      child.stdout?.destroy();
      const [err, ended] = await Promise.all([
        child.stderr ? text(child.stderr) : "",
        once(child, "close"),
      ]);
      assert.deepEqual([err, ended[0]], ["", 141], args.join(" "));
    }
  });

  it("say what is wrong with a key that is not there, or no file", async () => {
    for (const key of ["./nowhere+.vkey", "/", "/dev/zero"]) {
      const { err, code } = await run("bewaarctl", "log", "verify", ".", "--key", key);
      assert.equal(code, 2);
      assert.match(err, /^DESK_INPUT: .+\n--key: /);
    }
  });

  it("name every fault of a machine in one run of check", async () => {
    await using folder = await temporaryFolder();
    await makeDemoSite(systemClock, folder.path, ["bc-0101"], 3, NEVER);
    await unlink(join(folder.path, "spool", "bewaard-spool.json"));
    await unlink(join(folder.path, "desk", "desk.signers"));
    const { out, code } = await run("bewaard", "-c", join(folder.path, "bewaard.yaml"), "check");
    assert.equal(code, 1);
    assert.match(out, /^✘ spool: .*SPOOL_IDENTITY/m);
    assert.match(out, /^✘ desk signers: /m);
    assert.match(out, /^! service: er draait geen bewaard/m);
    assert.match(out, /^! recipients: .*\n {4}doe \/ do: .*sleutelceremonie/m);
    assert.match(out, /^✔ vault: /m);
    assert.match(out, /\nNIET GESCHIKT \/ NOT FIT: 2 fout/);
  });

  it("make a desk for a site that is no demo: two officers, no secret in the clear", async () => {
    await using folder = await temporaryFolder();
    const site = await makeDemoSite(systemClock, folder.path, ["bc-0101"], 1, NEVER);
    const vault = join(folder.path, "other-vault");
    await mkdir(vault);
    await writeFile(
      join(folder.path, "bewaard-2.yaml"),
      (await readFile(join(folder.path, "bewaard.yaml"), "utf8")).replace(
        vaultFolder(site.config.vault),
        vault,
      ),
    );
    await run("bewaard", "-c", join(folder.path, "bewaard-2.yaml"), "setup");
    const officers = [];
    for (let count = 0; count < 2; count += 1)
      officers.push(await identityToRecipient(await generateX25519Identity()));
    const common = [
      "desk",
      "--dir",
      join(folder.path, "desk-2"),
      "init",
      "--site",
      "echt",
      "--person",
      "p-01",
    ];
    const keys = ["--sign-key", join(folder.path, "sign-key"), "--vault", vault, "--days", "2"];
    const one = await run("bewaarctl", ...common, ...keys, "--officer", officers[0] ?? "");
    assert.match(one.err, /^DESK_INPUT/);
    const made = await run("bewaarctl", ...common, ...keys, "--officer", ...officers);
    assert.equal(made.code, 0, made.err);
    for (const name of await readdir(join(folder.path, "desk-2"))) {
      assert.doesNotMatch(
        await readFile(join(folder.path, "desk-2", name), "latin1"),
        /AGE-SECRET-KEY/,
        name,
      );
    }
  });
});

/** Opens into a pipe what was taken from the dock; refuses a file. The ledger is signed at a box's start. */
async function assertOpens(
  yaml: string,
  desk: string,
  key: string,
  target: string,
  dock: string,
): Promise<void> {
  const media = join(dock, "DCIM", "100MEDIA");
  const [name] = await readdir(media);
  const original = await readFile(join(media, name ?? ""));
  const open = ["desk", "--dir", desk, "open", target, "--purpose", "klacht", "--key", key];
  const box = start("bewaard", "-c", yaml, "run", "core");
  try {
    await eventually(async () => String((await run("bewaarctl", ...open)).code), /^0$/);
    const child = start("bewaarctl", ...open);
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    assert.deepEqual(await once(child, "close"), [0, null]);
    assert.ok(Buffer.concat(chunks).equals(original));
    const window = ["--from", "2000-01-01 00:00", "--to", "2099-01-01 00:00"];
    const clip = start("bewaarctl", ...open, ...window);
    assert.match(clip.stdout ? await text(clip.stdout) : "", /ftyp.*moof/s);
    const half = await run("bewaarctl", ...open, "--from", "2000-01-01 00:00");
    assert.match(half.err, /^DESK_INPUT/);
    const salvaged = await run("bewaarctl", ...open, "--salvage");
    assert.match(salvaged.err, /HEEL.*WHOLE.*sha256 [0-9a-f]{64}/s);
  } finally {
    box.kill("SIGTERM");
    await once(box, "close");
  }
  await using file = await openFile(join(dock, "clear.mp4"), "w");
  const refused = spawn(process.execPath, [CLI("bewaarctl"), ...open], {
    stdio: ["ignore", file.fd, "pipe"],
  });
  assert.match(refused.stderr ? await text(refused.stderr) : "", /^DESK_FORBIDDEN/);
  assert.equal((await file.stat()).size, 0);
}
