import { z } from "zod";
import { instant } from "#base/time";
import { readFact, writeFact } from "../../storage/catalog/facts.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { ALARM_NAMES } from "./alarm.ts";

const raised = z.array(
  z.strictObject({
    alarm: z.enum(ALARM_NAMES),
    about: z.string(),
    at: z.int().transform(instant),
    stage: z.int(),
    toldAt: z.int().transform(instant).optional(),
  }),
);

/** What was told and has not been told to be over: kept, so that a restart tells nothing twice. */
export type RaisedAlarms = z.output<typeof raised>;

/** An alarm of a release that knew others is not in it. */
export async function readRaised(database: Database): Promise<RaisedAlarms> {
  const text = await database.transaction((sql) => readFact(sql, "alarms"));
  const kept = z.array(z.unknown()).parse(JSON.parse(text ?? "[]"));
  return kept.flatMap((one) => raised.safeParse([one]).data ?? []);
}

export function writeRaised(database: Database, alarms: RaisedAlarms): Promise<void> {
  return database.transaction((sql) => writeFact(sql, "alarms", JSON.stringify(alarms)));
}
