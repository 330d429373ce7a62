import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { z } from "zod";
import { HOUR_MS, instantOf, isoOf } from "#base/time";
import { type Tried, tryCard } from "../daemon/try-card.ts";
import { deviceOf } from "../drivers/bodycam/is-there.ts";
import { mountedFrom } from "../drivers/bodycam/mounted-from.ts";
import { type Made, makeCard } from "./fakes/card-made.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { handClock, NEVER } from "./fakes/rig.ts";
import { usbTree } from "./fakes/usb-tree.ts";

const NOW = instantOf("2026-11-22T10:00:00.000Z");
const CLI = new URL("../daemon/cli/bewaarctl.ts", import.meta.url).pathname;
const NOTHING = { usb: undefined, label: undefined };

async function bewaarctl(...args: readonly string[]) {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [CLI, ...args], { env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    if (!(error instanceof Error && "stdout" in error && "stderr" in error)) throw error;
    const code = "code" in error ? Number(error.code) : -1;
    return { code, out: String(error.stdout), err: String(error.stderr) };
  }
}

/** A profile of the site's own, with these changes, beside a card of these files. */
async function trial(
  changes: object,
  files: readonly Made[],
  more?: (card: string) => Promise<void>,
) {
  await using folder = await temporaryFolder();
  const profile = {
    name: "Own",
    media: ["RECORD/**/*.{MP4,MOV}"],
    sidecars: ["RECORD/**/*.THM"],
    ignore: ["**/*.tmp"],
    start_in_name:
      "(?<year>20\\d\\d)(?<month>\\d\\d)(?<day>\\d\\d)_(?<hour>\\d\\d)(?<minute>\\d\\d)(?<second>\\d\\d)",
    zone: "Europe/Amsterdam",
    clock: "unknown",
    file_times: "local",
    ...changes,
  };
  const name = join(folder.path, "own.yaml");
  await writeFile(name, stringify(profile));
  const card = join(folder.path, "card");
  await makeCard(card, files);
  await more?.(card);
  const { tried } = await tryCard(handClock(NOW), card, name, NOTHING, NEVER);
  const [only] = tried;
  assert.ok(only && tried.length === 1);
  return only;
}

function odd({ odd: found }: Tried): readonly string[] {
  return found.map(({ what, files, path }) => `${what} ${files} ${path}`);
}

const WHOLE: readonly Made[] = [
  { path: "RECORD/20261122_101500.MP4", bytes: 3_000_000, changed: "2026-11-22 10:20:00" },
  { path: "RECORD/20261122_102000.MP4", bytes: 1_000_000, changed: "2026-11-22 10:25:00" },
  { path: "RECORD/20261122_101500.THM", changed: "2026-11-22 10:20:00" },
];

