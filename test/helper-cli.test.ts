import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { openHelperRig } from "./fakes/helper-rig.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(ROOT, "daemon/cli/bewaard-helper.ts");

function helper(...argv: readonly string[]) {
  return spawnSync(process.execPath, [CLI, ...argv], { encoding: "utf8" });
}

const AT_ONCE = /^(?:import|export)\b[^;]*?from "([^"]+)"/gms;
const LOADS = /(?:^(?:import|export)\b[^;]*?from |\bawait import\()"([^"]+)"/gms;

/** Every file that a program loads, and every package, each once. */
async function loadedBy(
  start: string,
  loads = LOADS,
): Promise<{ files: string[]; packages: string[] }> {
  const files = [start];
  const packages = new Set<string>();
  for (const file of files) {
    const text = await readFile(file, "utf8");
    for (const [, from = ""] of text.matchAll(loads)) {
      const path = from.startsWith("#base/")
        ? join(ROOT, "daemon/base", `${from.slice("#base/".length)}.ts`)
        : join(dirname(file), from);
      if (!from.startsWith("#") && !from.startsWith(".")) packages.add(from);
      else if (!files.includes(path)) files.push(path);
    }
  }
  return { files, packages: [...packages] };
}

describe("bewaard-helper", () => {
  it("loads Node, zod, and little of ours: it runs as root", async () => {
    const { files, packages } = await loadedBy(CLI);
    const others = packages.filter((name) => !name.startsWith("node:"));
    assert.deepEqual(others, ["zod"]);
    const allowed =
      /^(daemon\/(base|helper|orders)\/|daemon\/cli\/(bewaard-helper|error-says)\.ts$|storage\/ledger\/note\.ts$|drivers\/bodycam\/(slot-name|sysfs|usb-devices|usb-disks)\.ts$)/;
    const names = files.map((file) => relative(ROOT, file));
    assert.deepEqual(
      names.filter((name) => !allowed.test(name)),
      [],
    );
    assert.ok(names.length > 20);
  });

  it("loads no library to take a card away: a shift goes out at once", async () => {
    for (const start of [CLI, join(ROOT, "daemon/helper/put-away.ts")]) {
      const { packages } = await loadedBy(start, AT_ONCE);
      assert.deepEqual(
        packages.filter((name) => !name.startsWith("node:")),
        [],
      );
    }
  });

  it("takes no name but one of a disk or a media device, and no verb but its four", () => {
    for (const argv of [
      [],
      ["card"],
      ["card", "../sda1"],
      ["card", "sda1;reboot"],
      ["gone", "mmcblk0"],
      ["orders", "now"],
      ["wipe", "sda1"],
      ["mtp", "sda1"],
      ["card", "mtp-001-005"],
      ["mtp", "mtp-1-5"],
      ["mtp", "mtp-001-005", "--room=0"],
      ["reboot"],
      ["orders", "--now"],
      ["orders", "--state"],
      ["-h"],
    ]) {
      const { status, stdout, stderr } = helper(...argv);
      assert.equal(status, 2, argv.join(" "));
      assert.match(stdout, /^bewaard-helper card <name>/);
      assert.equal(stderr, "");
    }
  });

  it("says how it is used when it is asked, and does nothing else", () => {
    for (const argv of [["--help"], ["card", "sda1", "--help"]]) {
      const { status, stdout, stderr } = helper(...argv);
      assert.deepEqual([status, stderr], [0, ""], argv.join(" "));
      assert.match(stdout, /^bewaard-helper card <name>/);
    }
  });

  it("carries out what lies there, in folders of a test", async () => {
    await using rig = await openHelperRig();
    const order = rig.order([{ path: "YQ==", bytes: 1, sha256: "0".repeat(64) }]);
    await rig.leave(order);
    const { places } = rig;
    const folders = Object.entries<string>({ ...places }).map(([name, at]) => `--${name}=${at}`);
    const { status, stdout } = helper("orders", ...folders);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(`^order ${order.nonce}: refused (expired|not-yet)`));
    assert.match(helper("card", "sdz1", ...folders).stdout, /no card/);
    assert.equal(helper("gone", "sdz1", ...folders).status, 0);
    assert.match(helper("mtp", "mtp-009-009", ...folders).stdout, /no card/);
    assert.equal(helper("gone", "mtp-009-009", ...folders).status, 0);
  });
});
