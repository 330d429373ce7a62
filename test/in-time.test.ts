import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { inTime } from "../daemon/fitness/in-time.ts";
import { NEVER } from "./fakes/rig.ts";

const PATIENCE_MS = 400;
const LATE = "late";

describe("the patience of bewaard check", () => {
  it("does not count what the process itself was at work: a slow processor is no disk that does not answer", async () => {
    const look = async (): Promise<string> => {
      for (let slices = 0; slices < 5; slices += 1) {
        work(PATIENCE_MS / 4);
        await systemClock.sleep(1, NEVER);
      }
      return "found";
    };
    assert.equal(await inTime(systemClock, PATIENCE_MS, look, LATE, NEVER), "found");
  });

  it("ends, and has the look give up, where nothing answers", async () => {
    let gaveUp = false;
    const look = (signal: AbortSignal): Promise<string> =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          gaveUp = true;
          reject(signal.reason);
        });
      });
    assert.equal(await inTime(systemClock, PATIENCE_MS, look, LATE, NEVER), LATE);
    assert.ok(gaveUp);
  });
});

function work(ms: number): void {
  const end = systemClock.uptimeMs() + ms;
  while (systemClock.uptimeMs() < end);
}
