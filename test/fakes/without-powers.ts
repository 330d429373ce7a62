import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { it } from "mocha";

const MOCHA = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const POWERS = "-dac_override,-dac_read_search";
const MARK = "BEWAARD_WITHOUT_POWERS";

/**
 * As `it`, for a test with what cannot be read. Root reads everything: then the test at `url` (its file) runs
 * in a process of its own, which is root still, so that it reaches this checkout wherever it lies, and has to
 * keep to modes like anybody else.
 */
export function itWithoutPowers(url: string, title: string, body: () => Promise<void>): void {
  if (process.getuid?.() !== 0 || process.env[MARK] !== undefined) {
    it(title, body);
    return;
  }
  it(title, () => {
    const dropped = ["--bounding-set", POWERS, "--inh-caps", POWERS];
    const options = ["--no-package", "--no-parallel", "--timeout", "90000", "--fail-zero"];
    const mocha = [MOCHA, ...options, "--fgrep", title, fileURLToPath(url)];
    const { status, stdout, stderr } = spawnSync(
      "setpriv",
      [...dropped, process.execPath, ...mocha],
      { encoding: "utf8", env: { ...process.env, [MARK]: "yes" } },
    );
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
}
