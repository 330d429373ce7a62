import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { HOUR_MS, instant, MINUTE_MS } from "#base/time";
import { recordClip } from "../daemon/demo/clips.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { START } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";

const CLI = new URL("../daemon/cli/bewaarctl.ts", import.meta.url).pathname;

async function bewaarctl(...args: readonly string[]) {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], { env });
    return { code: 0, out: stdout, err: "" };
  } catch (error) {
    if (!(error instanceof Error && "stdout" in error && "stderr" in error)) throw error;
    return { code: 1, out: String(error.stdout), err: String(error.stderr) };
  }
}

describe("bewaarctl log", function () {
  this.timeout(120_000);

  it("shows the head, proves a segment, and checks ledger and proof, this without a box", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const box = ["-c", join(site.folder, "bewaard.yaml")];
    const proof = join(site.folder, "bewijs");
    let vkey = "";
    await whileRunning(site, async (ask, signal) => {
      await recordClip(site.demo.docks["bc-0101"] ?? "", instant(START - HOUR_MS), 440);
      const find = () => ask("find", { device: null, fromMs: 0, toMs: 4e12 });
      const stored = async () => (await find()).segments[0]?.state === "stored";
      assert.ok(await passUntil(site.clock, 5000, HOUR_MS, stored, signal));
      const id = (await find()).segments[0]?.id ?? "";
      const proven = async () => {
        const asked = await ask("ledger.prove", { segment: id, entry: null }).catch(
          () => undefined,
        );
        return asked?.waiting.length === 0;
      };
      assert.ok(await passUntil(site.clock, 5 * MINUTE_MS, HOUR_MS, proven, signal));

      const head = await bewaarctl(...box, "log", "head");
      assert.match(head.out, /^bewaard\/demo-handhaving\/dock-1\n\d+\n[^]*geen tijdstempel/);
      vkey = (await ask("ledger.head", {})).vkey;
      const whole = await bewaarctl(...box, "log", "verify");
      assert.match(whole.out, /regels \/ entries: in orde/);
      const written = await bewaarctl(...box, "--json", "log", "prove", id, "--to", proof);
      assert.match(written.out, /"waiting":\[\]/);
      const which = await bewaarctl(...box, "log", "prove", "--to", `${proof}-2`);
      assert.match(which.err, /^DESK_INPUT: .*\ngeef een fragment/);
    });

    const good = await bewaarctl("log", "verify", proof, "--key", vkey);
    assert.equal(good.code, 0, good.out);
    const [, stem = ""] = /^bewezen \/ proven +(\d+-segment\.sealed)\.entry/m.exec(good.out) ?? [];
    const one = join(proof, `${stem}.tlog-proof`);
    assert.equal((await bewaarctl("log", "verify", one, "--key", vkey)).code, 0);
    const entry = join(proof, `${stem}.entry`);
    await writeFile(entry, (await readFile(entry, "utf8")).replace("bc-0101", "bc-0102"));
    const bad = await bewaarctl("log", "verify", proof, "--key", vkey);
    assert.equal(bad.code, 1);
    assert.match(bad.out, /^NIET BEWEZEN \/ NOT +\d+-segment\.sealed\.entry/m);
    const keyless = await bewaarctl("log", "verify", proof);
    assert.match(keyless.err, /^DESK_INPUT: .*\n--key/);
  });
});
