import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { STEPS, type Step } from "#base/step";
import { DAY_MS } from "#base/time";
import { catalogPath } from "../daemon/places.ts";
import { openNewestBackup } from "../daemon/restore/open-backup.ts";
import { verifyBox } from "../daemon/verify.ts";
import { parseVerifier, verifierText } from "../storage/ledger/note.ts";
import { decrypterOf } from "../storage/seal/small.ts";
import { openBackedUpSites } from "./fakes/backed-up-site.ts";
import { backupsOf, openBackedUpRig } from "./fakes/backing-up.ts";
import { NEVER } from "./fakes/rig.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const BACKING_UP = fileURLToPath(new URL("./crash/backing-up.ts", import.meta.url));
const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));
type BackedUpRig = Awaited<ReturnType<typeof openBackedUpRig>>;

/** Makes a backup in a process of its own, that is killed at `step`. */
function backup(rig: BackedUpRig, days: number, step: string | undefined): string {
  const env = { ...process.env, CRASH_AT: step, CRASH_NTH: "1" };
  const args = ["--import", HOOK, BACKING_UP, rig.folder, String(days)];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return signal ?? (stdout === "" ? stderr : stdout);
}

/** The newest backup that opens with what is in the envelope. */
async function newestOf(rig: BackedUpRig): Promise<string> {
  const path = join(rig.folder, "opened.db");
  const keys = [parseVerifier(verifierText(rig.key))];
  const decrypter = decrypterOf(rig.envelope);
  const opened = await openNewestBackup(rig.vault, rig.box.node, keys, decrypter, path, NEVER);
  await rm(path);
  return opened.key;
}

describe("a box that is killed while it makes a backup (invariant 8)", function () {
  this.timeout(240_000);

  // A put into a directory is cut off at these as well.
  for (const step of [...stepsOf("backup."), "store.copied", "store.named"] as const) {
    it(`at ${step} has the one before still, and makes another one after the next start; nothing is left behind`, async () => {
      await using rig = await openBackedUpRig();
      await rig.keep("beeld");
      const pem = rig.key.privateKey.export({ type: "pkcs8", format: "pem" });
      await writeFile(join(rig.folder, "node.key"), pem, { mode: 0o600 });
      assert.equal(backup(rig, 0, undefined), "backup-made");
      const first = await newestOf(rig);
      assert.equal(backup(rig, 1, step), "SIGKILL");
      assert.ok((await newestOf(rig)) >= first);
      // Recorded already: there is one of today.
      const said = backup(rig, 2, undefined);
      assert.equal(said, "backup-made");
      assert.ok((await newestOf(rig)) > first);
      assert.deepEqual(await rig.vault.unfinished("backup/dock-1/"), []);
      const left = (await readdir(rig.folder)).filter((name) => name.startsWith("backup"));
      assert.deepEqual(left, []);
      assert.ok((await backupsOf(rig)).length >= 4);
      rig.clock.move(3 * DAY_MS);
      assert.deepEqual(await rig.check("rows"), []);
    });
  }
});

describe("a restore that is killed (invariant 8)", function () {
  this.timeout(240_000);
  let sites: Awaited<ReturnType<typeof openBackedUpSites>>;
  before(async () => {
    sites = await openBackedUpSites();
  });
  after(() => sites[Symbol.asyncDispose]());

  it("at any step begins anew and ends the same", async () => {
    const { site, identity } = await sites.again();
    const { config } = site.demo;
    const args = [
      "--import",
      HOOK,
      CLI,
      "-c",
      join(site.folder, "bewaard.yaml"),
      "--json",
      "restore",
    ];
    const run = async (step: string): Promise<string | null> => {
      const env = { ...process.env, CRASH_AT: step };
      const child = spawn(process.execPath, args, { env, stdio: ["pipe", "ignore", "ignore"] });
      child.stdin.on("error", () => undefined);
      child.stdin.end(`${identity}\n`);
      await once(child, "close");
      return child.signalCode;
    };
    for (const step of [...stepsOf("restore."), ...stepsOf("rebuild.")]) {
      assert.equal(await run(step), "SIGKILL", step);
    }
    // The last one came after the catalog had its name: nothing is left to do.
    const { findings } = await verifyBox(site.clock, config, "hashes", () => undefined, NEVER);
    // Made by the clock of this machine, months later: the entries of then are ahead of the site's clock.
    assert.deepEqual(
      findings.filter(({ invariant }) => invariant !== 10),
      [],
    );
    const names = await readdir(config.state);
    assert.ok(names.includes("catalog.db") && catalogPath(config).endsWith("catalog.db"));
    assert.ok(!names.some((name) => name.startsWith("catalog.db.rebuilding")));
  });
});

function stepsOf(procedure: string): readonly Step[] {
  return STEPS.filter((step) => step.startsWith(procedure));
}
