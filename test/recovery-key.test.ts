import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { makeRecoveryKey, type RecoveryKey } from "../daemon/backup/recovery-key.ts";
import { temporaryFolder } from "./fakes/folder.ts";

const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));

describe("a recovery key", function () {
  this.timeout(60_000);

  it("is shown before its public half is written, and never the other way round", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "recovery.txt");
    const unread = makeRecoveryKey(path, "x25519", async () => {
      assert.ok(!existsSync(path));
      throw new TypeError("nobody reads");
    });
    await assert.rejects(unread, TypeError);
    assert.ok(!existsSync(path));
    const shown: RecoveryKey[] = [];
    const made = await makeRecoveryKey(path, "x25519", async (key) => void shown.push(key));
    assert.deepEqual(shown, [made]);
    assert.ok((await readFile(path, "utf8")).endsWith(`\n${made.recipient}\n`));
  });

  it("leaves no public half where what it is shown on takes nothing", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "recovery.txt");
    const shell = `"$0" "$@" > /dev/full`;
    const args = ["-c", shell, process.execPath, CLI, "recovery-key", "--x25519", path];
    await assert.rejects(promisify(execFile)("sh", args), (error: { stderr?: unknown }) => {
      assert.match(String(error.stderr), /^USAGE: [^]*cannot be shown \(ENOSPC\)/);
      return true;
    });
    assert.ok(!existsSync(path));
  });

  it("is not shown where its public half has no folder to go to", async () => {
    await using folder = await temporaryFolder();
    const shown: RecoveryKey[] = [];
    const path = join(folder.path, "none", "recovery.txt");
    const made = makeRecoveryKey(path, "x25519", async (key) => void shown.push(key));
    await assert.rejects(made, { code: "USAGE", message: /that folder is not there/ });
    assert.deepEqual(shown, []);
  });

  it("is one where two are made at once: the other is told that what it showed is of no use", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "recovery.txt");
    const both = Promise.withResolvers<void>();
    let shown = 0;
    const make = () =>
      makeRecoveryKey(path, "x25519", () => {
        shown += 1;
        if (shown === 2) both.resolve();
        return both.promise;
      });
    const ended = await Promise.allSettled([make(), make()]);
    const made = ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const refused = ended.flatMap((one): unknown[] =>
      one.status === "rejected" ? [one.reason] : [],
    );
    assert.equal(made.length, 1);
    assert.match(String(refused[0]), /throw away what was shown/);
    assert.ok((await readFile(path, "utf8")).includes(made[0]?.recipient ?? "none"));
    await assert.rejects(make(), { code: "USAGE" });
    assert.equal(shown, 2);
  });
});
