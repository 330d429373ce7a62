import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { SECOND_MS } from "#base/time";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { childrenOf, kept, openWall, seen, startRecorder, withCore } from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };
const CAMERA = "cam-0001";
const ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}";
/** All that recorder, ffmpeg and whatever they start may open for writing, in the folders of the box. */
const ALLOWED = new RegExp(
  `^(?:spool/incoming/record/${ULID}\\.(?:age|json|intent)\\.partial|spool/lease/record(?:-journal)?|state/marks\\.json\\.partial)$`,
);
/** What has no bytes on a disk. */
const NO_FILE = /^\/(?:dev\/(?:null|tty|shm\/.*)|proc\/.*)$/;

/** The files that a trace of openat, open and creat shows opened for writing. */
function writtenIn(trace: string): readonly string[] {
  const found = new Set<string>();
  for (const line of trace.split("\n")) {
    const [, path, flags = ""] =
      /(?:openat\([^"]*|open\(|creat\()"([^"]*)", ?([^)]*)/.exec(line) ?? [];
    const writes = /O_WRONLY|O_RDWR|O_CREAT/.test(flags) || line.includes("creat(");
    if (path !== undefined && writes && !/ = -1 /.test(line)) found.add(path);
  }
  return [...found];
}

describe("a recorder under strace (invariant 2, AR-12)", function () {
  this.timeout(120_000);
  let settings: CameraSettings;

  before(async () => {
    await using folder = await temporaryFolder();
    const video = await filmed(folder.path, SMALL_FILM);
    settings = { video, sound: undefined, scheme: "digest", ...LOGIN, tls: undefined };
  });

  it("opens nothing for writing but sealed files, manifests, intents, its marks and its lease; nor does ffmpeg", async () => {
    await using camera = await startCamera(systemClock, settings);
    await using wall = await openWall([{ number: CAMERA, url: camera.url, ...LOGIN }], 2);
    const trace = join(wall.folder, "trace");
    const strace = ["strace", "-f", "-qq", "-e", "trace=open,openat,creat,openat2", "-o", trace];
    await withCore(wall, async (ask) => {
      await using traced = startRecorder(wall, strace);
      const enough = async () => (await kept(ask, CAMERA)).segments.length > 2;
      await seen("three segments", enough, 60 * SECOND_MS);
      camera.disconnect("reset");
      const gap = async () => (await kept(ask, CAMERA)).gaps.length > 0;
      await seen("a gap", gap, 60 * SECOND_MS);
      const [recorder] = await childrenOf(traced.pid);
      assert.ok(recorder);
      process.kill(recorder[1], "SIGTERM");
      assert.equal(await traced.ended, "0", traced.said());
    });
    const text = await readFile(trace, "utf8");
    const all = writtenIn(text).filter((path) => !NO_FILE.test(path));
    const ours = all.map((path) => relative(wall.folder, path));
    assert.deepEqual(
      ours.filter((path) => !ALLOWED.test(path)),
      [],
    );
    // The trace sees what there is to see: sealed files, and ffmpeg itself.
    assert.ok(ours.some((path) => path.endsWith(".age.partial")));
    assert.match(text, /libavformat/);
    // And of what was written as sealed, nothing is a film.
    const grep = spawnSync("grep", ["-rlE", "ftyp|moof|mdat", join(wall.folder, "spool")]);
    assert.equal(grep.stdout.toString(), "");
    assert.equal(grep.status, 1);
  });
});
