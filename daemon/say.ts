import type { BewaardError } from "#base/errors";
import type { Level } from "./journal/levels.ts";
import type { EventName } from "./journal/message-ids.ts";

/** Writes one event to the journal. Fields never carry a person, a secret or a signed URL. */
export type Say = (level: Level, event: EventName, message: string, fields: object) => void;

/** What an event tells of a failure. */
export function failed(error: BewaardError): object {
  return { code: error.code, why: error.message };
}
