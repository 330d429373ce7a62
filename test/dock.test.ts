import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, it } from "mocha";
import { DAY_MS, dayOf, instant, plus, SECOND_MS } from "#base/time";
import type { Ask } from "../daemon/control/client.ts";
import { READ } from "../daemon/control/protocol.ts";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { dock } from "../daemon/dock.ts";
import { openFair } from "../daemon/docks/fair.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { openPatience } from "../daemon/patience.ts";
import { keepBook } from "../daemon/recipients.ts";
import { listCard } from "../drivers/bodycam/card.ts";
import { sorter } from "../drivers/bodycam/profile.ts";
import { findSegments, knownFiles } from "../storage/catalog/find.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import {
  CAMERA,
  capturedEvents,
  dockOf,
  handClock,
  openRig,
  type Rig,
  START,
} from "./fakes/rig.ts";
import { NO_SLOTS } from "./fakes/slots.ts";
import { NONE_PAIRED } from "./fakes/well.ts";

/** Answers what core would, from the rig's catalog. */
function answering(rig: Rig, room = true): Ask {
  return async (method, params) => {
    if (method === "room") return READ[method]({ granted: room });
    if (method !== "known" || !("files" in params)) return READ[method](NONE_PAIRED);
    const files = params.files.map(({ path, bytes, modifiedAtMs }) => ({
      path: Buffer.from(path, "base64"),
      bytes,
      modifiedAt: instant(modifiedAtMs),
    }));
    return READ[method]({ known: await knownFiles(rig.database, CAMERA, files) });
  };
}

/** Lets the dock look at its card `looks` times. */
async function watch(rig: Rig, looks: number, ask = answering(rig)): Promise<void> {
  const clock = simulatedClock(rig.clock.now());
  const stop = new AbortController();
  const docks = [dockOf(CAMERA, join(rig.folder, "card"))];
  const running = dock(
    clock,
    rig.events,
    unattended(clock),
    ask,
    rig.sealing,
    openFair(2),
    docks,
    NO_SLOTS,
    stop.signal,
  );
  // The dock itself and its daily look at the recipients.
  await clock.asleep(2, stop.signal);
  for (let look = 0; look < looks; look += 1) {
    for (let part = 0; part < 16; part += 1) await clock.pass(2 * SECOND_MS, stop.signal);
  }
  stop.abort();
  await running;
}

async function write(rig: Rig, name: string | Buffer, content: string): Promise<void> {
  const path = Buffer.concat([
    Buffer.from(join(rig.folder, "card")),
    Buffer.from("/"),
    Buffer.from(name),
  ]);
  await mkdir(path.subarray(0, path.lastIndexOf("/")), { recursive: true });
  await writeFile(path, content);
}

async function manifests(rig: Rig): Promise<readonly string[]> {
  return (await readdir(rig.sealing.incoming)).filter((name) => name.endsWith(".json"));
}

async function paths(rig: Rig): Promise<readonly string[]> {
  const all = await findSegments(rig.database, {
    device: CAMERA,
    from: instant(0),
    to: instant(9e12),
  });
  return all.map(({ sourcePath }) => Buffer.from(sourcePath ?? []).toString("latin1")).toSorted();
}

