import assert from "node:assert/strict";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { readConfig } from "../config/load.ts";
import { atTerminal } from "./fakes/at-terminal.ts";
import { temporaryFolder } from "./fakes/folder.ts";

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
    await terminal.answer("recipients.txt from the desk", "");
    await terminal.answer("desk.signers from the desk", "");
    const { seen } = await terminal.ended();
    assert.match(seen, /bewaard\/den-haag-handhaving\/dock-1\+/);
    assert.match(seen, /next:\r?\n {2}bewaarctl desk init/);
    const { node, spool } = await readConfig(yaml);
    assert.deepEqual([node, spool.limit], ["dock-1", 2_000_000_000]);
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
    const answers = {
      site: "den-haag-handhaving",
      node: "dock-1",
      policy: "den-haag",
      "informed-on": "2026-10-01",
      keys: "folder",
      limit: "2 GB",
      "keep-free": "100 MB",
      state: at("state"),
      spool: at("spool"),
      ...bucket,
    };
    const given = Object.entries(answers).flatMap(([key, answer]) => [`--${key}`, answer]);
    using terminal = atTerminal([], yaml, given);
    await terminal.answer("empty: the usual one of the region", "");
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
