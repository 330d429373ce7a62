import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { it } from "mocha";

const MOCHA = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const MARK = "BEWAARD_OWN_MOUNTS";
const NAMESPACES = ["--mount", "--net"];

/** Whether this machine gives us a view of the mounts of our own, where we may mount. */
export function hasOwnMounts(): boolean {
  const mount = ["mount", "-t", "tmpfs", "tmpfs", "/mnt"];
  return spawnSync("unshare", [...NAMESPACES, ...mount]).status === 0;
}

/**
 * As `it`, for a test that mounts: it runs in a process of its own with mounts of its own, of which nothing is
 * left afterwards, whatever comes of it.
 */
export function itWithOwnMounts(url: string, title: string, body: () => Promise<void>): void {
  if (process.env[MARK] !== undefined) {
    it(title, body);
    return;
  }
  it(title, () => {
    const options = ["--no-package", "--no-parallel", "--timeout", "90000", "--fail-zero"];
    const mocha = [MOCHA, ...options, "--fgrep", title, fileURLToPath(url)];
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      [...NAMESPACES, process.execPath, ...mocha],
      { encoding: "utf8", env: { ...process.env, [MARK]: "yes" } },
    );
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
}
