import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { BewaardError, systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { startCamera } from "../daemon/demo/simulated-camera.ts";
import { filmed, heard, SMALL_FILM } from "../daemon/demo/simulated-clips.ts";
import type { Offer } from "../drivers/camera/address.ts";
import { type Fragment, openFragments } from "../drivers/camera/fragments.ts";
import type { Init } from "../drivers/camera/init.ts";
import { openRemux, type Remux } from "../drivers/camera/remux.ts";
import { spawnsFfmpeg } from "../drivers/camera/spawned-ffmpeg.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

const MUTE: Offer = { video: "h264", audio: undefined, soundOffered: true, pictureKnown: false };
const URL = "rtsp://127.0.0.1:9/a-secret-path";

/** Something else in ffmpeg's place. */
async function standIn(name: string, script: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  return path;
}

const copied = (bytes: Uint8Array, give: (copy: Buffer) => void): void => give(Buffer.from(bytes));

async function all(remux: Remux): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of remux.read(copied)) pieces.push(bytes);
  return Buffer.concat(pieces).toString("latin1");
}

async function first(remux: Remux, count: number): Promise<{ init: Init; fragments: Fragment[] }> {
  const fragments: Fragment[] = [];
  let init: Init | undefined;
  for await (const piece of remux.read(openFragments())) {
    if (piece.kind === "init") init = piece;
    else fragments.push(piece);
    if (fragments.length === count) break;
  }
  assert.ok(init);
  return { init, fragments };
}

/** Whether a process runs; one that nobody has buried yet does not. */
async function runs(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    assert.equal(systemCode(error), "ENOENT");
    return false;
  }
}