describe("a docked card", () => {
  it("is taken whole: recordings, odd files, names that are no text", async () => {
    await using rig = await openRig();
    const odd = Buffer.concat([
      Buffer.from("DCIM/100MEDIA/B"),
      Buffer.from([0xf6, 0x0a]),
      Buffer.from("%s -y.MP4"),
    ]);
    await write(rig, "DCIM/100MEDIA/20260601_113000.MP4", "een");
    await write(rig, "LOG/device.txt", "twee");
    await write(rig, "-rf", "drie");
    await write(rig, odd, "vier");
    await watch(rig, 2);
    await rig.adoptOnce();
    assert.deepEqual(
      await paths(rig),
      [
        "-rf",
        odd.toString("latin1"),
        "DCIM/100MEDIA/20260601_113000.MP4",
        "LOG/device.txt",
      ].toSorted(),
    );
  });

  it("leaves what the profile ignores, links, FIFOs and folders", async () => {
    await using rig = await openRig();
    await write(rig, "DCIM/x.tmp", "half");
    await symlink("/etc/passwd", join(rig.folder, "card", "DCIM", "passwd.MP4"));
    await symlink("..", join(rig.folder, "card", "DCIM", "loop"));
    execFileSync("mkfifo", [join(rig.folder, "card", "DCIM", "fifo.MP4")]);
    await watch(rig, 2);
    assert.deepEqual(await manifests(rig), []);
  });

  it("is taken once, also when the dock is started again", async () => {
    await using rig = await openRig();
    await write(rig, "DCIM/100MEDIA/20260601_113000.MP4", "een");
    await watch(rig, 3);
    assert.equal((await manifests(rig)).length, 1);
    await rig.adoptOnce();
    await watch(rig, 2);
    assert.deepEqual(await manifests(rig), []);
  });

  it("is taken again where a file changed under its name: both are kept", async () => {
    await using rig = await openRig();
    await write(rig, "DCIM/100MEDIA/20260601_113000.MP4", "een");
    await watch(rig, 2);
    await rig.adoptOnce();
    await write(rig, "DCIM/100MEDIA/20260601_113000.MP4", "overschreven");
    await watch(rig, 2);
    await rig.adoptOnce();
    assert.equal((await paths(rig)).length, 2);
  });

  it("waits while there is no room, says so once, and loses nothing", async () => {
    await using rig = await openRig();
    await write(rig, "DCIM/100MEDIA/20260601_113000.MP4", "een");
    await watch(rig, 3, answering(rig, false));
    assert.deepEqual(await manifests(rig), []);
    assert.equal(rig.said.filter((event) => event === "file-left").length, 1);
    await watch(rig, 1);
    assert.equal((await manifests(rig)).length, 1);
  });

  it("that cannot be read stays as it is, is reported, and the rest is taken", async () => {
    await using rig = await openRig();
    await write(rig, "DCIM/100MEDIA/20260601_113000.MP4", "een");
    await write(rig, "DCIM/100MEDIA/20260601_114000.MP4", "twee");
    const pool = rig.sealing.pool;
    const unreadable = {
      ...rig.sealing,
      pool: {
        ...pool,
        seal: (
          source: Uint8Array,
          target: string,
          recipients: readonly string[],
          signal: AbortSignal,
        ) =>
          Buffer.from(source).includes("113000")
            ? pool.seal(Buffer.from("/proc/self/mem"), target, recipients, signal)
            : pool.seal(source, target, recipients, signal),
      },
    };
    await watch({ ...rig, sealing: unreadable }, 2);
    // The one that was sealed, and that the other one was left.
    assert.equal((await manifests(rig)).length, 2);
    assert.equal(rig.said.filter((event) => event === "file-left").length, 1);
  });

  it("that is not docked is no fault", async () => {
    await using rig = await openRig();
    await rm(join(rig.folder, "card"), { recursive: true });
    await watch(rig, 2);
    assert.deepEqual(rig.said, []);
  });
});

describe("patience with a full spool", () => {
  it("ends for a file that was refused for more than a day of uptime, and begins anew once it was granted", () => {
    const clock = handClock(START);
    const patience = openPatience(clock, DAY_MS);
    assert.equal(patience.atEnd("a"), false);
    patience.answered("a", false);
    clock.jump(30 * DAY_MS);
    assert.equal(patience.atEnd("a"), false);
    clock.move(DAY_MS + 1);
    assert.equal(patience.atEnd("a"), true);
    assert.equal(patience.atEnd("b"), false);
    patience.answered("a", true);
    patience.answered("a", false);
    assert.equal(patience.atEnd("a"), false);
  });
});

describe("the dock at its start", () => {
  it("clears what a crash left half done, and leaves whole facts alone", async () => {
    await using rig = await openRig();
    await rig.record("beeld");
    const whole = await readdir(rig.sealing.incoming);
    await writeFile(join(rig.sealing.incoming, "01J00000000000000000000001.age.partial"), "half");
    await writeFile(join(rig.sealing.incoming, "01J00000000000000000000002.age"), "no manifest");
    await writeFile(join(rig.sealing.incoming, "01J00000000000000000000003.json.partial"), "{");
    await rm(join(rig.folder, "card"), { recursive: true });
    await watch(rig, 1);
    assert.deepEqual((await readdir(rig.sealing.incoming)).toSorted(), whole.toSorted());
  });
});

describe("the dock's book of day identities", () => {
  /** The alarms of a start with identities for these days, counted from today. */
  async function alarms(days: readonly number[]): Promise<readonly string[]> {
    await using rig = await openRig();
    const [{ recipient } = { recipient: "" }] = rig.sealing.book;
    const book = days.map((day) => ({ day: dayOf(plus(START, day * DAY_MS)), recipient }));
    await watch({ ...rig, sealing: { ...rig.sealing, book } }, 1);
    return rig.said.filter((event) => event.startsWith("recipients"));
  }
  const until = (last: number): number[] => Array.from({ length: last + 1 }, (_, day) => day);

  it("is an alarm from 30 days before its end, and not before", async () => {
    assert.deepEqual(await alarms(until(31)), []);
    assert.deepEqual(await alarms(until(30)), ["recipients-run-out"]);
    assert.deepEqual(await alarms([-1]), ["recipients-run-out"]);
  });

  it("is a warning where it skips days in the middle; footage of those is sealed all the same", async () => {
    assert.deepEqual(await alarms(until(60).filter((day) => day !== 12)), ["recipients-skip"]);
    assert.deepEqual(await alarms(until(60).filter((day) => day !== 45)), []);
    assert.deepEqual(await alarms([0, 40]), ["recipients-skip"]);
  });

  it("is read again when its file has changed, and stays while that cannot be read", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "recipients.txt");
    const recipient = await identityToRecipient(await generateX25519Identity());
    const said: string[] = [];
    const sealing = { book: [{ day: "2026-06-01", recipient }] };
    const clock = handClock(START);
    const texts = [
      `2026-06-02 ${recipient}\n`,
      `2026-06-02 ${recipient}\n`,
      `2026-06-02 ${recipient}\n2027-06-02 ${recipient}\n`,
      "2027-06-02 age1half",
      `2028-06-02 ${recipient}\n`,
    ];
    const lasts: (string | undefined)[] = [];
    const stop = new AbortController();
    await writeFile(path, texts[0] ?? "");
    const sleep = async () => {
      lasts.push(sealing.book.at(-1)?.day);
      const text = texts[lasts.length];
      if (text === undefined) stop.abort();
      else await writeFile(path, text);
    };
    await keepBook({ ...clock, sleep }, capturedEvents(said), path, sealing, stop.signal);
    assert.deepEqual(lasts, ["2026-06-02", "2026-06-02", "2027-06-02", "2027-06-02", "2028-06-02"]);
    assert.deepEqual(said, ["recipients-unread"]);
  });
});

