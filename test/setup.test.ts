import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { z } from "zod";
import { systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { DAY_MS, dayOf, plus } from "#base/time";
import { readConfig } from "../config/load.ts";
import { startS3Server } from "../daemon/demo/s3-server/server.ts";
import { pairingLines } from "../daemon/setup/first-hardware.ts";
import { OPENED, onlySetup } from "../daemon/setup/opened-folder.ts";
import { lockFile } from "../storage/catalog/sqlite.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { GOOD_CAMERA } from "./fakes/configuration.ts";
import { openResponder, probeMatch } from "./fakes/discovery-responder.ts";
import { fitBucket, NODE, USERS } from "./fakes/fit-bucket.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { hasOwnMounts, itWithOwnMounts } from "./fakes/own-mounts.ts";

const ENV = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));

const reported = z.object({
  configuration: z.string(),
  differs: z.array(z.string()),
  replaced: z.object({ before: z.string(), gone: z.array(z.string()) }).nullable(),
  verifier: z.string(),
  vault: z.looseObject({ fit: z.boolean(), amountsTo: z.string() }).nullable(),
  check: z.looseObject({
    checks: z.array(z.looseObject({ what: z.string(), verdict: z.string() })),
  }),
  camera: z.looseObject({ number: z.string(), stored: z.boolean() }).nullable(),
  found: z.looseObject({ found: z.array(z.looseObject({ name: z.string() })) }).nullable(),
  next: z.array(z.string()),
  done: z.boolean(),
});
/** In /etc/passwd, as no sysusers would number them. */
const PART_USERS = `
bewaard-dock:x:61001:61001::/:/usr/sbin/nologin
bewaard-record:x:61002:61003::/:/usr/sbin/nologin
`.trimStart();
const failed = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

