import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { asker } from "../../daemon/control/client.ts";
import { recordSocketPath, socketPath } from "../../daemon/places.ts";
import { askStates } from "../../daemon/record/states-socket.ts";
import { NEVER } from "../fakes/rig.ts";
import { openWall, seen, type Wall } from "./wall.ts";

const BEWAARD = fileURLToPath(new URL("../../daemon/cli/bewaard.ts", import.meta.url));

/** Runs these parts while `look` does, which is told when they have ended by themselves; then stops them. */
async function running(
  wall: Wall,
  parts: readonly string[],
  look: (closed: Promise<unknown>) => Promise<unknown>,
) {
  const args = [BEWAARD, "--config", wall.configPath, "run", ...parts];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const closed = once(child, "close");
  const said = text(child.stderr);
  try {
    await look(closed);
  } finally {
    child.kill("SIGTERM");
    await closed;
  }
  return { code: child.exitCode, said: await said };
}

describe("bewaard run", function () {
  this.timeout(300_000);

  for (const parts of [["core", "record"], []]) {
    it(`${parts.join(" ") || "without a part"} runs these parts in one process, and stops them`, async () => {
      await using wall = await openWall([], 2);
      const { code, said } = await running(wall, parts, async () => {
        const core = async () =>
          (await asker(socketPath(wall.config), NEVER)("status", {})).node !== "";
        await seen("core", core);
        const recorder = async () =>
          (await askStates(recordSocketPath(wall.config), NEVER)).length === 0;
        await seen("the recorder", recorder);
      });
      assert.equal(code, 0, said);
      const roles = parts.length > 0 ? parts : ["core", "dock", "record"];
      assert.ok(said.includes(`"roles":${JSON.stringify(roles)}`), said);
    });
  }

  it("refuses a second recorder on the same spool", async () => {
    await using wall = await openWall([], 2);
    await running(wall, ["record"], async () => {
      const recorder = async () =>
        (await askStates(recordSocketPath(wall.config), NEVER)).length === 0;
      await seen("the recorder", recorder);
      const { code, said } = await running(wall, ["record"], (closed) => closed);
      assert.equal(code, 1);
      assert.match(said, /LEASE_HELD/);
    });
  });
});
