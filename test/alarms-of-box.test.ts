import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, MINUTE_MS, plus } from "#base/time";
import type { Alarm } from "../daemon/alarms/alarm.ts";
import { checkpointMissed } from "../daemon/alarms/checkpoint-missed.ts";
import { diskLeft } from "../daemon/alarms/disk-left.ts";
import { notRecording } from "../daemon/alarms/not-recording.ts";
import { rootSession } from "../daemon/alarms/root-session.ts";
import { watchAlarms } from "../daemon/alarms/watch-alarms.ts";
import { checkpoint } from "../daemon/checkpoint.ts";
import type { Shown } from "../daemon/record/board.ts";
import { serviceOf } from "../daemon/record/wall-camera.ts";
import { hoursLeft, openRoomLeft } from "../daemon/room-left.ts";
import { confirmTime } from "../daemon/trust.ts";
import { named, openRig, type Rig, START } from "./fakes/rig.ts";
import { turns } from "./fakes/turns.ts";

async function minutes(rig: Rig, alarm: Alarm, count: number): Promise<void> {
  const { clock, signal } = turns(rig.clock, count);
  await watchAlarms(clock, rig.events, rig.database, [alarm], signal);
}

/** What was told of alarms since the last time, with some of its fields. */
function told(rig: Rig, ...fields: readonly string[]): readonly unknown[] {
  const all = rig.lines.splice(0).map((line) => z.looseObject({}).parse(JSON.parse(line)));
  return all.map((one) => ["event", ...fields].map((field) => one[field]).join(" "));
}

function byText(one: unknown, other: unknown): number {
  return String(one) < String(other) ? -1 : 1;
}

const CAM_1 = parseDeviceId("cam-0001");
const CAM_2 = parseDeviceId("cam-0002");
const COVERT = parseDeviceId("cam-0009");

function shown(device: Shown["device"], state: Shown["state"], code: string | null = null): Shown {
  return { device, state, since: START, code, offsetMs: null };
}