describe("a manifest", () => {
  it("is final: these fields, in this form", async () => {
    await using rig = await openRig();
    const id = await rig.record("beeld");
    const text = await readFile(join(rig.sealing.incoming, `${id}.json`), "utf8");
    const parsed: unknown = JSON.parse(text);
    assert.ok(typeof parsed === "object" && parsed !== null);
    assert.deepEqual(Object.keys(parsed), [
      "arrivedAt",
      "arrivedUptime",
      "bewaard",
      "ciphertext",
      "device",
      "file",
      "id",
      "kind",
      "node",
      "plaintext",
      "producer",
      "recording",
      "rewritten",
      "sealedFor",
      "truncated",
    ]);
    assert.match(text, /"startedAt":"2026-06-01T10:00:00.000Z"/);
  });
});

describe("listing a card", () => {
  it("gives names as bytes, in order, and ends where a camera would", async () => {
    await using rig = await openRig();
    for (const name of ["b", "a/c", "a/b"]) await write(rig, name, name);
    const files = await listCard(join(rig.folder, "card"));
    assert.deepEqual(
      files?.files.map(({ path }) => path.toString()),
      ["a/b", "a/c", "b"],
    );
    assert.equal(await listCard(join(rig.folder, "nowhere")), undefined);
    await write(rig, `${"d/".repeat(14)}deep`, "x");
    const deep = await listCard(join(rig.folder, "card"));
    assert.equal(deep?.files.length, 3);
    assert.match(deep?.unread[0]?.why ?? "", /deeper than any camera/);
  });

  it("counts a sparse file of 5 GiB without reading it", async () => {
    await using rig = await openRig();
    await write(rig, "sparse", "");
    await truncate(join(rig.folder, "card", "sparse"), 5 * 1024 ** 3);
    const [file] = (await listCard(join(rig.folder, "card")))?.files ?? [];
    assert.equal(file?.bytes, 5 * 1024 ** 3);
  });
});

describe("a profile", () => {
  it("takes neither the file that sets a clock nor the one that names the camera, unless it is a recording", () => {
    const sort = sorter({
      media: ["DCIM/**/*.MP4"],
      sidecars: [],
      locations: [],
      ignore: [],
      identity: { file: "MISC/version.txt" },
      set_time: { path: "TIME.TXT" },
    });
    const kinds = ["time.txt", "MISC/VERSION.TXT", "MISC/x.txt", "DCIM/TIME.TXT"].map((path) =>
      sort(Buffer.from(path)),
    );
    assert.deepEqual(kinds, ["ignored", "ignored", "other", "other"]);
    const odd = sorter({
      media: ["**"],
      sidecars: [],
      locations: [],
      ignore: [],
      set_time: { path: "TIME.TXT" },
    });
    assert.equal(odd(Buffer.from("TIME.TXT")), "media");
    const inFolder = sorter({
      media: [],
      sidecars: [],
      locations: [],
      ignore: [],
      set_time: { path: "M/T.TXT" },
    });
    const unfinished = `${"0a".repeat(16)}.tmp`;
    assert.equal(inFolder(Buffer.from(`M/${unfinished}`)), "ignored");
    assert.equal(inFolder(Buffer.from(`N/${unfinished}`)), "other");
  });

  it("sorts names as people see them, whatever their case", () => {
    const sort = sorter({
      media: ["DCIM/**/*.MP4"],
      sidecars: ["**/*.THM"],
      locations: [],
      ignore: ["**/._*"],
    });
    assert.equal(sort(Buffer.from("DCIM/100MEDIA/a.mp4")), "media");
    assert.equal(sort(Buffer.from("DCIM/100MEDIA/a.thm")), "sidecar");
    assert.equal(sort(Buffer.from("DCIM/100MEDIA/._a.mp4")), "ignored");
    assert.equal(sort(Buffer.from("notes.txt")), "other");
    assert.equal(sort(Buffer.from("TIME.TXT")), "other");
    assert.equal(sort(Buffer.from([0x44, 0xff])), "other");
  });
});
