import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { parseDeviceId, parseSegmentId } from "#base/ids";
import { instant } from "#base/time";
import { type Events, eventsOf } from "../daemon/events.ts";
import { journalEntry } from "../daemon/journal/entry.ts";
import { LEVELS, priorityOf } from "../daemon/journal/levels.ts";
import { MESSAGE_IDS } from "../daemon/journal/message-ids.ts";
import { sentence } from "../daemon/journal/sentence.ts";
import { journalFields } from "./fakes/journal-fields.ts";

interface Said {
  readonly level: string;
  readonly event: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const SEGMENT = parseSegmentId("01J00000000000000000000000");
const DEVICE = parseDeviceId("bc-0101");
const START = instant(Date.parse("2026-06-01T10:00:00.000Z"));
const MEDIUM = { kind: "usb-disk", serial: "S-1", counter: 7, startedAt: START };
const IN_SLOT = { slot: "1-2/5", docking: "d-1", device: DEVICE };

/** What events take that tell a whole thing as it is. */
const WHOLE: Readonly<Record<string, object>> = {
  swept: { objects: 9, orphans: 0, missing: 0, unheld: 0 },
  vaultDeclared: { bucket: "b", country: "NL", declaredBy: "p-01", declaredOn: "2026-06-01" },
};

/** Stands for any argument: a number with what a failure, a slot and a medium have. */
function anything(count: number, transient: boolean): object {
  const failure = { code: "CAMERA_LOST", message: "the connection ended", transient };
  return Object.assign(new Number(count), MEDIUM, IN_SLOT, failure);
}

/** What depends on a word that is none of these. */
const BY_WORD: readonly ((events: Events) => void)[] = [
  (events) => events.timeUncertain(SEGMENT, DEVICE, "overdue"),
  (events) => events.bodycamClock(DEVICE, 1, "reset"),
];

/** Each event as it is said of some things, and of others. */
function everythingSaid(): readonly Said[] {
  const said: Said[] = [];
  const events = eventsOf((level, event, text, fields) =>
    said.push({ level, event, text, fields: Object.fromEntries(Object.entries(fields)) }),
  );
  for (const one of [anything(1, true), anything(START, false)])
    for (const [name, say] of Object.entries<(...all: never) => void>(events))
      Reflect.apply(say, undefined, Array(8).fill(WHOLE[name] ?? one));
  for (const say of BY_WORD) say(events);
  return said;
}

/** What is a field of the journal itself. */
const OF_JOURNAL: Readonly<Record<string, string>> = { level: "PRIORITY", message: "MESSAGE" };

/** The names between `{` and `}`. */
function keysOf(text: string): readonly string[] {
  return [...text.matchAll(/\{([^}]*)\}/g)].map(([, key = ""]) => key);
}

/** What is in fields for machines alone: a person's word or name, or more than a line. */
const NOT_FOR_A_LINE = ["declaredBy", "incident", "name", "note", "sha256"];