describe("a camera that is not recorded", () => {
  /** `states` is what the recorder says; undefined: it does not answer. */
  function alarmOf(rig: Rig, said: { states: readonly Shown[] | undefined }): Alarm {
    const ask = async (): Promise<readonly Shown[]> => {
      if (said.states !== undefined) return said.states;
      throw new BewaardError("CONTROL_UNREACHABLE", "no recorder", { transient: true });
    };
    const period = { from: plus(START, -DAY_MS), until: plus(START, HOUR_MS) };
    const cameras = [
      { number: CAM_1, service: serviceOf(true, undefined) },
      { number: CAM_2, service: serviceOf(false, undefined) },
      { number: COVERT, service: serviceOf(false, period) },
    ];
    return notRecording(rig.events, ask, cameras, 5 * MINUTE_MS);
  }
  const WELL = [
    shown(CAM_1, "recording"),
    shown(CAM_2, "not in service"),
    shown(COVERT, "recording"),
  ];

  it("is told after some minutes whatever it does meanwhile, by its number only, and when it is recorded again", async () => {
    await using rig = await openRig();
    const said: { states: readonly Shown[] | undefined } = { states: WELL };
    const alarm = alarmOf(rig, said);
    await minutes(rig, alarm, 10);
    assert.deepEqual(told(rig), []);
    let minute = 0;
    const comesAndGoes = notRecordingNow(rig, () => {
      minute += 1;
      const states = ["connecting", "stalled", "backing off", "recording"] as const;
      return [shown(CAM_1, states[minute % 4] ?? "stalled", "CAMERA_LOST"), ...WELL.slice(1)];
    });
    await minutes(rig, comesAndGoes, 8);
    assert.deepEqual(told(rig, "device", "code").slice(0, 1), [
      "not-recording cam-0001 CAMERA_LOST",
    ]);
    await minutes(rig, alarm, 4);
    assert.deepEqual(told(rig, "device"), ["not-recording-over cam-0001"]);
  });

  function notRecordingNow(rig: Rig, states: () => readonly Shown[]): Alarm {
    const camera = { number: CAM_1, service: serviceOf(true, undefined) };
    return notRecording(rig.events, async () => states(), [camera], 5 * MINUTE_MS);
  }

  it("is told when it is recording at each look, and never was for a minute", async () => {
    await using rig = await openRig();
    const flaps = notRecordingNow(rig, () => [
      { ...shown(CAM_1, "recording"), since: plus(rig.clock.now(), -20_000) },
    ]);
    await minutes(rig, flaps, 7);
    assert.deepEqual(told(rig, "device"), ["not-recording cam-0001"]);
  });

  it("is no fault when core is stopped while it asks the recorder", async () => {
    await using rig = await openRig();
    const stop = new AbortController();
    // As a socket fails whose signal aborts: no DOMException.
    const ask = async (): Promise<readonly Shown[]> => {
      stop.abort();
      throw Object.assign(new Error("The operation was aborted"), { name: "AbortError" });
    };
    const camera = { number: CAM_1, service: serviceOf(true, undefined) };
    const alarm = notRecording(rig.events, ask, [camera], 0);
    await watchAlarms(rig.clock, rig.events, rig.database, [alarm], stop.signal);
    assert.deepEqual(told(rig), []);
  });

  it("is told once for all when the recorder does not answer, and that one is no over for a camera", async () => {
    await using rig = await openRig();
    const said: { states: readonly Shown[] | undefined } = {
      states: [shown(CAM_1, "backing off", "CAMERA_LOGIN"), ...WELL.slice(1)],
    };
    const alarm = alarmOf(rig, said);
    await minutes(rig, alarm, 7);
    assert.deepEqual(told(rig, "device"), ["not-recording cam-0001"]);
    said.states = undefined;
    await minutes(rig, alarm, 12);
    assert.deepEqual(told(rig, "device", "cameras"), ["not-recording  2"]);
    said.states = WELL;
    await minutes(rig, alarm, 5);
    assert.deepEqual(told(rig, "device").toSorted(byText), [
      "not-recording-over ",
      "not-recording-over cam-0001",
    ]);
  });

  it("is of no concern out of service, or when its covert period is over (AR-40)", async () => {
    await using rig = await openRig();
    const states = [shown(CAM_1, "recording"), shown(COVERT, "out of period")];
    rig.clock.move(2 * HOUR_MS);
    await minutes(rig, alarmOf(rig, { states }), 20);
    assert.deepEqual(told(rig), []);
  });

  it("is told too when the recorder does not know it: it was added, and the recorder not restarted", async () => {
    await using rig = await openRig();
    await minutes(rig, alarmOf(rig, { states: [shown(COVERT, "recording")] }), 7);
    assert.deepEqual(told(rig, "device"), ["not-recording cam-0001"]);
  });
});

describe("the hours that the disk has left", () => {
  const ROOM = { limitBytes: 1e9, keepFreeBytes: 0 };

  it("count what the vault does not have, at the pace of the fuller of two days", async () => {
    await using rig = await openRig();
    for (const minute of [0, 1, 2]) await rig.record("beeld".repeat(1000), named(minute));
    await rig.adoptOnce();
    rig.clock.move(DAY_MS + HOUR_MS);
    const [row] = await rig.database.transaction((sql) =>
      sql.all("select sum(ciphertext_bytes) as bytes from segment"),
    );
    const bytes = Number(row?.["bytes"]);
    const ask = openRoomLeft(rig.clock, rig.database, rig.spool, ROOM);
    const before = await ask();
    assert.deepEqual(before, { leftBytes: 1e9 - bytes, bytesPerHour: bytes / 24 });
    await rig.storeOnce();
    assert.deepEqual(await ask(), before, "not asked each minute");
    rig.clock.move(10 * MINUTE_MS);
    assert.equal((await ask()).leftBytes, 1e9);
    rig.clock.move(2 * DAY_MS);
    assert.equal(hoursLeft(await ask()), undefined);
  });

  it("are no more than the disk itself has", async () => {
    await using rig = await openRig();
    const ask = openRoomLeft(rig.clock, rig.database, rig.spool, {
      limitBytes: 1e15,
      keepFreeBytes: 9e14,
    });
    assert.ok((await ask()).leftBytes < 0);
    assert.equal(hoursLeft({ leftBytes: -1, bytesPerHour: 10 }), 0);
  });

  it("are told when they are too few, and when there are half as many again", async () => {
    await using rig = await openRig();
    const room = { leftBytes: 25e9, bytesPerHour: 1e9 };
    const alarm = diskLeft(rig.events, async () => room, 24 * HOUR_MS);
    const after = async (leftBytes: number, count: number) => {
      room.leftBytes = leftBytes;
      await minutes(rig, alarm, count);
      return told(rig, "hours");
    };
    assert.deepEqual(await after(25e9, 2), []);
    assert.deepEqual(await after(23.5e9, 2), ["disk-left 23"]);
    assert.deepEqual(await after(35e9, 20), []);
    assert.deepEqual(await after(37e9, 5), []);
    assert.deepEqual(await after(37e9, 20), ["disk-left-over "]);
    room.bytesPerHour = 0;
    assert.deepEqual(await after(1, 5), []);
  });

  it("are none on a full disk, however little comes in: nothing more is kept there", async () => {
    await using rig = await openRig();
    const room = { leftBytes: 1e9, bytesPerHour: 1e9 };
    const alarm = diskLeft(rig.events, async () => room, 24 * HOUR_MS);
    await minutes(rig, alarm, 2);
    assert.deepEqual(told(rig, "hours"), ["disk-left 1"]);
    // For two days nothing could be kept.
    Object.assign(room, { leftBytes: 0, bytesPerHour: 0 });
    await minutes(rig, alarm, 20);
    assert.deepEqual(told(rig), []);
  });
});

