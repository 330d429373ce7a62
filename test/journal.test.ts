import assert from "node:assert/strict";
import { openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, it } from "mocha";
import { openDatagrams } from "#base/datagrams";
import { parseDeviceId, parseSegmentId } from "#base/ids";
import { openEvents } from "../daemon/events.ts";
import { isToJournal } from "../daemon/journal/connected.ts";
import { fieldName, journalEntry } from "../daemon/journal/entry.ts";
import { MESSAGE_IDS } from "../daemon/journal/message-ids.ts";
import { openJournalQueue, type Waiting } from "../daemon/journal/queue.ts";
import { nativeJournal } from "../daemon/journal.ts";
import { readDatagrams } from "./fakes/datagrams-read.ts";
import { journalFields } from "./fakes/journal-fields.ts";
import { NEVER } from "./fakes/rig.ts";
import { until } from "./fakes/until.ts";

const SEGMENT = parseSegmentId("01J00000000000000000000000");
const DEVICE = parseDeviceId("bc-0101");

describe("the journal", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bewaard-"));
    path = join(folder, "socket");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("gets 30,000 lines that come at once, each with its fields and in order", async () => {
    await using reader = await readDatagrams(path);
    {
      await using journal = nativeJournal("info", "bewaard", openDatagrams(path), NEVER, 60_000);
      const events = openEvents(journal.logger);
      for (let at = 0; at < 30_000; at += 1) events.sealed(SEGMENT, DEVICE, at);
    }
    await until(() => reader.read.length === 30_000);
    for (const [at, datagram] of reader.read.entries()) {
      const { MESSAGE: [message = ""] = [], ...fields } = Object.fromEntries(
        journalFields(datagram),
      );
      assert.deepEqual(fields, {
        PRIORITY: ["6"],
        SYSLOG_IDENTIFIER: ["bewaard"],
        MESSAGE_ID: [MESSAGE_IDS.sealed],
        BEWAARD_EVENT: ["sealed"],
        BEWAARD_RESULT: ["done"],
        BEWAARD_SEGMENT: [SEGMENT],
        BEWAARD_DEVICE: [DEVICE],
        BEWAARD_BYTES: [String(at)],
      });
      assert.ok(message.startsWith(`bc-0101: footage sealed as ${SEGMENT}, `), message);
    }
  });

  it("lets nobody wait who logs while it does not read, and nobody for ever who ends", async () => {
    await using reader = await readDatagrams(path);
    reader.signal("SIGSTOP");
    const journal = nativeJournal("info", "bewaard", openDatagrams(path), NEVER, 100);
    const events = openEvents(journal.logger);
    for (let at = 0; at < 3000; at += 1) events.sealed(SEGMENT, DEVICE, at);
    await journal[Symbol.asyncDispose]();
    assert.equal(reader.read.length, 0);
  });

  it("has on standard error what is said while the process stops, for journald knows whose that is when the process is gone", async () => {
    await using reader = await readDatagrams(path);
    const stop = new AbortController();
    const real = Object.getOwnPropertyDescriptor(process.stderr, "write");
    const said: string[] = [];
    process.stderr.write = (line: string) => said.push(line) > 0;
    try {
      await using journal = nativeJournal("info", "bewaard", openDatagrams(path), stop.signal);
      const events = openEvents(journal.logger);
      events.started("dock-1", ["core"]);
      await until(() => reader.read.length === 1);
      stop.abort();
      events.stopped("dock-1");
      await until(() => said.length === 1);
    } finally {
      if (real) Object.defineProperty(process.stderr, "write", real);
      else Reflect.deleteProperty(process.stderr, "write");
    }
    assert.match(said[0] ?? "", /^<5>bewaard has stopped on dock-1 \{.*"event":"stopped"/);
    assert.equal(reader.read.length, 1);
  });

  it("keeps what somebody must act on when it does not read for long, and says how many lines it let go", async () => {
    await using reader = await readDatagrams(path);
    reader.signal("SIGSTOP");
    using datagrams = openDatagrams(path);
    const told: number[] = [];
    const line = (text: string, isMinor: boolean): Waiting => ({
      entry: journalEntry({ level: "info", message: text, event: "sealed", text }, "bewaard"),
      line: text,
      isMinor,
    });
    const queue = openJournalQueue(datagrams, assert.fail, (lines) => told.push(lines), 200_000);
    for (let at = 0; at < 10_000; at += 1) queue.add(line(`${at}`, at % 100 !== 0));
    reader.signal("SIGCONT");
    await queue.drained();
    const [lost = 0, ...more] = told;
    assert.deepEqual(more, []);
    await until(() => reader.read.length === 10_000 - lost);
    const arrived = reader.read.map((one) => Number(journalFields(one).get("BEWAARD_TEXT")?.[0]));
    assert.deepEqual(
      arrived,
      arrived.toSorted((a, b) => a - b),
    );
    assert.equal(arrived.filter((at) => at % 100 === 0).length, 100);
    assert.ok(lost > 8000, `only ${lost} were let go`);
  });

  it("lets the oldest go where all that waits matters, and never keeps more than it may", async () => {
    await using reader = await readDatagrams(path);
    reader.signal("SIGSTOP");
    using datagrams = openDatagrams(path);
    const told: number[] = [];
    const queue = openJournalQueue(datagrams, assert.fail, (lines) => told.push(lines), 50_000);
    for (let at = 0; at < 3000; at += 1)
      queue.add({ entry: Buffer.alloc(100), line: "", isMinor: false });
    reader.signal("SIGCONT");
    await queue.drained();
    const [lost = 0] = told;
    await until(() => reader.read.length === 3000 - lost);
    assert.ok(reader.read.length <= 600, `${reader.read.length} were kept`);
  });

  it("has what its socket refuses said on standard error instead", async () => {
    using datagrams = openDatagrams(path);
    const said: string[] = [];
    const queue = openJournalQueue(
      datagrams,
      (line) => said.push(line),
      () => undefined,
    );
    queue.add({ entry: Buffer.from("X=1\n"), line: "<6>{}", isMinor: true });
    await queue.drained();
    assert.deepEqual(said, ["<6>{}"]);
  });

  it("is spoken to only where standard error is connected to it", async () => {
    const file = join(folder, "stderr");
    const descriptor = openSync(file, "w");
    const { dev, ino } = await stat(file, { bigint: true });
    assert.equal(isToJournal(`${dev}:${ino}`, descriptor, file), true);
    assert.equal(isToJournal(`${dev}:${ino + 1n}`, descriptor, file), false);
    assert.equal(isToJournal(`${dev}:${ino}`, descriptor, path), false);
    assert.equal(isToJournal(undefined, descriptor, file), false);
    assert.equal(isToJournal("1:2; x", descriptor, file), false);
  });
});

