import assert from "node:assert/strict";
import { systemClock } from "#base/system-clock";
import { MINUTE_MS } from "#base/time";

const NEVER = new AbortController().signal;

/** Polls until `met` answers true. Fails after a minute: however busy a machine is, it has come to it by then. */
export async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  const patience = AbortSignal.timeout(MINUTE_MS);
  while (!(await met())) {
    assert.ok(!patience.aborted, "never came to be");
    await systemClock.sleep(2, NEVER);
  }
}