describe("a ledger that does not leave the box", () => {
  const signOnce = async (rig: Rig): Promise<void> => {
    const { clock, signal } = turns(rig.clock, 1);
    const { database, vault, key, askHistory } = rig;
    await checkpoint(clock, rig.events, database, vault, rig.box.node, key, askHistory, signal);
  };

  it("is told after an hour, and once it has left", async () => {
    await using rig = await openRig();
    const alarm = checkpointMissed(rig.clock, rig.events, rig.database);
    await signOnce(rig);
    await minutes(rig, alarm, 3 * 60);
    assert.deepEqual(
      told(rig).filter((event) => event !== "checkpoint"),
      [],
    );
    await rig.record("beeld");
    await rig.adoptOnce();
    told(rig);
    await minutes(rig, alarm, 60);
    assert.deepEqual(told(rig), []);
    await minutes(rig, alarm, 3);
    assert.deepEqual(told(rig), ["checkpoint-missed"]);
    await signOnce(rig);
    told(rig);
    await minutes(rig, alarm, 1);
    assert.deepEqual(told(rig), ["checkpoint-missed-over"]);
  });
});

describe("a ledger that does not leave the box while time is not trusted", () => {
  const changed = async (rig: Rig, name: string): Promise<void> => {
    await rig.record("beeld", name);
    await rig.adoptOnce();
    told(rig);
  };

  it("is measured by uptime, by which a clock that is wrong has it neither told nor over (invariant 10)", async () => {
    await using rig = await openRig();
    const alarm = checkpointMissed(rig.clock, rig.events, rig.database);
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await publishAll(rig);
    await minutes(rig, alarm, 1);
    await changed(rig, named(0));
    rig.clock.jump(DAY_MS);
    await minutes(rig, alarm, 50);
    assert.deepEqual(told(rig), []);
    rig.clock.jump(-2 * DAY_MS);
    await minutes(rig, alarm, 15);
    assert.deepEqual(told(rig), ["checkpoint-missed"]);
    rig.clock.jump(-DAY_MS);
    await minutes(rig, alarm, 5 * 60);
    await changed(rig, named(1));
    await minutes(rig, alarm, 5 * 60);
    assert.deepEqual(told(rig), []);
    await publishAll(rig);
    await minutes(rig, alarm, 2);
    assert.deepEqual(told(rig), ["checkpoint-missed-over"]);
  });

  it("that had entries before core was started is told later, or by the time once that is trusted", async () => {
    await using rig = await openRig();
    await changed(rig, named(0));
    rig.clock.jump(DAY_MS);
    const alarm = checkpointMissed(rig.clock, rig.events, rig.database);
    await minutes(rig, alarm, 60);
    assert.deepEqual(told(rig), []);
    await minutes(rig, alarm, 3);
    assert.deepEqual(told(rig), ["checkpoint-missed"]);
    // Started anew it does not know how long, and so not that it is over.
    const anew = checkpointMissed(rig.clock, rig.events, rig.database);
    await minutes(rig, anew, 10);
    assert.deepEqual(told(rig), []);
  });

  async function publishAll(rig: Rig): Promise<void> {
    await rig.database.transaction((sql) =>
      sql.run(
        `insert into checkpoint (size, at_ms, note, published_at_ms)
         select max(seq) + 1, 1, '-', 1 from entry`,
      ),
    );
  }
});