describe("ffmpeg at work for the recorder", () => {
  for (const [codec, audio, entries] of [
    ["h264", undefined, ["avc1"]],
    ["h265", undefined, ["hvc1"]],
    ["h264", "aac", ["avc1", "mp4a"]],
    ["h264", "pcma", ["avc1", "alaw"]],
    ["h264", "pcmu", ["avc1", "ulaw"]],
  ] as const) {
    it(`asks the gate for nothing but what is taken: ${codec}, sound ${audio ?? "none"} (AR-14)`, async () => {
      const video = await filmed(folder.path, { ...SMALL_FILM, codec });
      const sound = await heard(folder.path, audio ?? "aac");
      const open = { scheme: "none", user: "", password: "", tls: undefined } as const;
      await using camera = await startCamera(systemClock, { video, sound, ...open });
      await using remux = await openRemux(camera.url, {
        video: codec,
        audio,
        soundOffered: true,
        pictureKnown: true,
      });
      const { init, fragments } = await first(remux, 3);
      assert.deepEqual(
        init.tracks.map((track) => track.entry),
        entries,
      );
      assert.equal(fragments[0]?.keyframe, true);
      assert.deepEqual(camera.setups, audio ? ["video", "audio"] : ["video"]);
    });
  }

  it("may write no file, and is told nothing but a path", async () => {
    const path = join(folder.path, "written");
    const script = await standIn(
      "curious",
      `env | grep -v -E '^(PWD|SHLVL|_)='; (echo x > ${path}); true`,
    );
    await using remux = await openRemux(URL, MUTE, spawnsFfmpeg(script));
    assert.equal(await all(remux), "PATH=/usr/local/bin:/usr/bin:/bin\n");
    assert.equal(await readFile(path, "utf8"), "");
  });

  it("looks briefly only where the picture is known, and there is no sound", async () => {
    const script = await standIn("said", 'echo -n "$*"');
    for (const [pictureKnown, audio, brief] of [
      [true, undefined, true],
      [false, undefined, false],
      [true, "aac", false],
    ] as const) {
      await using remux = await openRemux(
        URL,
        { ...MUTE, audio, pictureKnown },
        spawnsFfmpeg(script),
      );
      assert.equal(/ -probesize \d+ .* -i /.test(await all(remux)), brief);
    }
  });

  it("leads a group of its own, which ends whole though it ignores every request", async () => {
    const script = await standIn(
      "stubborn",
      "trap '' TERM; sleep 600 & echo $!; while :; do sleep 1; done",
    );
    const remux = await openRemux(URL, MUTE, spawnsFfmpeg(script));
    const bytes = remux.read(copied)[Symbol.asyncIterator]();
    const helper = Number(Buffer.from((await bytes.next()).value ?? []).toString("latin1"));
    assert.ok(helper > 1 && (await runs(helper)));
    const since = systemClock.uptimeMs();
    const [last] = await Promise.all([bytes.next(), remux[Symbol.asyncDispose]()]);
    assert.equal(last.done, true);
    const tookMs = systemClock.uptimeMs() - since;
    // Two requests of two seconds each, and what a busy machine needs beside them.
    assert.ok(tookMs >= 3900 && tookMs < 20_000, `stopped after ${tookMs} ms`);
    assert.equal(await runs(Number(remux.reader)), false);
    while (await runs(helper)) await systemClock.sleep(20, NEVER);
  });

  it("takes what it left behind along when it ends, and its number is not used after that", async () => {
    const script = await standIn("parent", "sleep 600 >/dev/null 2>&1 & echo $!; exit 0");
    const remux = await openRemux(URL, MUTE, spawnsFfmpeg(script));
    const helper = Number(await all(remux));
    while (await runs(helper)) await systemClock.sleep(20, NEVER);
    const kill = process.kill.bind(process);
    const signalled: number[] = [];
    process.kill = (pid) => {
      signalled.push(pid);
      return true;
    };
    try {
      await remux[Symbol.asyncDispose]();
    } finally {
      process.kill = kill;
    }
    assert.deepEqual(signalled, []);
  });

  it("ends quietly for who reads it when it is stopped already", async () => {
    const remux = await openRemux(URL, MUTE, spawnsFfmpeg(await standIn("early", "sleep 600")));
    await remux[Symbol.asyncDispose]();
    await systemClock.sleep(20, NEVER);
    assert.equal(await all(remux), "");
  });

  it("is asked a second time when the first only ended what it waited for", async () => {
    const second = join(folder.path, "second");
    const script = await standIn(
      "reading",
      `trap 'n=$((n+1)); [ $n = 2 ] && { : > ${second}; exit 0; }' TERM; echo up; while :; do sleep 0.1; done`,
    );
    const remux = await openRemux(URL, MUTE, spawnsFfmpeg(script));
    const bytes = remux.read(copied)[Symbol.asyncIterator]();
    await bytes.next();
    const since = systemClock.uptimeMs();
    await remux[Symbol.asyncDispose]();
    const tookMs = systemClock.uptimeMs() - since;
    assert.ok(tookMs >= 1900, `stopped after ${tookMs} ms`);
    // It was not ended before it could: it heard the second.
    assert.equal(await readFile(second, "utf8"), "");
  });

  it("ends quietly when it ends well, and says what it said, without addresses, when not", async () => {
    await using well = await openRemux(
      URL,
      MUTE,
      spawnsFfmpeg(await standIn("well", "echo -n bytes")),
    );
    assert.equal(await all(well), "bytes");
    const loud =
      "for i in $(seq 5000); do echo noise >&2; done; echo \"$@: no\" >&2; printf '\\e[2J' >&2; exit 1";
    await using badly = await openRemux(URL, MUTE, spawnsFfmpeg(await standIn("badly", loud)));
    await assert.rejects(all(badly), (error: unknown) => {
      assert.ok(error instanceof BewaardError);
      assert.equal(error.code, "CAMERA_STREAM");
      assert.match(error.message, /<url>.*: no/);
      assert.ok(!error.message.includes("secret") && !error.message.includes("\u001b"));
      assert.ok(error.message.length < 600);
      return true;
    });
  });

  it("gives no more, and no error, once it was stopped", async () => {
    const remux = await openRemux(
      URL,
      MUTE,
      spawnsFfmpeg(await standIn("endless", "cat /dev/zero")),
    );
    await remux[Symbol.asyncDispose]();
    assert.equal(await all(remux), "");
    const other = await openRemux(
      URL,
      MUTE,
      spawnsFfmpeg(await standIn("more", "echo more; sleep 600")),
    );
    let stopping: PromiseLike<void> | undefined;
    const wrong = other.read((): void => {
      stopping = other[Symbol.asyncDispose]();
      throw new TypeError("a bug");
    });
    await assert.rejects(Array.fromAsync(wrong), TypeError);
    await stopping;
  });

  it("is missed by name where it is not installed", async () => {
    await using remux = await openRemux(URL, MUTE, spawnsFfmpeg(join(folder.path, "nothing")));
    await assert.rejects(all(remux), { code: "TOOL_MISSING" });
  });

  it("says what ffmpeg says of a gate that is not there", async () => {
    await using remux = await openRemux(URL, MUTE);
    await assert.rejects(all(remux), { code: "CAMERA_STREAM", message: /Connection refused/ });
  });
});
