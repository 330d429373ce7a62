import type { Alarm } from "../../daemon/alarms/alarm.ts";
import { watchAlarms } from "../../daemon/alarms/watch-alarms.ts";
import type { Rig } from "./rig.ts";
import { turns } from "./turns.ts";

/** Core's looks for alarms, so many minutes long. */
export async function lookForAlarms(
  rig: Pick<Rig, "clock" | "events" | "database">,
  alarms: readonly Alarm[],
  minutes = 1,
): Promise<void> {
  const { clock, signal } = turns(rig.clock, minutes);
  await watchAlarms(clock, rig.events, rig.database, alarms, signal);
}
