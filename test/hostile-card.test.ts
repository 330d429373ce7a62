import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, truncateSync, utimesSync } from "node:fs";
import { chmod, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "mocha";
import { watchSteps } from "#base/step";
import { DAY_MS, instant, SECOND_MS } from "#base/time";
import { adopt } from "../daemon/adopt.ts";
import { shownStatus } from "../daemon/cli/shown.ts";
import type { Ask } from "../daemon/control/client.ts";
import { READ } from "../daemon/control/protocol.ts";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { dock, type Sealing } from "../daemon/dock.ts";
import { openFair } from "../daemon/docks/fair.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { listCard } from "../drivers/bodycam/card.ts";
import { findSegments, knownFiles } from "../storage/catalog/find.ts";
import { countLeft, findLeft } from "../storage/catalog/left.ts";
import { makeHeader } from "../storage/seal/header.ts";
import { sealFile } from "../storage/seal/seal-file.ts";
import { fuzzCards } from "./fakes/fuzzed-cards.ts";
import { retainOnce } from "./fakes/retain-once.ts";
import { CAMERA, dockOf, named, openRig, type Rig } from "./fakes/rig.ts";
import { shown } from "./fakes/shown.ts";
import { NO_SLOTS } from "./fakes/slots.ts";
import { turns } from "./fakes/turns.ts";
import { NONE_PAIRED, WELL } from "./fakes/well.ts";
import { itWithoutPowers } from "./fakes/without-powers.ts";

const ALL = { device: CAMERA, from: instant(0), to: instant(9e12) };

interface Asked {
  readonly ask: Ask;
  readonly methods: string[];
}

/** Answers what core would of rooms and known files, and remembers what it was asked. */
function answering(rig: Rig): Asked {
  const methods: string[] = [];
  const ask: Ask = async (method, params) => {
    methods.push(method);
    if (method === "room") return READ[method]({ granted: true });
    if (method !== "known" || !("files" in params)) return READ[method](NONE_PAIRED);
    const files = params.files.map(({ path, bytes, modifiedAtMs }) => ({
      path: Buffer.from(path, "base64"),
      bytes,
      modifiedAt: instant(modifiedAtMs),
    }));
    return READ[method]({ known: await knownFiles(rig.database, CAMERA, files) });
  };
  return { ask, methods };
}

/** Lets the dock look at its card `looks` times; core adopts after each. Returns what it asked. */
async function watch(rig: Rig, looks: number, sealing: Sealing = rig.sealing) {
  const clock = simulatedClock(rig.clock.now());
  const stop = new AbortController();
  const { ask, methods } = answering(rig);
  const docks = [dockOf(CAMERA, join(rig.folder, "card"))];
  const running = dock(
    clock,
    rig.events,
    unattended(clock),
    ask,
    sealing,
    openFair(2),
    docks,
    NO_SLOTS,
    stop.signal,
  );
  await clock.asleep(2, stop.signal);
  for (let look = 0; look < looks; look += 1) {
    for (let part = 0; part < 16; part += 1) await clock.pass(2 * SECOND_MS, stop.signal);
    await adoptOwn(rig);
  }
  stop.abort();
  await running;
  return methods;
}

/** Adopts what this process wrote, whoever it is at the moment. */
async function adoptOwn({ clock, events, database, spool, box }: Rig): Promise<void> {
  const turn = turns(clock, 1);
  const producers = [{ name: "dock" as const, owners: [process.geteuid?.() ?? 0] }];
  await adopt(turn.clock, events, database, spool, { ...box, producers }, turn.signal);
}

/** Seals in this thread, where a test can step in between opening a file and reading it. */
function inThisThread(rig: Rig): Sealing {
  return {
    ...rig.sealing,
    pool: {
      ...rig.sealing.pool,
      seal: async (source, target, recipients) => {
        const header = await makeHeader(recipients);
        return sealFile({
          source,
          target,
          header,
          stop: new Int32Array(1),
          blocks: new Int32Array(1),
        });
      },
    },
  };
}

/** Does `change` each time a file was opened and before it is read. */
async function whileRead(change: () => void, body: () => Promise<unknown>): Promise<void> {
  watchSteps((name) => {
    if (name === "seal.header-synced") change();
  });
  try {
    await body();
  } finally {
    watchSteps(() => undefined);
  }
}

async function place(rig: Rig, name: string, content: string): Promise<string> {
  const path = join(rig.folder, "card", name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

function hashes(contents: readonly string[]): Set<string> {
  return new Set(contents.map((one) => createHash("sha256").update(one).digest("hex")));
}

async function keptHashes(rig: Rig): Promise<Set<string | undefined>> {
  const segments = await findSegments(rig.database, ALL);
  return new Set(segments.map(({ plaintextSha256 }) => plaintextSha256));
}

async function kinds(rig: Rig): Promise<readonly string[]> {
  const rows = await rig.database.transaction((sql) => sql.all("select kind from entry"));
  return rows.map(({ kind }) => String(kind));
}

describe("a file that changes while it is read", () => {
  const once = (change: () => void): (() => void) => {
    let done = false;
    return () => {
      if (!done) change();
      done = true;
    };
  };

  it("by growing is kept as it was read, and taken again once it has settled, with an alarm", async () => {
    await using rig = await openRig();
    const path = await place(rig, named(0), "een");
    const grow = once(() => appendFileSync(path, " en meer"));
    await whileRead(grow, () => watch(rig, 3, inThisThread(rig)));
    // It grew before its bytes were read: they are whole, and both readings are of the same.
    assert.ok(rig.said.includes("source-changed"));
    assert.deepEqual(await keptHashes(rig), hashes(["een en meer"]));
  });

  it("by shrinking is kept as it was read, and as it is", async () => {
    await using rig = await openRig();
    const path = await place(rig, named(0), "een lang stuk");
    const shrink = once(() => truncateSync(path, 3));
    await whileRead(shrink, () => watch(rig, 3, inThisThread(rig)));
    assert.ok(rig.said.includes("source-changed"));
    assert.deepEqual(await keptHashes(rig), hashes(["een"]));
  });

  it("between two reads that differ is kept twice", async () => {
    await using rig = await openRig();
    const path = await place(rig, named(0), "een");
    const touch = once(() => utimesSync(path, 1_780_000_000, 1_780_000_000));
    await whileRead(touch, async () => {
      await watch(rig, 1, inThisThread(rig));
      await writeFile(path, "ander");
      await watch(rig, 2, inThisThread(rig));
    });
    assert.deepEqual(await keptHashes(rig), hashes(["een", "ander"]));
    assert.deepEqual(await rig.check("rows"), []);
  });

  it("for ever does not fill the spool: two reads are kept, then somebody must decide", async () => {
    await using rig = await openRig();
    const path = await place(rig, named(0), "een");
    await whileRead(
      () => appendFileSync(path, " meer"),
      () => watch(rig, 6, inThisThread(rig)),
    );
    assert.equal((await findSegments(rig.database, ALL)).length, 2);
    assert.equal(rig.said.filter((event) => event === "source-changed").length, 2);
    assert.equal((await findLeft(rig.database, ALL))[0]?.code, "SOURCE_CHANGED");
    assert.deepEqual(await readdir(rig.sealing.incoming), []);
  });

  it("without showing it, by giving other bytes, is kept twice with an alarm", async () => {
    await using rig = await openRig();
    await rig.record("een", named(0));
    await rig.record("twe", named(0));
    await rig.adoptOnce();
    assert.deepEqual(await keptHashes(rig), hashes(["een", "twe"]));
    assert.ok(rig.said.includes("read-twice"));
  });
});

describe("a file that cannot be read", () => {
  itWithoutPowers(
    import.meta.url,
    "stays on the card, is a fact with a date to decide by, once, and is closed when it is taken after all",
    async () => {
      await using rig = await openRig();
      const path = await place(rig, named(0), "een");
      await place(rig, named(10), "twee");
      await chmod(path, 0o000);
      await watch(rig, 2);
      await watch(rig, 2);
      const [left, ...others] = await findLeft(rig.database, ALL);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [left?.code, Buffer.from(left?.path ?? []).toString()],
        ["CARD_READ", named(0)],
      );
      const changed = Math.floor((await stat(path)).mtimeMs);
      assert.ok((left?.decideBy ?? 0) <= Math.max(rig.clock.now(), changed + 28 * DAY_MS));
      assert.equal((await countLeft(rig.database)).files, 1);
      assert.deepEqual(await keptHashes(rig), hashes(["twee"]));
      await chmod(path, 0o600);
      await watch(rig, 2);
      assert.equal((await countLeft(rig.database)).files, 0);
      assert.deepEqual(await keptHashes(rig), hashes(["een", "twee"]));
      const told = (await kinds(rig)).filter((kind) => kind.startsWith("file."));
      assert.deepEqual(told, ["file.left", "file.taken"]);
      assert.equal(rig.said.filter((event) => event === "decide").length, 1);
    },
  );

  itWithoutPowers(
    import.meta.url,
    "is an alarm, and not each minute, from the moment somebody must have decided by until it is taken",
    async () => {
      await using rig = await openRig();
      const path = await place(rig, named(0), "een");
      await chmod(path, 0o000);
      await watch(rig, 2);
      await retainOnce(rig);
      const due = (): number => rig.said.filter((event) => event === "decision-due").length;
      assert.equal(due(), 0);
      const [left] = await findLeft(rig.database, ALL);
      rig.clock.move((left?.decideBy ?? 0) - rig.clock.now());
      await retainOnce(rig, 3);
      assert.equal(due(), 1);
      await chmod(path, 0o600);
      await watch(rig, 2);
      await retainOnce(rig);
      assert.equal(due(), 1);
    },
  );

  itWithoutPowers(
    import.meta.url,
    "because its folder cannot be listed is a fact too, closed by the first file out of it",
    async () => {
      await using rig = await openRig();
      await place(rig, named(0), "een");
      const folder = join(rig.folder, "card", "DCIM", "100MEDIA");
      await chmod(folder, 0o000);
      await watch(rig, 1);
      assert.equal((await countLeft(rig.database)).files, 1);
      await chmod(folder, 0o700);
      await watch(rig, 2);
      assert.equal((await countLeft(rig.database)).files, 0);
    },
  );
});

describe("a folder that may be listed and not looked into", () => {
  itWithoutPowers(
    import.meta.url,
    "stays on the card with all that is in it, and the rest is not taken for gone with it",
    async () => {
      await using rig = await openRig();
      await place(rig, "DCIM/A/B/x.MP4", "diep");
      await place(rig, named(0), "een");
      const folder = join(rig.folder, "card", "DCIM", "A");
      await chmod(folder, 0o444);
      await watch(rig, 1);
      await chmod(folder, 0o700);
      assert.deepEqual(await keptHashes(rig), hashes(["een"]));
      assert.deepEqual(
        (await findLeft(rig.database, ALL)).map(({ code, path }) => [code, String(path)]),
        [["CARD_READ", "DCIM/A/B"]],
      );
    },
  );
});

describe("what stays on a card, or was cut off", () => {
  it("is shown to whoever looks for footage, with the moment to decide by, in Dutch and English", () => {
    const id = "01J00000000000000000000001";
    const left = { id, device: "bc-0101", name: "a.MP4", code: "CARD_READ" };
    const decideBy = "2026-06-20T10:00:00.000Z";
    const found = shown({ left: [{ ...left, decideBy }] });
    assert.match(
      found,
      /STILL ON THE CAMERA +bc-0101 +a\.MP4 \(CARD_READ\).*before 20-06-2026 12:00/,
    );
    const status = shownStatus({ ...WELL, left: { files: 2, decideBy } });
    assert.match(status, /NOG OP EEN CAMERA .*: 2, beslis vóór .* 20-06-2026 12:00:00 \+02:00/);
    assert.doesNotMatch(shownStatus(WELL), /NOG OP/);
    const segment = {
      id,
      device: "bc-0101",
      place: null,
      timeSource: "name",
      arrivedAt: decideBy,
      startedAt: decideBy,
      alternativeStartedAt: null,
      endedAt: null,
      timeTrust: "trusted",
      dueAt: decideBy,
      holdableUntil: decideBy,
      bytes: null,
      truncated: true,
      state: "stored",
      hold: "none",
    } as const;
    const cut = shown({ segments: [segment] });
    assert.match(cut, /afgebroken \/ cut off/);
  });
});

describe("a hostile card", () => {
  it("with devices, sockets and folders in a circle is passed over, and ends", async () => {
    await using rig = await openRig();
    await place(rig, named(0), "een");
    const card = join(rig.folder, "card");
    const server = createServer().listen(join(card, "socket.MP4"));
    await symlink(card, join(card, "DCIM", "again"));
    await symlink("self.MP4", join(card, "self.MP4"));
    const isRoot = process.getuid?.() === 0;
    const circle = join(card, "DCIM", "circle");
    await mkdir(circle);
    if (isRoot) execFileSync("mknod", [join(card, "disk.MP4"), "c", "1", "5"]);
    else process.stderr.write("LEFT OUT: a device and a bind mount on a card need root\n");
    if (isRoot) execFileSync("mount", ["--bind", card, circle]);
    try {
      const listed = await listCard(card);
      assert.ok(listed?.files.every(({ path }) => path.includes("20260601")));
      await watch(rig, 2);
      assert.deepEqual(await keptHashes(rig), hashes(["een"]));
    } finally {
      if (isRoot) execFileSync("umount", [circle]);
      server.close();
    }
  });

  it("with a playlist, an empty file and garbage for a video is sealed byte for byte", async () => {
    await using rig = await openRig();
    const contents = ["", "#EXTM3U\nfile:///etc/passwd\n", "ffconcat version 1.0\n", "\0\0\0 ftyp"];
    for (const [index, content] of contents.entries()) await place(rig, named(index), content);
    await watch(rig, 2);
    assert.deepEqual(await keptHashes(rig), hashes(contents));
  });

  it("with names that speak to a terminal says them harmlessly, and keeps their bytes", async () => {
    await using rig = await openRig();
    const names = [
      "\x1b]0;x\x07.MP4",
      "a\nb\r.MP4",
      "--help",
      "%n%s",
      "n".repeat(255),
      "\u202e4PM",
    ];
    for (const name of names) await place(rig, name, name);
    await watch(rig, 2);
    assert.deepEqual(await keptHashes(rig), hashes(names));
    for (const line of rig.lines) assert.doesNotMatch(line.trimEnd(), /\p{Cc}|\p{Cf}/u);
  });

  it("of many small files asks core few questions", async () => {
    await using rig = await openRig();
    for (let index = 0; index < 12; index += 1) await place(rig, `DCIM/${index}.MP4`, `${index}`);
    const asked = await watch(rig, 2);
    assert.equal((await findSegments(rig.database, ALL)).length, 12);
    assert.equal(asked.filter((method) => method === "room").length, 1);
    // Where it stands, each few seconds; nothing for each file.
    assert.ok(asked.length < 12, asked.join());
  });

  it("of any form is listed, sorted, dated, handed over and adopted without harm: each file is taken whole, or is a fact that it stays", async () => {
    await fuzzCards(15);
  });
});