describe("trying a card", () => {
  it("tells each file's kind, its start and end, and where that is from", async () => {
    const more = [{ path: "RECORD/x.tmp", changed: "2026-11-22 10:25:00" }];
    const { files } = await trial({}, [...WHOLE, ...more]);
    const told = files.map(({ file, kind, times }) => [
      file.path.toString(),
      kind,
      times && isoOf(times.startedAt),
      times?.endedAt && isoOf(times.endedAt),
      times?.source,
    ]);
    assert.deepEqual(told, [
      [
        "RECORD/20261122_101500.MP4",
        "media",
        "2026-11-22T09:15:00.000Z",
        "2026-11-22T09:20:00.000Z",
        "name",
      ],
      [
        "RECORD/20261122_101500.THM",
        "sidecar",
        "2026-11-22T09:15:00.000Z",
        "2026-11-22T09:20:00.000Z",
        "name",
      ],
      [
        "RECORD/20261122_102000.MP4",
        "media",
        "2026-11-22T09:20:00.000Z",
        "2026-11-22T09:25:00.000Z",
        "name",
      ],
      ["RECORD/x.tmp", "ignored", null, undefined, undefined],
    ]);
  });

  it("finds nothing odd about a card that is as its profile says", async () => {
    assert.deepEqual(odd(await trial({}, WHOLE)), []);
  });

  it("tells each kind of thing that is odd, how often, and one of them", async () => {
    const files = [
      { path: "RECORD/20261122_103000.MP4", bytes: 0, changed: "2026-11-22 10:31:00" },
      { path: "RECORD/FILE0001.MP4", changed: "2026-11-22 10:31:00" },
      { path: "RECORD/20261122_120000.MP4", changed: "2026-11-22 12:01:00" },
      { path: "RECORD/20261001_120000.MP4", changed: "2026-10-01 12:01:00" },
      { path: "RECORD/20000101_000100.MP4", changed: "2000-01-01 00:02:00" },
      { path: "RECORD/20261025_023000.MP4", changed: "2026-10-25 02:31:00" },
      { path: "RECORD/20261122_090000.THM", changed: "2026-11-22 09:01:00" },
      { path: "notes.txt", changed: "2026-11-22 09:01:00" },
      { path: "a\u202eb.txt", changed: "2026-11-22 09:01:00" },
    ];
    assert.deepEqual(odd(await trial({}, files)), [
      "empty 1 RECORD/20261122_103000.MP4",
      "no-time 1 RECORD/FILE0001.MP4",
      "to-come 1 RECORD/20261122_120000.MP4",
      "old 2 RECORD/20261001_120000.MP4",
      "never-set 1 RECORD/20000101_000100.MP4",
      "came-twice 1 RECORD/20261025_023000.MP4",
      "stranger 2 a\\xe2\\x80\\xaeb.txt",
      "no-text 1 a\\xe2\\x80\\xaeb.txt",
      "alone 1 RECORD/20261122_090000.THM",
    ]);
  });

  it("tells that a last change does not fit, as with a wrong zone or a wrong kind of file time", async () => {
    assert.deepEqual(odd(await trial({ zone: "America/New_York", file_times: "utc" }, WHOLE)), [
      "to-come 2 RECORD/20261122_101500.MP4",
      "misfit 2 RECORD/20261122_101500.MP4",
    ]);
    const copied = WHOLE.map((file) => ({ ...file, changed: "2026-11-22 23:00:00" }));
    assert.deepEqual(odd(await trial({ longest_recording: "1 hour" }, copied)), [
      "misfit 2 RECORD/20261122_101500.MP4",
    ]);
  });

  it("tells that too of a recording whose container tells its length, as with a wrong container time", async () => {
    const own = async (changes: object, changed: string) =>
      odd(
        await trial({ start_in_name: null, ...changes }, [], async (card) => {
          const at = join(card, "RECORD", "a.MOV");
          await mkdir(join(card, "RECORD"), { recursive: true });
          const picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-c:v", "mpeg4"];
          const told = ["-metadata", "creation_time=2026-11-22T08:00:00Z", at];
          execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...picture, ...told]);
          const seconds = Date.parse(`${changed}Z`) / 1000;
          await utimes(at, seconds, seconds);
        }),
      );
    assert.deepEqual(await own({ container_time: "utc" }, "2026-11-22T09:00:01"), []);
    for (const changes of [
      { container_time: "local" },
      { container_time: "utc", file_times: "utc" },
    ])
      assert.deepEqual(await own(changes, "2026-11-22T09:00:01"), ["misfit 1 RECORD/a.MOV"]);
  });

  it("tells that a recording ends as it begins, as where its name tells the end", async () => {
    const ends = (changed: string) => [{ path: "RECORD/20261122_101500.MP4", changed }];
    const told = ["no-length 1 RECORD/20261122_101500.MP4"];
    assert.deepEqual(odd(await trial({}, ends("2026-11-22 10:15:00"))), told);
    assert.deepEqual(odd(await trial({}, ends("2026-11-22 10:15:02"))), told);
    assert.deepEqual(odd(await trial({}, ends("2026-11-22 10:15:04"))), []);
  });

  it("tells what cannot be looked at", async () => {
    const limits = { files: 100, bytes: "1 MB", depth: 1 };
    const deep = { path: "a/b/c.MP4", changed: "2026-11-22 10:20:00" };
    const { unread } = await trial({ limits }, [deep], async (card) => {
      await writeFile(join(card, "huge.MP4"), "");
      await truncate(join(card, "huge.MP4"), 1_000_001);
    });
    assert.deepEqual(unread.map(({ path }) => path).toSorted(), ["a/b", "huge.MP4"]);
    const { unread: more } = await trial({ limits: { ...limits, files: 1, depth: 9 } }, [
      deep,
      { path: "a/b/d.MP4", changed: "2026-11-22 10:30:00" },
    ]);
    assert.deepEqual(
      more.map(({ path, why }) => [path, /more than 1 files/.test(why)]),
      [["a/b/d.MP4", true]],
    );
  });

  it("tells how far the camera's clock is off, what is wrong with it, and what would set it", async () => {
    const set_time = {
      path: "TIME.TXT",
      template: "{year}{month}{day}{hour}{minute}",
      line_end: "lf",
      zone: "Europe/Amsterdam",
    };
    const clock_file = { path: "LOG/*", kind: "modified" };
    const log = { path: "LOG/usb.log", changed: "2026-11-22 12:00:02" };
    const { clock } = await trial({ clock_file, set_time }, [...WHOLE, log]);
    const fault = "summer-time";
    assert.deepEqual(clock, {
      declared: "unknown",
      offsetMs: HOUR_MS + 2000,
      fault,
      setBy: "TIME.TXT",
    });
    const unseen = await trial({ clock_file }, WHOLE);
    assert.deepEqual(unseen.clock, {
      declared: "unknown",
      offsetMs: null,
      fault: null,
      setBy: null,
    });
  });

  it("reckons the hours that are left by the profile, else by what is on the card, else not at all", async () => {
    const said = (await trial({ bytes_per_hour: "4 GB" }, WHOLE)).room;
    assert.deepEqual([said.bytesPerHour, said.from], [4e9, "profile"]);
    assert.equal(said.hours, Math.floor(said.freeBytes / 4e9));
    // Ten minutes of 4 MB.
    const reckoned = (await trial({}, WHOLE)).room;
    assert.deepEqual([reckoned.bytesPerHour, reckoned.from], [24_000_000, "card"]);
    const unknown = (await trial({}, [])).room;
    assert.deepEqual([unknown.bytesPerHour, unknown.from, unknown.hours], [null, null, null]);
  });

  it("tells which camera the card says that it is of, and follows no link for it", async () => {
    const identity = { file: "MISC/version.txt", pattern: "SN=(\\w+)" };
    const wrote = async (card: string): Promise<void> => {
      await mkdir(join(card, "MISC"));
      await writeFile(join(card, "MISC", "VERSION.TXT"), "FW=1.2\nSN=AX12\u0007\n");
    };
    assert.equal((await trial({ identity }, WHOLE, wrote)).identity, "AX12");
    const linked = async (card: string): Promise<void> => {
      await wrote(card);
      await mkdir(join(card, "LINK"));
      await symlink(join(card, "MISC", "VERSION.TXT"), join(card, "LINK", "version.txt"));
    };
    const other = { ...identity, file: "LINK/version.txt" };
    assert.equal((await trial({ identity: other }, WHOLE, linked)).identity, null);
    const { identity: none, identityIn } = await trial({ identity }, WHOLE);
    assert.deepEqual([none, identityIn], [null, "MISC/version.txt"]);
    assert.equal((await trial({}, WHOLE)).identityIn, null);
  });

  it("asks the container where the name tells nothing and the profile believes it", async () => {
    const { files } = await trial({ container_time: "utc" }, [], async (card) => {
      await mkdir(join(card, "RECORD"), { recursive: true });
      const made = [
        "-metadata",
        "creation_time=2026-11-22T08:00:00Z",
        join(card, "RECORD", "a.MOV"),
      ];
      const picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=1", "-c:v", "mpeg4"];
      execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...picture, ...made]);
    });
    const [only] = files;
    assert.equal(only?.times?.source, "container");
    assert.equal(only?.times?.startedAt, instantOf("2026-11-22T08:00:00.000Z"));
  });
});

