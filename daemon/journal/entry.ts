import { LEVELS, priorityOf } from "./levels.ts";
import { messageIdOf } from "./message-ids.ts";

// An entry of the journal in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).

/** What was logged: `level`, `message`, `event`, and what the event tells. */
export type Logged = Readonly<Record<string, unknown>>;

/** More than this journald would want in a file of its own; nothing here has as much to say. */
const MOST_BYTES = 32 * 1024;
const MOST_OF_MESSAGE = 4 * 1024;
const MOST_OF_FIELD = 24 * 1024;
/** What a name, its length, and the word that something was cut take at most. */
const FRAME_BYTES = 160;

/**
 * One datagram for journald, at most 32 KiB. Its message is the sentence for people; all else of `logged` becomes
 * fields `BEWAARD_…`, one for each: text as it is, what is no text as JSON, and null as no field. What is too long is
 * cut, and says so.
 */
export function journalEntry(logged: Logged, identifier: string): Buffer {
  const { level, message, event, ...fields } = logged;
  const id = messageIdOf(event);
  const parts = [
    field("PRIORITY", String(priorityOf(String(level))), MOST_OF_FIELD),
    field("SYSLOG_IDENTIFIER", identifier, MOST_OF_FIELD),
    ...(id === undefined ? [] : [field("MESSAGE_ID", id, MOST_OF_FIELD)]),
    field("MESSAGE", textOf(message), MOST_OF_MESSAGE),
  ];
  let room = MOST_BYTES - Buffer.concat(parts).length;
  for (const [name, value] of Object.entries({ event, result: resultOf(logged), ...fields })) {
    if (value === undefined || value === null) continue;
    if (room < FRAME_BYTES) break;
    const most = Math.min(MOST_OF_FIELD, room - FRAME_BYTES);
    const part = field(fieldName(name), textOf(value), most);
    parts.push(part);
    room -= part.length;
  }
  return Buffer.concat(parts);
}

/**
 * What came of it, in the words of the journal's own `JOB_RESULT`: `failed` for what carries the code of an error or is
 * filed as one, `done` for the rest. Of what is no event, undefined. Derived, so that it cannot say otherwise than the event does.
 */
function resultOf({ level, event, code }: Logged): "done" | "failed" | undefined {
  if (event === undefined) return undefined;
  const isFailure = code !== undefined || priorityOf(String(level)) <= LEVELS.error;
  return isFailure ? "failed" : "done";
}

/** `segmentsLeft` as `BEWAARD_SEGMENTS_LEFT`. Only what journald takes: others would cost the whole entry. */
export function fieldName(name: string): string {
  const snake = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase();
  return `BEWAARD_${snake.replace(/[^A-Z0-9_]/g, "_")}`.slice(0, 64);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/**
 * A field in the form that says how long its value is, whatever is in that: so nothing that a camera or a name of
 * a file has in it can be taken for the end of the value, or for a field.
 */
function field(name: string, text: string, mostBytes: number): Buffer {
  const value = cut(Buffer.from(text), mostBytes);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from("\n")]);
}

/** At most about `mostBytes`, no character in half; what is cut says how long it was. */
function cut(value: Buffer, mostBytes: number): Buffer {
  if (value.length <= mostBytes) return value;
  const whole = new TextDecoder().decode(value.subarray(0, mostBytes), { stream: true });
  return Buffer.from(`${whole}… [cut, was ${value.length} bytes]`);
}
