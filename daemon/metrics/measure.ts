import { countStates } from "../../storage/catalog/due.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { ALARM_NAMES } from "../alarms/alarm.ts";
import { readRaised } from "../alarms/raised.ts";
import type { Metric } from "./metric.ts";

/** Everything that is measured, now. A few rows of the catalog, no sweep: whoever is on this machine may ask each second. */
export async function measure(database: Database): Promise<readonly Metric[]> {
  const raised = await readRaised(database);
  const states = await countStates(database);
  return [
    {
      name: "bewaard_alarm_raised",
      help: "Things that an alarm was raised about and that are not over.",
      labels: ["alarm"],
      samples: ALARM_NAMES.map((alarm) => ({
        labels: { alarm },
        value: raised.filter((one) => one.alarm === alarm).length,
      })),
    },
    {
      name: "bewaard_segments",
      help: "Segments of footage, by state.",
      labels: ["state"],
      samples: (["sealed", "stored", "destroying", "destroyed"] as const).map((state) => ({
        labels: { state },
        value: states[state] ?? 0,
      })),
    },
  ];
}
