import * as fc from "fast-check";

/** How a text may be damaged, byte by byte, or by somebody who knows what JSON is. */
export type Mangle = (text: string) => Buffer;

const bytewise: fc.Arbitrary<Mangle> = fc
  .array(
    fc.record({
      what: fc.constantFrom("flip", "remove", "insert", "cut", "double"),
      at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
      length: fc.integer({ min: 1, max: 64 }),
      byte: fc.integer({ min: 1, max: 255 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((edits) => (text: string) => {
    let bytes = Buffer.from(text);
    for (const { what, at, length, byte } of edits) {
      const from = Math.floor(at * bytes.length);
      const [before, after] = [bytes.subarray(0, from), bytes.subarray(from)];
      if (what === "flip") bytes[from] = (bytes[from] ?? 0) ^ byte;
      else if (what === "remove") bytes = Buffer.concat([before, after.subarray(length)]);
      else if (what === "insert")
        bytes = Buffer.concat([before, Buffer.alloc(length, byte), after]);
      else if (what === "cut") bytes = Buffer.from(before);
      else bytes = Buffer.concat([before, after.subarray(0, length), after]);
    }
    return bytes;
  });

const VALUES = [
  "null",
  "true",
  '""',
  "[]",
  "{}",
  "-1",
  "0.5",
  "1e400",
  "9007199254740993",
  "99999999999999999999999999",
  '"\\ud800"',
  '"\\u0000"',
  '"\\u001b[31m"',
  '"../../../etc/passwd"',
  '"9999-12-31T23:59:59.999Z"',
  '"2026-02-30T00:00:00.000Z"',
  `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
  `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
];

/** Puts another value in the place of one field's, wherever it is. */
const otherValue: fc.Arbitrary<Mangle> = fc
  .tuple(fc.nat(), fc.constantFrom(...VALUES))
  .map(([nth, value]) => (text: string) => {
    const fields = [...text.matchAll(/"(\w+)":("(?:[^"\\]|\\.)*"|[\d.]+|null|true|false)/g)];
    const field = fields[nth % fields.length];
    const [all = "", name = ""] = field ?? [];
    const at = field?.index ?? 0;
    return Buffer.from(`${text.slice(0, at)}"${name}":${value}${text.slice(at + all.length)}`);
  });

/** Adds a field nobody asked for, or one that is there already. */
const anotherField: fc.Arbitrary<Mangle> = fc
  .tuple(
    fc.constantFrom("__proto__", "constructor", "id", "kind", "node", "number", "also"),
    fc.constantFrom(...VALUES),
  )
  .map(
    ([name, value]) =>
      (text: string) =>
        Buffer.from(text.replace("{", `{"${name}":${value},`)),
  );

const tooLong: fc.Arbitrary<Mangle> = fc
  .integer({ min: 2 * 1024 * 1024, max: 3 * 1024 * 1024 })
  .map((length) => (text: string) => Buffer.from(`${text.trimEnd()}${" ".repeat(length)}`));

export const mangle: fc.Arbitrary<Mangle> = fc.oneof(
  { weight: 10, arbitrary: bytewise },
  { weight: 10, arbitrary: otherValue },
  { weight: 5, arbitrary: anotherField },
  { weight: 1, arbitrary: tooLong },
);