/** A machine's folders, all in one of the test's own. */
async function newMachine() {
  const folder = await temporaryFolder();
  const at = (...names: string[]): string => join(folder.path, ...names);
  await mkdir(at("etc"));
  const yaml = at("etc", "bewaard.yaml");
  const answers = {
    site: "den-haag-handhaving",
    node: NODE,
    informed_on: "2026-10-01",
    spool: at("srv/spool"),
    limit: "1 GB",
    keep_free: "10 MB",
    directory: at("mnt/vault"),
    state: at("state"),
    demo: true,
  };
  await writeFile(at("answers.yaml"), stringify(answers));
  async function setup(...args: string[]) {
    try {
      const all = [CLI, "-c", yaml, ...args];
      const ran = await promisify(execFile)(process.execPath, all, { env: ENV, timeout: 110_000 });
      return { ...ran, code: 0 };
    } catch (error) {
      return failed.parse(error);
    }
  }
  return { at, yaml, answers, setup, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** A setup, killed with all that it started once `seen` is there; or it had ended before. */
async function killedOnce(seen: string, yaml: string, answers: string): Promise<void> {
  const command = [CLI, "-c", yaml, "setup", "--answers", answers];
  const child = spawn(process.execPath, command, { detached: true, env: ENV, stdio: "ignore" });
  const closed = once(child, "close");
  while (child.exitCode === null && !existsSync(seen)) await sleep(2);
  const { pid } = child;
  if (child.exitCode === null && pid !== undefined) {
    // What it runs as the box's user is in a session of its own.
    const own = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
    process.kill(-pid, "SIGKILL");
    for (const one of own.match(/\d+/g) ?? []) killIfThere(Number(one));
  }
  await closed;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

async function keyIn(state: string): Promise<string | undefined> {
  return readFile(join(state, "node.key"), "utf8").catch(() => undefined);
}

async function fromDesk(at: (name: string) => string): Promise<readonly string[]> {
  const day = dayOf(plus(systemClock.now(), 40 * DAY_MS));
  const recipient = await identityToRecipient(await generateX25519Identity());
  await writeFile(at("r.txt"), `${day} ${recipient}\n`);
  const key = join(at("sign-key"));
  await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
  const signer = await readFile(`${key}.pub`, "utf8");
  await writeFile(at("s.txt"), `p-01 namespaces="bewaard-desk" ${signer}`);
  return ["--recipients", at("r.txt"), "--signers", at("s.txt")];
}

describe("bewaard setup, where a file answers", function () {
  this.timeout(240_000);

  it("sets up a box from nothing to check: configuration, spool, vault, key, what the desk made", async () => {
    await using machine = await newMachine();
    const { at, yaml, setup } = machine;
    const brought = await fromDesk((name) => at(name));
    const all = ["--json", "setup", "--answers", at("answers.yaml"), ...brought];
    const { stdout, stderr } = await setup(...all);
    const report = reported.parse(JSON.parse(stdout || stderr));
    const config = await readConfig(yaml);
    assert.equal(config.node, NODE);
    assert.equal((await stat(yaml)).mode & 0o777, 0o644);
    assert.match(report.verifier, /^bewaard\/den-haag-handhaving\/dock-1\+/);
    // check writes to it as well.
    assert.equal(report.vault, null);
    for (const what of [
      "configuration",
      "spool",
      "state",
      "vault",
      "node key",
      "recipients",
      "desk signers",
    ]) {
      const seen = report.check.checks.filter((one) => one.what === what);
      assert.ok(seen.length > 0 && seen.every(({ verdict }) => verdict !== "not fit"), what);
    }
    assert.equal((await stat(at("state/node.key"))).mode & 0o777, 0o600);
  });

  it("leaves all as it is when it is run again, and says which answers were others", async () => {
    await using machine = await newMachine();
    const { at, yaml, setup } = machine;
    const first = await setup("--json", "setup", "--answers", at("answers.yaml"));
    const before = await readFile(yaml, "utf8");
    const key = await readFile(at("state/node.key"), "utf8");
    const again = await setup(
      "--json",
      "setup",
      "--answers",
      at("answers.yaml"),
      "--limit",
      "30 GB",
    );
    const [one, other] = [first, again].map(({ stdout }) => reported.parse(JSON.parse(stdout)));
    assert.equal(one?.verifier, other?.verifier);
    assert.deepEqual([one?.differs, other?.differs], [[], ["limit"]]);
    assert.equal(await readFile(yaml, "utf8"), before);
    assert.equal(await readFile(at("state/node.key"), "utf8"), key);
    await setup("setup", "--replace", "--answers", at("answers.yaml"), "--limit", "2 GB");
    assert.equal((await readConfig(yaml)).spool.limit, 2_000_000_000);
    assert.equal(await readFile(at("state/node.key"), "utf8"), key);
  });

  it("keeps the configuration that another takes the place of, as it was, and names what it drops", async () => {
    await using machine = await newMachine();
    const { at, yaml, setup } = machine;
    const all = ["--json", "setup", "--answers", at("answers.yaml")];
    await setup(...all);
    const more = "extra: {}\nbackup: { recipients: /etc/bewaard/recovery.txt }\n";
    const before = `${await readFile(yaml, "utf8")}${more}`.replace(/^state: .*$/m, "state: /else");
    await writeFile(yaml, before);
    await chmod(yaml, 0o640);
    const refused = await setup(...all, "--replace", "--node", "Dock 1");
    assert.equal(refused.code, 2);
    assert.ok(!(await readdir(at("etc"))).some((name) => name.includes(".before")));
    const { stdout } = await setup(...all, "--replace", "--limit", "2 GB");
    const { replaced } = reported.parse(JSON.parse(stdout));
    assert.deepEqual(replaced?.gone, ["state", "extra", "backup"]);
    const kept = replaced?.before ?? "";
    assert.match(kept, /\/etc\/bewaard\.yaml\.before-\d{8}T\d{6}\.\d{3}Z$/);
    assert.equal(await readFile(kept, "utf8"), before);
    assert.equal((await stat(kept)).mode & 0o777, 0o640);
    const again = await setup(...all, "--replace", "--limit", "2 GB");
    assert.notEqual(reported.parse(JSON.parse(again.stdout)).replaced?.before, kept);
    assert.equal(await readFile(kept, "utf8"), before);
  });

  it("goes on where it was killed, whenever that was, and makes one key (invariant 8)", async () => {
    for (const name of [
      "etc/bewaard.yaml",
      "state",
      "srv/spool/segments",
      "mnt/vault",
      "state/node.key",
    ]) {
      await using machine = await newMachine();
      const { at, setup, yaml } = machine;
      await killedOnce(at(name), yaml, at("answers.yaml"));
      const before = await keyIn(at("state"));
      const { stdout, stderr } = await setup("--json", "setup", "--answers", at("answers.yaml"));
      const { done, differs } = reported.parse(JSON.parse(stdout || stderr));
      assert.deepEqual([done, differs], [true, []], name);
      const after = await keyIn(at("state"));
      assert.ok(after !== undefined && (before === undefined || before === after), name);
    }
  });

  it("prepares nothing while another prepares the same box, and says so", async () => {
    await using machine = await newMachine();
    const { at, setup } = machine;
    await mkdir(at("state"), { mode: 0o710 });
    {
      await using lock = await lockFile(at("state", "setup.lock"));
      assert.ok(lock);
      const { stdout, stderr } = await setup("--json", "setup", "--answers", at("answers.yaml"));
      assert.match(`${stdout}${stderr}`, /LEASE_HELD/);
      assert.equal(existsSync(at("srv/spool/bewaard-spool.json")), false);
    }
    const { stdout } = await setup("--json", "setup", "--answers", at("answers.yaml"));
    assert.equal(reported.parse(JSON.parse(stdout)).done, true);
  });

  (process.getuid?.() === 0 ? it : leftOut)(
    "makes nothing as root in the folder of another user, who could have put a link there",
    async () => {
      await using machine = await newMachine();
      const { at, setup } = machine;
      await setup("setup", "--answers", at("answers.yaml"));
      await rm(at("state/setup.lock"));
      await symlink(at("root's"), at("state/setup.lock"));
      await chown(at("state"), 61_000, 61_000);
      await setup("--json", "setup");
      assert.equal(existsSync(at("root's")), false);
    },
  );

  (process.getuid?.() === 0 ? it : leftOut)(
    "makes what its users pass through whatever the umask of root, and says which folder is closed to them",
    async () => {
      await using machine = await newMachine();
      const { at, yaml, setup } = machine;
      const all = [process.execPath, CLI, "-c", yaml, "setup", "--answers", at("answers.yaml")];
      const command = `umask 077; exec ${all.map((word) => `'${word}'`).join(" ")}`;
      await promisify(execFile)("sh", ["-c", command], { env: ENV, timeout: 110_000 });
      for (const folder of ["srv", "mnt"])
        assert.equal((await stat(at(folder))).mode & 0o7777, 0o755, folder);

      await chown(at("state"), 61_000, 61_000);
      await chmod(at("srv"), 0o700);
      const { stdout, stderr } = await setup("setup", "--answers", at("answers.yaml"));
      assert.match(`${stdout}${stderr}`, /SPOOL_OWNER[\s\S]*lets nobody through/);
    },
  );

  it("makes one key where two begin at the same time", async () => {
    await using machine = await newMachine();
    const { at, setup } = machine;
    const both = await Promise.all(
      [1, 2].map(() => setup("--json", "setup", "--answers", at("answers.yaml"))),
    );
    const keys = both.flatMap(({ stdout }) =>
      stdout === "" ? [] : [reported.parse(JSON.parse(stdout)).verifier],
    );
    // One of them may have found the other at work.
    assert.ok(keys.length > 0);
    const again = await setup("--json", "setup", "--answers", at("answers.yaml"));
    const { verifier } = reported.parse(JSON.parse(again.stdout));
    assert.deepEqual(new Set(keys), new Set([verifier]));
  });

  if (hasOwnMounts())
    itWithOwnMounts(
      import.meta.url,
      "says that a key which is in the folder of its box stays there, where systemd was to have it",
      async () => {
        await emptyMachine();
        await using machine = await newMachine();
        const { at, answers, setup } = machine;
        await writeFile(at("answers.yaml"), stringify({ ...answers, state: "/var/lib/bewaard" }));
        await setup("setup", "--answers", at("answers.yaml"));
        const key = await keyIn("/var/lib/bewaard");
        assert.ok(key !== undefined);
        const again = ["setup", "--answers", at("answers.yaml"), "--keys", "systemd"];
        const { stdout } = await setup("--json", ...again);
        assert.deepEqual(reported.parse(JSON.parse(stdout)).differs, ["keys"]);
        assert.match((await setup(...again)).stdout, /^.*keys: stay in the folder of this box$/m);
        assert.equal(await keyIn("/var/lib/bewaard"), key);
      },
    );

  if (hasOwnMounts())
    itWithOwnMounts(
      import.meta.url,
      "gives dock and recorder what is theirs of the spool, where they are users of their own, and changes nothing by it again",
      async () => {
        const run = promisify(execFile);
        await emptyMachine();
        await using machine = await newMachine();
        const { at, answers, setup } = machine;
        const users = await readFile("/etc/passwd", "utf8");
        await writeFile(at("passwd"), `${users}${PART_USERS}`);
        await run("mount", ["--bind", at("passwd"), "/etc/passwd"]);
        const setsUp = () => setup("--json", "setup", "--answers", at("answers.yaml"));
        const whose = async (name: string): Promise<string> =>
          (await run("stat", ["-c", "%u:%g %a", at("srv/spool", name)])).stdout.trim();

        // No service's: what somebody tries is theirs.
        await setsUp();
        assert.equal(await whose("lease/dock"), "0:0 600");
        await writeFile(at("answers.yaml"), stringify({ ...answers, state: "/var/lib/bewaard" }));
        for (const more of [["--replace"], []]) {
          await setup("setup", "--answers", at("answers.yaml"), ...more);
          assert.equal(await whose("incoming/dock"), "61001:61001 2770");
          assert.equal(await whose("incoming/record"), "61002:61003 2770");
          assert.equal(await whose("lease/record"), "61002:61003 600");
          assert.equal(await whose("segments"), "0:0 700");
        }

        await using _other = await onlySetup(OPENED, "bewaard");
        for (const more of [["--answers", at("answers.yaml")], ["--parts"]]) {
          const { code, stdout, stderr } = await setup("setup", ...more);
          assert.match(`${stdout}${stderr}`, /another setup is still at work/);
          assert.notEqual(code, 0);
        }
      },
    );

  it("names all that nothing answers, and each answer that does not fit, and writes nothing", async () => {
    await using machine = await newMachine();
    const { at, setup } = machine;
    const missing = await setup("setup", "--site", "den-haag-handhaving");
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /not said: node/);
    const wrong = await setup(
      "setup",
      "--answers",
      at("answers.yaml"),
      "--limit",
      "much",
      "--node",
      "Dock 1",
    );
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^node: .*\nlimit: |^limit: .*\nnode: /m);
    assert.deepEqual(await readdir(at("etc")), []);
  });

  it("takes no recipients that are none, and leaves those that are there", async () => {
    await using machine = await newMachine();
    const { at, setup } = machine;
    const brought = await fromDesk((name) => at(name));
    await setup("setup", "--answers", at("answers.yaml"), ...brought);
    const before = await readFile(at("etc/recipients.txt"), "utf8");
    const secret = await generateX25519Identity();
    await writeFile(at("wrong.txt"), `2027-01-01 ${secret}\n`);
    const { code, stderr } = await setup("setup", "--recipients", at("wrong.txt"));
    assert.equal(code, 1);
    assert.match(stderr, /^RECIPIENT_INVALID/);
    assert.ok(!stderr.includes(secret.slice(0, 24)));
    assert.equal(await readFile(at("etc/recipients.txt"), "utf8"), before);
  });

  it("tries a bucket with the credential from a file, which it puts where core looks, and never shows", async () => {
    const [owner, box, destroyer] = USERS;
    await using server = await startS3Server({ quirks: "ceph", users: USERS });
    const peer = { ...server, credential: owner, certificate: undefined };
    await using _bucket = await fitBucket(peer, { box, destroyer }, "locked", "ceph");
    await using machine = await newMachine();
    const { at, answers, setup } = machine;
    const { directory: _, ...others } = answers;
    const bucket = {
      provider: "own",
      region: "eu-central-1",
      endpoint: server.endpoint,
      bucket: "fit-locked",
      country: "NL",
      declared_by: "beheer",
      declared_on: "2026-05-01",
      secrets: { "vault.credential": at("credential") },
    };
    await writeFile(at("answers.yaml"), stringify({ ...others, ...bucket }));
    const line = `${box.accessKeyId}:${box.secretAccessKey}\n`;
    await writeFile(at("credential"), line, { mode: 0o600 });
    const { stdout, stderr } = await setup("--json", "setup", "--answers", at("answers.yaml"));
    const report = reported.parse(JSON.parse(stdout || stderr));
    assert.deepEqual([report.vault?.fit, report.vault?.amountsTo], [true, "locked"]);
    assert.equal(await readFile(at("state/vault.credential"), "utf8"), line);
    assert.equal((await stat(at("state/vault.credential"))).mode & 0o777, 0o600);
    assert.ok(!`${stdout}${stderr}`.includes(box.secretAccessKey));
    assert.ok(!(await readFile(at("etc/bewaard.yaml"), "utf8")).includes(box.secretAccessKey));
  });

  it("takes the separate medium and the recovery key of a box from its answers, and makes no key that nobody sees (AR-20)", async () => {
    await using machine = await newMachine();
    const { at, answers, setup } = machine;
    await mkdir(at("medium"));
    const secured = { directory: at("medium"), medium: "usb-schijf", serial: "WD-123" };
    const recovery = at("recovery.txt");
    await writeFile(
      at("answers.yaml"),
      stringify({ ...answers, policy: "arnhem", secured, recovery }),
    );
    const { stdout } = await setup("--json", "setup", "--answers", at("answers.yaml"));
    const { next, done } = reported.parse(JSON.parse(stdout));
    assert.match(next[0] ?? "", new RegExp(`^bewaard recovery-key ${recovery} `));
    assert.deepEqual([done, existsSync(recovery)], [false, false]);
    const config = await readConfig(at("etc/bewaard.yaml"));
    assert.deepEqual([config.secured, config.backup], [secured, { recipients: recovery }]);
    await rm(at("etc/bewaard.yaml"));
    await writeFile(at("answers.yaml"), stringify({ ...answers, secured: { medium: 1 } }));
    const { stderr } = await setup("setup", "--answers", at("answers.yaml"));
    assert.match(stderr, /secured\.medium/);
  });

  it("says of a box without a recovery key that it has no backups, and what makes one", async () => {
    await using machine = await newMachine();
    const { at, answers, setup } = machine;
    await writeFile(at("answers.yaml"), stringify({ ...answers, demo: false }));
    const { stdout } = await setup("--json", "setup", "--answers", at("answers.yaml"));
    const { next, check } = reported.parse(JSON.parse(stdout));
    assert.match(next[0] ?? "", new RegExp(`^bewaard recovery-key ${at("etc/recovery.txt")} `));
    const said = check.checks.filter(({ what }) => what === "backup");
    assert.equal(said[0]?.verdict, "warning");
  });

  it("looks at the first camera, with its password from a file, and is not done where it would not be stored", async () => {
    await using machine = await newMachine();
    const { at, answers, setup } = machine;
    // Nobody serves this port.
    const camera = { ...GOOD_CAMERA, url: "rtsp://127.0.0.1:1/stream1" };
    const secrets = { "cam-0001.password": at("password") };
    const all = { ...answers, policy: "arnhem", cameras: [camera], secrets };
    await writeFile(at("answers.yaml"), stringify(all));
    await writeFile(at("password"), "geheim-woord\n", { mode: 0o644 });
    const exposed = await setup("--json", "setup", "--answers", at("answers.yaml"));
    assert.match(exposed.stderr, /SECRET_EXPOSED/);
    await chmod(at("password"), 0o600);
    const { stdout, stderr, code } = await setup(
      "--json",
      "setup",
      "--answers",
      at("answers.yaml"),
    );
    const report = reported.parse(JSON.parse(stdout || stderr));
    assert.deepEqual([report.camera?.number, report.camera?.stored], ["cam-0001", false]);
    assert.deepEqual([report.done, code], [false, 1]);
    assert.equal(await readFile(at("state/cam-0001.password"), "utf8"), "geheim-woord\n");
    assert.ok(!stdout.includes("geheim-woord"));
    assert.ok(
      report.next.includes(
        "systemctl enable --now bewaard.service bewaard-dock.service bewaard-record.service",
      ),
    );
  });

  it("keeps a camera's password in the recorder's own folder, where the configuration names one (decision 0035)", async () => {
    await using machine = await newMachine();
    const { at, yaml, answers, setup } = machine;
    const camera = { ...GOOD_CAMERA, url: "rtsp://127.0.0.1:1/stream1" };
    await writeFile(at("answers.yaml"), stringify({ ...answers, policy: "arnhem" }));
    await setup("--json", "setup", "--answers", at("answers.yaml"));
    const own = stringify({ recorder: { state: at("record") }, cameras: [camera] });
    await writeFile(yaml, `${await readFile(yaml, "utf8")}${own}`);
    await writeFile(at("password"), "geheim-woord\n", { mode: 0o600 });
    const secrets = { "cam-0001.password": at("password") };
    await writeFile(at("answers.yaml"), stringify({ ...answers, policy: "arnhem", secrets }));
    const { stdout, stderr } = await setup("--json", "setup", "--answers", at("answers.yaml"));
    const report = reported.parse(JSON.parse(stdout || stderr));
    assert.equal((await stat(at("record"))).mode & 0o777, 0o710);
    assert.deepEqual(await readdir(at("record")), ["cam-0001.password"]);
    assert.equal((await stat(at("record/cam-0001.password"))).mode & 0o777, 0o600);
    assert.ok(!existsSync(at("state/cam-0001.password")));
    const cameras = report.check.checks.find(({ what }) => what === "cameras");
    assert.equal(cameras?.verdict, "fit", JSON.stringify(cameras));
    assert.equal(report.camera?.number, "cam-0001");
  });

  it("looks for cameras where it is told to, and accepts none by itself", async () => {
    await using responder = await openResponder((question) => [probeMatch(question, {})]);
    await using machine = await newMachine();
    const { at, setup, yaml } = machine;
    const to = ["--discover", "lo", "--discover-at", `127.0.0.1:${responder.port}`];
    const { stdout, stderr } = await setup(
      "--json",
      "setup",
      "--answers",
      at("answers.yaml"),
      ...to,
    );
    const { found } = reported.parse(JSON.parse(stdout || stderr));
    assert.deepEqual(
      found?.found.map(({ name }) => name),
      ["Balie cam"],
    );
    assert.deepEqual((await readConfig(yaml)).cameras, []);
  });

  it("says how to pair what is in a slot and nobody has paired, and nothing of the rest", () => {
    const one = { vendor: "0b6a", product: "1234", serial: "TS00A1B2", volume: null } as const;
    const lines = pairingLines([
      { ...one, slot: "0000:00:14.0/2.3", kind: "disk", refused: "unpaired", looked: true },
    ]);
    assert.match(
      lines.join("\n"),
      /^# 0b6a:1234 .*\nbewaarctl bodycams pair \S+ --slot 0000:00:14\.0\/2\.3 --profile /,
    );
  });
});

/** The state folders of a machine, and what setups have of each other there, are the test's own. */
async function emptyMachine(): Promise<void> {
  for (const folder of ["/var/lib", "/run"])
    await promisify(execFile)("mount", ["-t", "tmpfs", "tmpfs", folder]);
}

/** Only root gives folders to others. */
function leftOut(): void {}