describe("an entry of the journal", () => {
  it("has no field that a value brought in, whatever 10,000 cameras and files are called", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc
        .array(
          fc.constantFrom(
            "\n",
            "=",
            "MESSAGE=x\n",
            "\nPRIORITY=0\n",
            "\0",
            "\ud800",
            "é",
            "_UID=0\n",
          ),
          { maxLength: 12 },
        )
        .map((parts) => parts.join("")),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, device, why) => {
        const message = `${device}: ${why}`;
        const logged = { level: "alert", message, event: "file-left", name, device, why };
        const fields = journalFields(journalEntry(logged, "bewaard"));
        assert.deepEqual(Object.fromEntries(fields), {
          PRIORITY: ["1"],
          SYSLOG_IDENTIFIER: ["bewaard"],
          MESSAGE_ID: [MESSAGE_IDS["file-left"]],
          MESSAGE: [message.toWellFormed()],
          BEWAARD_EVENT: ["file-left"],
          BEWAARD_RESULT: ["failed"],
          BEWAARD_NAME: [name.toWellFormed()],
          BEWAARD_DEVICE: [device.toWellFormed()],
          BEWAARD_WHY: [why.toWellFormed()],
        });
      }),
      { numRuns: 10_000 },
    );
  });

  it("says in one word what came of it: failed with the code of an error or at its levels, and else done", () => {
    const said = [
      [{ level: "notice", event: "stored" }, "done"],
      [{ level: "warning", event: "undocked-early" }, "done"],
      [{ level: "warning", event: "file-left", code: "CARD_READ" }, "failed"],
      [{ level: "error", event: "slot-failed" }, "failed"],
      [{ level: "alert", event: "breach" }, "failed"],
      [{ level: "info", message: "is no event" }, undefined],
    ] as const;
    for (const [logged, result] of said) {
      const fields = journalFields(journalEntry(logged, "bewaard"));
      assert.equal(fields.get("BEWAARD_RESULT")?.[0], result, JSON.stringify(logged));
    }
  });

  it("calls its fields as journald wants, whatever they are called here", () => {
    assert.equal(fieldName("timeTrust"), "BEWAARD_TIME_TRUST");
    assert.equal(fieldName("a b=c\nMESSAGE"), "BEWAARD_A_B_C_MESSAGE");
    assert.equal(fieldName("x".repeat(100)).length, 64);
  });

  it("is never larger than journald takes at once, and says what was cut", () => {
    const long = "é".repeat(100_000);
    const logged = { level: "info", message: long, event: "sealed", a: long, b: { long }, c: null };
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}`, long]));
    for (const one of [logged, { ...logged, ...many }]) {
      const entry = journalEntry(one, "bewaard");
      assert.ok(entry.length <= 32 * 1024);
      const fields = journalFields(entry);
      assert.match(fields.get("BEWAARD_A")?.[0] ?? "", /^é{12288}… \[cut, was 200000 bytes\]$/);
      assert.match(fields.get("MESSAGE")?.[0] ?? "", /… \[cut, was \d+ bytes\]$/);
      assert.equal(fields.has("BEWAARD_C"), false);
    }
  });
});

describe("the journal's identities of events", () => {
  it("are random, each its own, and only of events that there are", async () => {
    const ids = Object.values(MESSAGE_IDS);
    for (const id of ids) assert.match(id, /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    assert.equal(new Set(ids).size, ids.length);
    const files = (await readdir("daemon")).filter((name) => /^events.*\.ts$/.test(name));
    const sources = await Promise.all(files.map((name) => readFile(join("daemon", name), "utf8")));
    for (const event of Object.keys(MESSAGE_IDS))
      assert.ok(
        sources.some((source) => source.includes(`"${event}"`)),
        `${event} is never said`,
      );
  });
});