describe("what a folder is mounted from", () => {
  it("is the camera whose disk it is on, and its label; of a copy nothing is known", async () => {
    await using folder = await temporaryFolder();
    const device = await deviceOf(folder.path);
    assert.ok(device);
    const udev = join(folder.path, "udev");
    const bus = await usbTree(join(folder.path, "sys"));
    await bus.bus(1, "0000:00:14.0");
    await bus.plug({ at: "1-2", id: "0b6a:1234" });
    const known = (): Promise<object> => mountedFrom(folder.path, bus.sys, udev);
    assert.deepEqual(await known(), { usb: undefined, label: undefined });
    const partitions = [{ number: 1, device, sectors: 64 }];
    await bus.disk({ at: "1-2", name: "sdb", device: "8:16", sectors: 64, partitions });
    assert.deepEqual(await known(), { usb: "0b6a:1234", label: undefined });
    await mkdir(join(udev, "data"), { recursive: true });
    const label = "E:ID_FS_LABEL=DPB20_1\nE:ID_FS_LABEL_ENC=DPB20\\x201\n";
    await writeFile(join(udev, "data", `b${device}`), label);
    assert.deepEqual(await known(), { usb: "0b6a:1234", label: "DPB20 1" });
    const none = join(folder.path, "none");
    assert.deepEqual(await mountedFrom(folder.path, none, none), {
      usb: undefined,
      label: undefined,
    });
  });
});

