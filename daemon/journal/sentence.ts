import { printableText } from "#base/printable";

/** The keys that a sentence asks for: `segment` and `sound` in `{segment} is here[ with {sound}]`. */
export type KeysOf<Text extends string> = Text extends `${string}{${infer Key}}${infer Rest}`
  ? Key | KeysOf<Rest>
  : never;

type Fields = Readonly<Record<string, unknown>>;

/** So that a line of the journal stays one that a person reads. */
const MOST_OF_SENTENCE = 400;
const MOST_OF_VALUE = 200;
const MOST_OF_LIST = 3;

/**
 * What people read of an event: `text` with a value for each `{key}`; what stands in `[…]` is left out where one of its
 * values is null. It begins with the slot and the device that the event is of, and ends with the code and the reason of what
 * failed, where `text` does not name them itself. One line, at most 400 characters, whatever cameras and files are called; all of it is in the event's own fields.
 */
export function sentence(text: string, given: object): string {
  const fields: Fields = { ...given };
  const whole =
    text +
    CODE_AND_WHY.filter(([key]) => !names(text, key))
      .map(([, clause]) => clause)
      .join("");
  const said = whole
    .replace(/\[([^\]]*)\]/g, (_, clause: string) => (isWhole(clause, fields) ? clause : ""))
    .replace(/\{(\w+)\}/g, (_, key: string) => told(key, fields[key]));
  return shortened([...whoOf(text, fields), said].join(": "), MOST_OF_SENTENCE);
}

function isWhole(clause: string, fields: Fields): boolean {
  return [...clause.matchAll(/\{(\w+)\}/g)].every(([, key = ""]) => !isNothing(fields[key]));
}

const CODE_AND_WHY = [
  ["code", "[ ({code})]"],
  ["why", "[: {why}]"],
] as const;

function names(text: string, key: string): boolean {
  return text.includes(`{${key}}`);
}

function whoOf(text: string, fields: Fields): readonly string[] {
  const named = (key: string, before: string): readonly string[] =>
    isNothing(fields[key]) || names(text, key) ? [] : [`${before}${told(key, fields[key])}`];
  const who = [...named("slot", "slot "), ...named("device", "")].join(", ");
  return who === "" ? [] : [who];
}

function told(key: string, value: unknown): string {
  if (isNothing(value)) return "unknown";
  if (typeof value === "number") return counted(key, value);
  const plain = Array.isArray(value) ? listed(value) : textOf(value);
  return shortened(printableText(plain.replace(/\s+/g, " ").trim()), MOST_OF_VALUE);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "";
}

function listed(values: readonly unknown[]): string {
  const more = values.length - MOST_OF_LIST;
  const first = values.slice(0, MOST_OF_LIST).map(textOf).join(", ");
  return more > 0 ? `${first} and ${more} more` : first;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** By the unit that its key ends with. */
function counted(key: string, value: number): string {
  if (key.endsWith("Ms")) return inUnits(value, DURATIONS);
  if (/bytes$/i.test(key)) return inUnits(value, SIZES);
  return String(value);
}

type Units = readonly (readonly [unit: string, size: number])[];
const DURATIONS: Units = [
  ["days", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const SIZES: Units = [
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
  ["bytes", 1],
];

/** In the largest unit of which there are two, to a tenth. */
function inUnits(value: number, units: Units): string {
  const [unit, size] = units.find((one) => Math.abs(value) >= 2 * one[1]) ??
    units.at(-1) ?? ["", 1];
  return `${Math.round((10 * value) / size) / 10} ${unit}`;
}

function shortened(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
