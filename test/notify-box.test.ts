import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { SECOND_MS } from "#base/time";
import { makeDemoSite } from "../daemon/demo/site.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";
import { openServiceManager } from "./fakes/service-manager.ts";
import { until } from "./fakes/until.ts";

const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));

describe("a box that systemd runs", function () {
  this.timeout(240_000);

  it("tells when it is ready, how it does, that it lives, and that it stops", async () => {
    await using folder = await temporaryFolder();
    using manager = openServiceManager(folder.path);
    await makeDemoSite(systemClock, folder.path, ["bc-0101"], 2, NEVER);
    const env = {
      ...process.env,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      NOTIFY_SOCKET: manager.path,
      WATCHDOG_USEC: `${3 * SECOND_MS * 1000}`,
    };
    const args = [CLI, "-c", join(folder.path, "bewaard.yaml"), "run"];
    const box = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    const journal = text(box.stderr);
    const ended = once(box, "exit");
    try {
      await until(() => manager.told("READY").length > 0);
      const line = "no cameras; docks empty; backlog 0; ring 0 %; time not trusted";
      await until(() => manager.told("STATUS").includes(line));
      await until(() => manager.told("WATCHDOG").length > 3);
      assert.deepEqual(manager.told("STOPPING"), []);
      assert.deepEqual(manager.told("READY"), ["1"]);
    } finally {
      box.kill("SIGTERM");
      await ended;
    }
    assert.match(await journal, /"event":"stopped"/);
    assert.doesNotMatch(await journal, /manager-unheard|loop-late/);
    await until(() => manager.told("STOPPING").length === 1);
  });
});
