import type { BewaardError, ErrorCode } from "#base/errors";
import type { Level } from "./journal/levels.ts";
import type { EventName } from "./journal/message-ids.ts";
import type { KeysOf } from "./journal/sentence.ts";

/**
 * Writes one event to the journal. `text` is what people read of it (`sentence`): it may name what is in `fields`, and
 * nothing else. Fields never carry a person, a secret or a signed URL.
 */
export type Say = <const Text extends string, Fields extends object>(
  level: Level,
  event: EventName,
  text: KeysOf<Text> extends keyof Fields ? Text : never,
  fields: Fields,
) => void;

/** What an event tells of a failure. */
export function failed(error: BewaardError): { readonly code: ErrorCode; readonly why: string } {
  return { code: error.code, why: error.message };
}
