import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { stringify } from "yaml";
import { z } from "zod";
import { systemClock } from "#base/system-clock";
import { assertAlways } from "./campaign.ts";
import { GOOD_ANNEX, GOOD_BOX, saidOf, writtenIn } from "./configuration.ts";
import { temporaryFolder } from "./folder.ts";

// Valid files, broken in one to six places: in their bytes, or in what stands in them.

type Json = z.core.util.JSONType;
type Edit = (text: Buffer) => Buffer;

/** What people and machines put where it does not belong. */
const PIECES = [
  "\t",
  "\0",
  "\r",
  "\r\n",
  "\uFEFF",
  "\u2028",
  "&a ",
  "*a",
  "<<: *a",
  "!!binary ",
  "!x ",
  "[",
  "{",
  "]",
  "}",
  "---\n",
  "...\n",
  "%YAML 1.1\n",
  "? ",
  "- ",
  ": ",
  "# ",
  "|\n",
  ">\n",
  '"',
  "'",
  "\\",
  "~",
  "null",
  "1e999",
  "-0",
  "0x1F",
  ".nan",
  "2026-02-30",
  "28 dagen",
  "999999999 TB",
  "__proto__: ",
  "constructor: ",
  "  ",
  "\n\n",
];

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })).map(
    ([at, byte]): Edit =>
      (text) => {
        const copy = Buffer.from(text);
        if (copy.length > 0) copy[Math.floor(at * (copy.length - 1))] = byte;
        return copy;
      },
  ),
  fc
    .tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(...PIECES),
      fc.integer({ min: 1, max: 40 }),
    )
    .map(
      ([at, piece, times]): Edit =>
        (text) =>
          spliced(text, at, 0, Buffer.from(piece.repeat(times))),
    ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 200 })).map(
    ([at, length]): Edit =>
      (text) =>
        spliced(text, at, length, Buffer.alloc(0)),
  ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 200 })).map(
    ([at, length]): Edit =>
      (text) => {
        const from = Math.floor(at * text.length);
        return spliced(text, at, 0, text.subarray(from, from + length));
      },
  ),
);

function spliced(text: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  const from = Math.floor(at * text.length);
  return Buffer.concat([text.subarray(0, from), insert, text.subarray(from + remove)]);
}

/** Puts, drops or renames something somewhere in a value. */
function changed(
  value: Json,
  path: readonly number[],
  put: Json,
  how: "put" | "drop" | "rename",
): Json {
  const [step, ...rest] = path;
  if (typeof value !== "object" || value === null || step === undefined)
    return how === "put" ? put : value;
  const entries = Object.entries(value);
  if (entries.length === 0) return put;
  const at = step % entries.length;
  const next = entries.flatMap(([key, one], index): [string, Json][] => {
    if (index !== at) return [[key, one]];
    if (rest.length > 0) return [[key, changed(one, rest, put, how)]];
    if (how === "drop") return [];
    return how === "rename" ? [[`${key.slice(1)}${key.slice(0, 1)}`, one]] : [[key, put]];
  });
  return Array.isArray(value) ? next.map(([, one]) => one) : Object.fromEntries(next);
}

const json = z.json();
const ANNEX = json.parse(GOOD_ANNEX);

function structural(value: Json): fc.Arbitrary<Json> {
  const step = fc.tuple(
    fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
    fc.jsonValue({ maxDepth: 3 }).map((one) => json.parse(one)),
    fc.constantFrom("put", "drop", "rename"),
  );
  return fc
    .array(step, { minLength: 0, maxLength: 3 })
    .map((steps) =>
      steps.reduce<Json>((here, [path, put, how]) => changed(here, path, put, how), value),
    );
}

const edits = fc.array(edit, { maxLength: 3 });
const mutilated = (value: Json): fc.Arbitrary<Buffer> =>
  fc
    .tuple(structural(value), edits)
    .map(([changedValue, all]) =>
      all.reduce<Buffer>((text, one) => one(text), Buffer.from(stringify(changedValue))),
    );

/** Slower than this is a hang: parsing takes milliseconds. */
const HANG_MS = 10_000;

/**
 * Reads `runs` mutilated configurations, of a box with its annex and its own policy: each is taken, or
 * refused with a code, and line and column; none crashes, hangs, or writes to a terminal what it should not.
 */
export async function assertEveryFuzzedOneHasACode(runs: number): Promise<number> {
  await using folder = await temporaryFolder();
  const box = { ...GOOD_BOX, annex: join(folder.path, "annex.yaml") };
  let refused = 0;
  await assertAlways(
    fc.asyncProperty(
      mutilated(json.parse(box)),
      fc.option(mutilated(ANNEX), { nil: undefined }),
      async (first, second) => {
        await writeFile(join(folder.path, "annex.yaml"), second ?? stringify(GOOD_ANNEX));
        const started = systemClock.uptimeMs();
        const said = await saidOf(await writtenIn(folder.path, first));
        assert.ok(systemClock.uptimeMs() - started < HANG_MS);
        if (said === "") return;
        refused += 1;
        assert.match(said, /^(?:CONFIG_INVALID|CONFIG_MISSING|POLICY_WIDENED) /);
        assert.match(said, /\.yaml:\d+:\d+: /);
        assert.doesNotMatch(said.replaceAll("\n", ""), /\p{Cc}/u);
      },
    ),
    runs,
  );
  assert.ok(refused > runs / 4 && refused < runs, `${refused} of ${runs} refused`);
  return runs;
}