/** Everything that a look could change: names, lengths, and times of change of file and entry. */
async function stateOf(root: string): Promise<readonly string[]> {
  const names = await readdir(root, { recursive: true });
  return await Promise.all(
    names.toSorted().map(async (name) => {
      const { size, mtimeMs, ctimeMs, mode } = await lstat(join(root, name));
      return `${name} ${size} ${mtimeMs} ${ctimeMs} ${mode}`;
    }),
  );
}

const result = z.object({
  tried: z.array(
    z.looseObject({ profile: z.string(), counts: z.record(z.string(), z.looseObject({})) }),
  ),
  others: z.array(z.looseObject({ profile: z.string() })),
});

describe("bewaarctl bodycams try", function () {
  this.timeout(60_000);

  const DRIVEPRO: readonly Made[] = [
    { path: "DPB20/VIDEO/20261122_101500.MP4", changed: "2026-11-22 10:20:00" },
    { path: "DPB20/VIDEO/b\u001b[2Jb.MP4", changed: "2026-11-22 10:20:00" },
  ];

  it("shows in Dutch and English what the profile that matches makes of a card, and changes nothing there", async () => {
    await using folder = await temporaryFolder();
    await makeCard(folder.path, DRIVEPRO);
    const before = await stateOf(folder.path);
    const { code, out } = await bewaarctl("bodycams", "try", folder.path);
    assert.equal(code, 0);
    assert.match(out, /^transcend-drivepro-body \(Transcend DrivePro Body\)$/m);
    assert.match(out, /herkend aan \/ recognised by: .*: ja \/ yes$/m);
    assert.match(
      out,
      /20261122_101500\.MP4 {2}opname \/ recording .*22-11-2026 10:15:00 \+01:00 .*\(naam \/ name\)$/m,
    );
    assert.match(
      out,
      /klok \/ clock: .*niet te meten \/ not measurable; niet te zetten \/ cannot be set$/m,
    );
    assert.match(out, /vrij \/ free/);
    assert.doesNotMatch(out, /generic/);
    assert.ok(!out.includes("\u001b"));
    assert.deepEqual(await stateOf(folder.path), before);
  });

  it("with --json prints the same as one value", async () => {
    await using folder = await temporaryFolder();
    await makeCard(folder.path, DRIVEPRO);
    const { out } = await bewaarctl("--json", "bodycams", "try", folder.path);
    const { tried, others } = result.parse(JSON.parse(out));
    assert.deepEqual(
      tried.map(({ profile, counts }) => [profile, counts["media"]?.["files"]]),
      [["transcend-drivepro-body", 2]],
    );
    assert.equal(
      others.length,
      (await readdir(new URL("../config/profiles", import.meta.url))).length - 1,
    );
  });

  it("exits with 1, and says which were tried, when none matches; one that is named is shown all the same", async () => {
    await using folder = await temporaryFolder();
    await makeCard(folder.path, [{ path: "music/a.mp3", changed: "2026-11-22 10:20:00" }]);
    const none = await bewaarctl("bodycams", "try", folder.path);
    assert.equal(none.code, 1);
    assert.match(none.out, /^geen profiel past.* \/ no profile matches/);
    assert.match(none.out, /^ {2}generic-dcim: .*NEE \/ NO$/m);
    const named = await bewaarctl("bodycams", "try", folder.path, "--profile", "generic-dcim");
    assert.equal(named.code, 0);
    assert.match(named.out, /music\/a\.mp3 {2}ander, gaat mee \/ other, taken/);
  });

  it("goes by what was said of USB and label, where a profile of the site's own asks for it", async () => {
    await using folder = await temporaryFolder();
    const card = join(folder.path, "card");
    await makeCard(card, DRIVEPRO);
    const shipped = new URL("../config/profiles/transcend-drivepro-body.yaml", import.meta.url);
    const own = join(folder.path, "own.yaml");
    const text = await readFile(shipped, "utf8");
    await writeFile(
      own,
      text.replace("match:", 'match:\n  usb: ["0b6a:1234"]\n  volume_label: ^DPB'),
    );
    const asked = ["bodycams", "try", card, "--profile", own];
    assert.match(
      (await bewaarctl(...asked)).out,
      /USB: niet te zien \/ cannot be seen; label: niet te zien/,
    );
    const told = await bewaarctl(...asked, "--usb", "0B6A:1234", "--label", "NO NAME");
    assert.match(told.out, /USB: ja \/ yes; label: NEE \/ NO/);
    const wrong = await bewaarctl(...asked, "--usb", "0b6a");
    assert.deepEqual([wrong.code, wrong.out], [2, ""]);
  });

  it("warns of a file of identity that says nothing, and says how a profile of one's own is named", async () => {
    await using folder = await temporaryFolder();
    await makeCard(folder.path, DRIVEPRO);
    const shipped = new URL("../config/profiles/generic-dcim.yaml", import.meta.url);
    const own = join(folder.path, "own.yaml");
    const identity = stringify({ identity: { file: "MISC/id.txt", pattern: "SN=(.*)" } });
    await writeFile(own, `${await readFile(shipped, "utf8")}\n${identity}`);
    const asked = ["bodycams", "try", folder.path, "--profile"];
    const { out } = await bewaarctl(...asked, own);
    assert.match(out, /^ {2}LET OP \/ CAREFUL: identity: .* \/ .*: MISC\/id\.txt$/m);
    const unknown = await bewaarctl(...asked, "generic-dcm");
    assert.match(unknown.err, /^CONFIG_MISSING: .*\n.*did you mean "generic-dcim"\?/);
    assert.match(unknown.err, /there are: generic-dcim, .*by its absolute path$/m);
    const relative = await bewaarctl(...asked, "profiles/own.yaml");
    assert.match(relative.err, /volledige pad .* \/ .* absolute path/);
  });

  it("says what is wrong with a profile, by line, and with a folder that is not there", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "own.yaml"), "name: x\nmedia: [a]\nstart_in_name: '('\n");
    const { code, err } = await bewaarctl(
      "bodycams",
      "try",
      folder.path,
      "--profile",
      join(folder.path, "own.yaml"),
    );
    assert.equal(code, 1);
    assert.match(err, /own\.yaml:3:\d+: start_in_name: write a regular expression/);
    const gone = await bewaarctl("bodycams", "try", join(folder.path, "none"));
    assert.match(gone.err, /^CARD_READ: /);
  });
});
