import type { Config } from "../../config/schema.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import type { Alarm } from "./alarm.ts";
import { uploadLate } from "./upload-late.ts";

/** All alarms of a box, each with what it looks at. */
export function alarmsOf(
  events: Events,
  database: Database,
  { alarms }: Pick<Config, "alarms">,
): readonly Alarm[] {
  return [uploadLate(events, database, alarms.upload_after)];
}