describe("a ledger that leaves the box late", () => {
  it("is told as long as something in it waits for more than half an hour", async () => {
    await using rig = await openRig();
    await confirmTime(rig.clock, rig.database, rig.clock.now(), "test");
    await rig.record("beeld");
    await rig.adoptOnce();
    const alarm = checkpointMissed(rig.clock, rig.events, rig.database);
    rig.clock.move(HOUR_MS);
    await rig.record("later beeld", named(1));
    await rig.adoptOnce();
    const [entry] = await rig.database.transaction((sql) =>
      sql.all("select max(seq) as seq from entry"),
    );
    told(rig);
    rig.clock.move(40 * MINUTE_MS);
    await minutes(rig, alarm, 2);
    // What came last is what waits now.
    await rig.database.transaction((sql) =>
      sql.run(
        "insert into checkpoint (size, at_ms, note, published_at_ms) values ($size, 1, '-', 1)",
        {
          $size: Number(entry?.["seq"]),
        },
      ),
    );
    await minutes(rig, alarm, 10);
    assert.deepEqual(told(rig), ["checkpoint-missed"]);
  });
});

describe("somebody who is logged in as root", () => {
  const session = (fields: Readonly<Record<string, string>>): string =>
    Object.entries({ UID: "0", USER: "root", CLASS: "user", REMOTE: "1", ...fields })
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");

  async function folderOf(rig: Rig, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(rig.folder, "sessions");
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return folder;
  }

  it("is told once a session, without a name, and when that has ended", async () => {
    await using rig = await openRig();
    const one = session({ REALTIME: "1790000000000001" });
    const two = session({ REALTIME: "1790000000000002", REMOTE: "0" });
    const folder = await folderOf(rig, { "1": one, "1.ref": "" });
    const alarm = rootSession(rig.events, folder);
    await minutes(rig, alarm, 3);
    assert.doesNotMatch(rig.lines.join(""), /root-session.*"USER"|"root"/);
    assert.deepEqual(told(rig, "remote"), ["root-session true"]);
    await folderOf(rig, { "1": one, c2: two });
    await minutes(rig, alarm, 3);
    assert.deepEqual(told(rig, "remote"), ["root-session false"]);
    await folderOf(rig, { c2: two });
    await minutes(rig, alarm, 3);
    assert.deepEqual(told(rig), ["root-session-over"]);
  });

  it("is another session after a restart of the machine, whose numbers begin anew", async () => {
    await using rig = await openRig();
    const folder = await folderOf(rig, { "1": session({ REALTIME: "1" }) });
    await minutes(rig, rootSession(rig.events, folder), 1);
    await folderOf(rig, { "1": session({ REALTIME: "2" }) });
    await minutes(rig, rootSession(rig.events, folder), 1);
    assert.deepEqual(told(rig).toSorted(byText), [
      "root-session",
      "root-session",
      "root-session-over",
    ]);
  });

  it("is told later, and ends nothing, where the machine cannot say who is logged in", async () => {
    await using rig = await openRig();
    const folder = await folderOf(rig, { "1": session({ REALTIME: "1" }) });
    await minutes(rig, rootSession(rig.events, join(folder, "1")), 2);
    assert.deepEqual(told(rig, "code"), ["turn-failed MACHINE_BUSY"]);
    await mkdir(join(folder, "2"));
    await minutes(rig, rootSession(rig.events, folder), 2);
    assert.deepEqual(told(rig, "code"), ["turn-failed MACHINE_BUSY"]);
    await rm(join(folder, "2"), { recursive: true });
    await minutes(rig, rootSession(rig.events, folder), 2);
    assert.deepEqual(told(rig), ["root-session"]);
  });

  it("is nobody else, no service of root's own, and nobody where there is no logind", async () => {
    await using rig = await openRig();
    const folder = await folderOf(rig, {
      "1": session({ UID: "1000" }),
      "2": session({ CLASS: "manager" }),
      "3": session({ CLASS: "background" }),
      "4": "",
      "5.ref": session({}),
    });
    await minutes(rig, rootSession(rig.events, folder), 2);
    await minutes(rig, rootSession(rig.events, join(folder, "gone")), 2);
    assert.deepEqual(told(rig), []);
  });
});
