import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { SECOND_MS } from "#base/time";
import { openBoard } from "../daemon/record/board.ts";
import { askStates, tellStates } from "../daemon/record/states-socket.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { handClock, NEVER, START } from "./fakes/rig.ts";

const ONE = parseDeviceId("cam-0001");
const TWO = parseDeviceId("cam-0002");

describe("what the recorder says of its cameras", () => {
  it("is each camera's state, since when, and why it is not recorded", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "record.sock");
    const clock = handClock(START);
    const board = openBoard(clock, [ONE, TWO]);
    const stop = new AbortController();
    const telling = tellStates(path, board, stop.signal);
    clock.move(SECOND_MS);
    board.put(ONE, "recording");
    board.offset(ONE, -120);
    clock.move(SECOND_MS);
    board.put(ONE, "recording");
    board.put(TWO, "backing off", "CAMERA_LOGIN");
    while (!existsSync(path)) await systemClock.sleep(5, NEVER);
    // Who asks for nothing and never reads does not concern anybody else.
    connect(path).on("error", () => undefined);
    const told = await askStates(path, NEVER);
    assert.deepEqual(told, [
      { device: ONE, state: "recording", since: START + 1000, code: null, offsetMs: -120 },
      {
        device: TWO,
        state: "backing off",
        since: START + 2000,
        code: "CAMERA_LOGIN",
        offsetMs: null,
      },
    ]);
    assert.equal((await stat(path)).mode & 0o777, 0o660);
    stop.abort();
    await telling;
  });

  it("is no answer where it does not end, for core asks as well", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "record.sock");
    const chunk = Buffer.alloc(1024 * 1024, "x");
    let sent = 0;
    const endless = createServer((socket) => {
      const more = (): void => {
        while (sent < 1e9 && socket.write(chunk)) sent += chunk.length;
      };
      socket.on("drain", more).on("error", () => undefined);
      more();
    });
    endless.listen(path);
    while (!existsSync(path)) await systemClock.sleep(5, NEVER);
    try {
      await assert.rejects(askStates(path, NEVER), { code: "CONTROL_UNREACHABLE" });
      assert.ok(sent < 50 * chunk.length, `${sent}`);
    } finally {
      endless.close();
    }
  });

  it("is nothing where no recorder runs, and that is said", async () => {
    await using folder = await temporaryFolder();
    const asked = askStates(join(folder.path, "record.sock"), NEVER);
    await assert.rejects(asked, { code: "CONTROL_UNREACHABLE", transient: true });
  });
});