describe("what people read of an event", () => {
  it("is a sentence for each event, of nothing but what the event carries", () => {
    const said = everythingSaid();
    const events = new Set(said.map(({ event }) => event));
    assert.deepEqual([...events].toSorted(), Object.keys(MESSAGE_IDS).toSorted());
    for (const { event, text, fields } of said) {
      for (const key of keysOf(text)) {
        assert.ok(key in fields, `${event} has no ${key}`);
        assert.ok(!NOT_FOR_A_LINE.includes(key), `${event} tells ${key}`);
      }
      const read = sentence(text, fields);
      assert.match(read, /^[^\s{}[\]][^{}[\]\n]{8,399}[^\s{}[\].,:]$/u, event);
      // The slot that stands for any has more in it than it should.
      for (const key of "slot" in fields ? ["device", "slot"] : ["device", "code", "why"])
        if (key in fields) assert.ok(read.includes(String(fields[key])), `${event}: ${read}`);
    }
  });

  it("leaves nothing of the event out of its fields", () => {
    const many = Array.from({ length: 500 }, () => SEGMENT);
    for (const { level, event, text, fields } of everythingSaid()) {
      const logged = { level, message: sentence(text, fields), event, ...fields, many };
      const read = journalFields(journalEntry(logged, "bewaard"));
      for (const [key, value] of Object.entries(logged)) {
        const name = key.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
        const [field] = read.get(OF_JOURNAL[key] ?? `BEWAARD_${name}`) ?? [];
        if (key === "level") assert.equal(field, String(priorityOf(level)), event);
        else if (typeof value === "string") assert.equal(field, value, `${event} ${key}`);
        else if (value === null || value === undefined) assert.equal(field, undefined, event);
        else assert.deepEqual(JSON.parse(field ?? ""), JSON.parse(JSON.stringify(value)), event);
      }
    }
  });

  it("begins with the slot and the device, ends with code and reason, and leaves out what is not known", () => {
    const text = "do not take it out[, for {hours} hours]";
    const where = { slot: "1-2/5", device: "bc-0101", why: "reading" };
    assert.equal(sentence(text, where), "slot 1-2/5, bc-0101: do not take it out: reading");
    const unknown = { ...where, device: null, why: null };
    assert.equal(sentence(text, unknown), "slot 1-2/5: do not take it out");
    const failed = { code: "CARD_READ", why: "it ended", hours: 2 };
    assert.equal(sentence(text, failed), "do not take it out, for 2 hours (CARD_READ): it ended");
    assert.equal(sentence("it is {code} here", failed), "it is CARD_READ here: it ended");
    assert.equal(sentence("{device} is gone", where), "slot 1-2/5: bc-0101 is gone: reading");
    assert.equal(sentence("{why} is gone", { why: null }), "unknown is gone");
  });

  it("has times and sizes in the unit that fits, and the first three of many", () => {
    const read = (key: string, value: unknown): string => sentence(`{${key}}`, { [key]: value });
    assert.deepEqual(
      [0, 1500, 45_000, -900_000, 7_200_000, 259_200_000].map((ms) => read("offsetMs", ms)),
      ["0 ms", "1500 ms", "45 s", "-15 min", "2 h", "3 days"],
    );
    assert.deepEqual(
      [7, 12_345, 67_890_123, 5e9].map((bytes) => read("wantedBytes", bytes)),
      ["7 bytes", "12.3 kB", "67.9 MB", "5 GB"],
    );
    assert.equal(read("size", 12_345), "12345");
    assert.equal(read("days", ["a", "b", "c"]), "a, b, c");
    assert.equal(read("days", ["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
  });

  it("is one line that steers no terminal, whatever 10,000 cameras and files are called", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 600 }),
      fc
        .array(fc.constantFrom("\n", "\x1b[2J", "\u202e", "{device}", "[", "$&", "\0"))
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(hostile, hostile, (device, why) => {
        const read = sentence("a camera is gone", { device, why });
        assert.doesNotMatch(read, /[\p{C}\p{Zl}\p{Zp}]/u);
        assert.ok(Array.from(read).length <= 400);
        assert.ok(read.includes("a camera is gone"));
      }),
      { numRuns: 10_000 },
    );
  });
});

/** The levels that docs/operations.md gives each event. */
async function levelsListed(): Promise<ReadonlyMap<string, string>> {
  const [, table = ""] = (await readFile("docs/operations.md", "utf8")).split("\n## Events");
  const rows = [...table.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) +\| ([^|]+)\|/gm)];
  const each = rows.flatMap(([, names = "", cell = ""]) => {
    const events = names.replaceAll("`", "").split(", ");
    const words = cell.match(/[a-z]+/g)?.filter((word) => Object.hasOwn(LEVELS, word)) ?? [];
    const all = words.length === events.length ? words : [[...new Set(words)].toSorted().join(" ")];
    return events.map((event, at) => [event, all[at] ?? all[0] ?? ""] as const);
  });
  return new Map(each);
}

describe("the level of an event", () => {
  it("is what docs/operations.md says of it, whatever it is said of", async () => {
    const said = new Map<string, Set<string>>();
    for (const { event, level } of everythingSaid())
      said.set(event, (said.get(event) ?? new Set()).add(level));
    const sorted = [...said].map(
      ([event, levels]) => [event, [...levels].toSorted().join(" ")] as const,
    );
    assert.deepEqual(new Map(sorted), await levelsListed());
  });
});
