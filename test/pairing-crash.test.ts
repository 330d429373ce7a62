import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { STEPS, type Step } from "#base/step";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { pairingOf, SEEN } from "./fakes/pairing.ts";
import { openRig, type Rig } from "./fakes/rig.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const PAIRING = fileURLToPath(new URL("./crash/pairing.ts", import.meta.url));

/** Pairs in a process of its own, that is killed at `step`. */
function pairingKilledAt(rig: Rig, step: Step | undefined): string {
  const env = { ...process.env, CRASH_AT: step, CRASH_NTH: "1" };
  const args = ["--import", HOOK, PAIRING, rig.folder];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return signal ?? (stdout === "paired" ? stdout : stderr);
}

describe("core that is killed while it pairs (invariants 5, 8)", () => {
  for (const step of STEPS.filter((one) => one.startsWith("pair."))) {
    it(`at ${step}: it is paired with its entry, and the helper's list says so after the next start`, async () => {
      await using rig = await openRig();
      const pem = rig.key.privateKey.export({ type: "pkcs8", format: "pem" });
      await writeFile(join(rig.folder, "node.key"), pem, { mode: 0o600 });
      assert.equal(pairingKilledAt(rig, step), "SIGKILL");
      assert.deepEqual(await rig.check("rows"), []);
      const after = pairingOf(rig, [SEEN]);
      assert.equal((await after.pairings()).length, 1);
      await after.note.keep();
      assert.equal((await after.list()).cameras[0]?.number, "bc-0101");
      // Asked once more, by somebody who had no answer.
      assert.equal(pairingKilledAt(rig, undefined), "paired");
      await using catalog = await openDatabase(join(rig.folder, "catalog.db"));
      const told = await catalog.transaction((sql) =>
        sql.all("select kind from entry where kind like 'bodycam.%'"),
      );
      assert.equal(told.length, 1);
    });
  }
});
