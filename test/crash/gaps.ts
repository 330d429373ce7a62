import { existsSync } from "node:fs";
import { join } from "node:path";
import { createLogger } from "winston";
import { parseDeviceId, parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { plus, SECOND_MS } from "#base/time";
import { openEvents } from "../../daemon/events.ts";
import { gapTeller } from "../../daemon/record/gap-teller.ts";
import { openHistory } from "../../daemon/record/history.ts";

// A recorder that tells of one gap of a camera, for a crash test to kill anywhere. Started again it finds its
// marks, and tells what it had not.

const folder = process.argv[2] ?? "";
const incoming = process.argv[3] ?? "";
const camera = parseDeviceId("cam-0001");
const events = openEvents(createLogger({ silent: true }));
const tell = gapTeller(systemClock, parseNodeId("dock-1"), incoming);
const path = join(folder, "marks.json");
const history = await openHistory(systemClock, events, path, [camera], tell);
const ours = history.of(camera);
if (!existsSync(path)) {
  const now = systemClock.now();
  const record = (from: number, until: number): void => {
    const [began, ended] = [plus(now, from * SECOND_MS), plus(now, until * SECOND_MS)];
    const segment = ours.segment(() => undefined);
    segment.written(began, ended, ended);
    segment.end();
  };
  ours.begin();
  record(-60, -50);
  ours.break("camera-lost");
  record(-40, -39);
}
await history.settle();
await history.settle();
process.stdout.write("told");
