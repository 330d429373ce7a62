import assert from "node:assert/strict";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { readConfig } from "../config/load.ts";
import { atTerminal } from "./fakes/at-terminal.ts";
import { temporaryFolder } from "./fakes/folder.ts";

/** What is not to be asked, as options. */
const GIVEN = {
  site: "den-haag-handhaving",
  node: "dock-1",
  policy: "den-haag",
  "informed-on": "2026-10-01",
  keys: "folder",
  limit: "2 GB",
  "keep-free": "100 MB",
};

describe("bewaard setup, at a terminal", function () {
  this.timeout(240_000);

  it("asks what it must know, again where an answer does not fit, and proposes the rest", async () => {
    await using folder = await temporaryFolder();
    const at = (...names: string[]): string => join(folder.path, ...names);
    await mkdir(at("etc"));
    const yaml = at("etc/bewaard.yaml");
    using terminal = atTerminal([], yaml, ["--state", at("state"), "--spool", at("spool")]);
    await terminal.answer("name of the site", "Den Haag");
    await terminal.answer("does not fit", "den-haag-handhaving");
    await terminal.answer("name of this box", "");
    await terminal.answer("something is needed here", "dock-1");
    await terminal.answer("[den-haag]", "");
    await terminal.answer("employees were informed", "2026-10-01");
    await terminal.answer("[folder]", "");
    await terminal.answer("the most footage", "2 GB");
    await terminal.answer("[20 GB]", "100 MB");
    await terminal.answer("[directory]", "");
    await terminal.answer("[/mnt/bewaard/vault]", at("vault"));
    await terminal.answer("public recovery key", "");
    await terminal.answer("recipients.txt from the desk", "");
    await terminal.answer("desk.signers from the desk", "");
    const { seen } = await terminal.ended();
    assert.match(seen, /there is no recovery key, so there are no backups/);
    assert.match(seen, /bewaard\/den-haag-handhaving\/dock-1\+/);
    assert.match(seen, /next:\r?\n {2}bewaard recovery-key .*\r?\n {2}bewaarctl desk init/);
    const { node, spool, backup } = await readConfig(yaml);
    assert.deepEqual([node, spool.limit, backup], ["dock-1", 2_000_000_000, undefined]);
  });

  it("makes the recovery key, shows it for the envelope, and writes its public half once it is on paper", async () => {
    await using folder = await temporaryFolder();
    const at = (...names: string[]): string => join(folder.path, ...names);
    const yaml = at("bewaard.yaml");
    const given = Object.entries({ ...GIVEN, state: at("state"), spool: at("spool") }).flatMap(
      ([key, answer]) => [`--${key}`, answer],
    );
    const all = [...given, "--vault", "directory", "--directory", at("vault")];
    {
      // Whoever goes away from it has no backups to a key that is on no paper.
      using terminal = atTerminal([], yaml, all);
      await terminal.answer("public recovery key", at("recovery.txt"));
      await terminal.asked("is it on paper? Enter");
      terminal.type("\u0003");
      assert.equal((await terminal.ended()).code, 130);
      await assert.rejects(readFile(at("recovery.txt")), { code: "ENOENT" });
    }
    using terminal = atTerminal([], yaml, []);
    await terminal.answer("is it on paper? Enter", "");
    const half = async () => (await readFile(at("recovery.txt"), "utf8")).split("\n")[1] ?? "";
    await terminal.answer("recipients.txt from the desk", "");
    await terminal.answer("desk.signers from the desk", "");
    const { seen } = await terminal.ended();
    const [shown = ""] = /AGE-SECRET-KEY-PQ-\S+/.exec(seen) ?? [];
    assert.equal(await identityToRecipient(shown), await half());
    assert.match(seen, /recovery keys: 1/);
    assert.deepEqual((await readConfig(yaml)).backup, { recipients: at("recovery.txt") });
  });

  it("never shows a secret that is typed, and puts it where core looks", async () => {
    await using folder = await temporaryFolder();
    const at = (...names: string[]): string => join(folder.path, ...names);
    const yaml = at("bewaard.yaml");
    const bucket = {
      provider: "aws",
      region: "eu-central-1",
      bucket: "bewaard-test",
      owner: "123456789012",
      level: "locked",
    };
    const answers = { ...GIVEN, state: at("state"), spool: at("spool"), ...bucket };
    const given = Object.entries(answers).flatMap(([key, answer]) => [`--${key}`, answer]);
    using terminal = atTerminal([], yaml, given);
    await terminal.answer("empty: the usual one of the region", "");
    await terminal.answer("public recovery key", "");
    await terminal.answer("credential of the bucket", "AKIATEST:very-secret-word");
    await terminal.answer("recipients.txt from the desk", "");
    // Ctrl-c: the bucket of a test is not to be looked for.
    await terminal.answer("desk.signers from the desk", "\u0003");
    const { seen, code } = await terminal.ended();
    assert.equal(code, 130);
    assert.doesNotMatch(seen, /very-secret|AKIATEST/);
    assert.doesNotMatch(await readFile(yaml, "utf8"), /very-secret/);
    const credential = at("state/vault.credential");
    assert.equal(await readFile(credential, "utf8"), "AKIATEST:very-secret-word\n");
    assert.equal((await stat(credential)).mode & 0o777, 0o600);
  });
});
