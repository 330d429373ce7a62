import assert from "node:assert/strict";
import { mkdir, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { openBoard } from "../daemon/record/board.ts";
import { openLive, serveLive } from "../daemon/record/live.ts";
import { tellNews } from "../daemon/record/news.ts";
import { askStates, tellStates } from "../daemon/record/states-socket.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents, handClock, NEVER, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";
import { until } from "./fakes/until.ts";

describe("a recorder's sockets", () => {
  it("that cannot be opened are said once an hour, and stop nothing", async () => {
    await using folder = await temporaryFolder();
    const board = openBoard(handClock(START), []);
    const live = openLive([], 0);
    for (const path of [
      folder.path,
      join(folder.path, "nowhere", "x.sock"),
      `/tmp/${"x".repeat(200)}`,
    ]) {
      for (const serve of [
        (at: string, signal: AbortSignal) => tellStates(at, board, signal),
        (at: string, signal: AbortSignal) => serveLive(at, live, signal),
      ]) {
        const said: string[] = [];
        const turn = turns(handClock(START), 61);
        await tellNews(turn.clock, capturedEvents(said), path, serve, turn.signal);
        assert.deepEqual(said, ["socket-delayed", "socket-delayed"], path);
      }
    }
  });

  it("are opened as soon as they can be", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "record.sock");
    await mkdir(path);
    const clock = handClock(START);
    const board = openBoard(clock, []);
    const stop = new AbortController();
    const freed = { ...clock, sleep: () => rmdir(path) };
    const serve = (at: string, signal: AbortSignal) => tellStates(at, board, signal);
    const telling = tellNews(freed, capturedEvents([]), path, serve, stop.signal);
    const isSocket = () =>
      stat(path)
        .then((found) => found.isSocket())
        .catch(() => false);
    await until(isSocket);
    assert.deepEqual(await askStates(path, NEVER), []);
    stop.abort();
    await telling;
  });

  it("do not hide a bug", async () => {
    const bug = () => Promise.reject(new TypeError("a bug"));
    const telling = tellNews(handClock(START), capturedEvents([]), "x", bug, NEVER);
    await assert.rejects(telling, TypeError);
  });
});
