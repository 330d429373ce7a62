import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseSegmentId } from "#base/ids";
import {
  type AskFfprobe,
  asksFfprobe,
  confinement,
  mayBeContainer,
  readContainer,
  startsFfprobe,
} from "../drivers/bodycam/container-time.ts";
import { readSegment } from "../storage/catalog/find.ts";
import { accept } from "./fakes/accepting.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER, openRig } from "./fakes/rig.ts";

const CREATED = "2026-05-31T08:30:00.000000Z";
const MADE = { createdAt: CREATED, durationMs: 2000 };

/** Two seconds of a test picture, with a creation time, in the container its name asks for. */
function makeClip(path: string): Buffer {
  const picture = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=2", "-c:v", "mpeg4"];
  const what = ["-metadata", `creation_time=${CREATED}`, "-y", path];
  execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...picture, ...what]);
  return Buffer.from(path);
}

async function read(
  ask: AskFfprobe,
  folder: string,
  name: string | Buffer,
  content: string | Uint8Array,
) {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  await writeFile(path, content);
  return readContainer(path, ask);
}

const CONFINED = new URL("../drivers/bodycam/ffprobe-confined", import.meta.url);
const IN_UNIT = new URL("../systemd/probe-film.sh", import.meta.url);

/** A way to ask ffprobe. */
interface Way extends AsyncDisposable {
  readonly ask: AskFfprobe;
}

async function openStarted(): Promise<Way> {
  return { ask: startsFfprobe(), [Symbol.asyncDispose]: async () => undefined };
}

/** Has the script find an ffprobe in `here` that only `does` this. */
async function standIn(script: string, here: string, does: string): Promise<string> {
  await writeFile(join(here, "ffprobe"), `#!/bin/bash\n${does}\n`, { mode: 0o755 });
  return script.replace(/^PATH=/m, `PATH=${here}:`);
}

/** As in its unit, without the unit's walls, with `change` done to its script. */
async function openServed(
  change: (script: string, here: string) => string | Promise<string> = (script) => script,
): Promise<Way> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const script = join(path, "probe-film.sh");
  // The place for the film is in the unit alone.
  const here = (await readFile(IN_UNIT, "utf8")).replace("film=/film/film", `film=${path}/film`);
  await writeFile(script, await change(here, path));
  opened.use(await accept(join(path, "socket"), ["/bin/bash", "-p", script]));
  const held = opened.move();
  return {
    ask: asksFfprobe(join(path, "socket")),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const WAYS = [
  ["an ffprobe that is started here", openStarted],
  ["one that systemd runs", () => openServed()],
] as const;

for (const [by, open] of WAYS) {
  describe(`a container, read by ${by},`, () => {
    it("tells when it was made and how long it is, with its index at the end or none at all", async () => {
      await using folder = await temporaryFolder();
      await using way = await open();
      const { ask } = way;
      for (const name of ["a.mp4", "a.mov", "a.mkv"]) {
        assert.deepEqual(await readContainer(makeClip(join(folder.path, name)), ask), MADE, name);
      }
      const silent = await readContainer(makeClip(join(folder.path, "a.ts")), ask);
      assert.deepEqual(silent, { createdAt: undefined, durationMs: 2000 });
    });

    it("is read whatever its name is: an option, a protocol, a template, bytes that are no text", async () => {
      await using folder = await temporaryFolder();
      await using way = await open();
      const { ask } = way;
      const clip = await readFile(makeClip(join(folder.path, "a.mp4")));
      const bytes = Buffer.concat([
        Buffer.from([0xff, 0x0a, 0x1b]),
        Buffer.from("%03d $(id) '.mp4"),
      ]);
      for (const name of ["-y.mp4", "-i", "concat:a.mp4|b.mp4", "http:", "%s%n.mp4", bytes]) {
        assert.deepEqual(await read(ask, folder.path, name, clip), MADE, String(name));
      }
    });

    it("that is cut off, garbage, empty, sparse or no file at all is no failure", async () => {
      await using folder = await temporaryFolder();
      await using way = await open();
      const { ask } = way;
      const clip = await readFile(makeClip(join(folder.path, "a.mp4")));
      const at = (name: string): Buffer => Buffer.from(join(folder.path, name));
      for (const cut of [1, 40, Math.floor(clip.length / 2), clip.length - 100]) {
        assert.equal(
          await read(ask, folder.path, "cut.mp4", clip.subarray(0, cut)),
          "refused",
          `${cut}`,
        );
      }
      assert.equal(await read(ask, folder.path, "noise.mp4", randomBytes(100_000)), "refused");
      assert.equal(await read(ask, folder.path, "empty.mp4", ""), "refused");
      await truncate(at("empty.mp4"), 5 * 1024 ** 3);
      assert.equal(await readContainer(at("empty.mp4"), ask), "refused");
      execFileSync("mkfifo", [join(folder.path, "fifo.mp4")]);
      await symlink("a.mp4", join(folder.path, "link.mp4"));
      for (const name of ["fifo.mp4", "link.mp4", "nowhere.mp4", "."]) {
        assert.equal(await readContainer(at(name), ask), "refused", name);
      }
    });
  });

  describe(`a playlist that calls itself a film, read by ${by},`, () => {
    it("is refused before it is read, and reaches neither network nor other files", async () => {
      await using folder = await temporaryFolder();
      await using way = await open();
      const { ask } = way;
      let calls = 0;
      const server = createServer((socket) => {
        calls += 1;
        socket.destroy();
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" ? address?.port : 0;
      const url = `http://127.0.0.1:${port}/x.ts`;
      // Were it followed, its time would come back.
      const canary = makeClip(join(folder.path, "canary.mp4")).toString();
      const targets = [url, canary, `file:${canary}`, "canary.mp4"];
      const disguises = targets.flatMap((target) => [
        `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${target}\n#EXT-X-ENDLIST\n`,
        `ffconcat version 1.0\nfile '${target}'\n`,
        `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><BaseURL>${target}</BaseURL></MPD>`,
      ]);
      const sdp = `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${port} RTP/AVP 96\n`;
      for (const content of [...disguises, sdp, url, "[playlist]\nFile1=canary.mp4\n"]) {
        assert.equal(await read(ask, folder.path, "disguised.mp4", content), "refused", content);
      }
      server.close();
      assert.equal(calls, 0);
    }).timeout(120_000);
  });
}

describe("ffprobe", () => {
  it("runs without a byte of its own on disk", async () => {
    await using folder = await temporaryFolder();
    await readContainer(makeClip(join(folder.path, "a.mp4")));
    assert.deepEqual(await readdir(folder.path), ["a.mp4"]);
  });

  it("sees no network but loopback, wherever this machine says so", async () => {
    await using folder = await temporaryFolder();
    const clip = makeClip(join(folder.path, "a.mp4"));
    const program = join(folder.path, "confined");
    const script = await readFile(CONFINED, "utf8");
    const path = `PATH=${folder.path}:/usr/bin:/bin`;
    await writeFile(program, script.replace(/^PATH=.*$/m, path), { mode: 0o755 });
    const lists = "tail -n +3 /proc/net/dev | cut -d : -f 1 | tr -d ' \\n'";
    const instead = `#!/bin/bash\necho "[FORMAT]\nTAG:creation_time=$(${lists})\n[/FORMAT]"\n`;
    await writeFile(join(folder.path, "ffprobe"), instead, { mode: 0o755 });
    const told = await readContainer(clip, startsFfprobe(program));
    const seen = typeof told === "string" ? told : told.createdAt;
    const level = await confinement(NEVER);
    assert.notEqual(level, "absent");
    assert.ok(level === "shared" || seen === "lo" || seen === "", `${level}: ${seen}`);
  });

  it("that hangs, is not there, or says too much is no failure, and none is left running", async () => {
    await using folder = await temporaryFolder();
    const clip = makeClip(join(folder.path, "a.mp4"));
    const script = await readFile(CONFINED, "utf8");
    const program = join(folder.path, "confined");
    const bin = join(folder.path, "bin");
    await mkdir(bin);
    const patient = script.replace(/^PATH=.*$/m, `PATH=${bin}:/usr/bin`);
    const quick = patient.replace("--signal=KILL 10", "--signal=KILL 1");
    assert.notEqual(quick, patient);
    await writeFile(program, patient, { mode: 0o755 });
    const instead = (does: string) =>
      writeFile(join(bin, "ffprobe"), `#!/bin/bash\n${does}\n`, { mode: 0o755 });

    await instead(`echo x > ${bin}/written; env | tr '\\n' ' ' | sed 's/^/TAG:creation_time=/'`);
    process.env["BEWAARD_CANARY"] = "secret";
    const told = await readContainer(clip, startsFfprobe(program));
    delete process.env["BEWAARD_CANARY"];
    assert.ok(!JSON.stringify(told).includes("secret"));
    assert.equal(await readFile(join(bin, "written"), "utf8"), "");
    await writeFile(program, quick);
    // So long as nobody else on this machine sleeps.
    const long = `61.${process.pid}`;
    await instead(`sleep ${long}`);
    assert.equal(await readContainer(clip, startsFfprobe(program)), "late");
    const running = await Promise.all(
      (await readdir("/proc")).map((pid) =>
        readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
      ),
    );
    assert.ok(!running.some((line) => line.includes(long)));
    await writeFile(program, patient);
    await instead("yes '[FORMAT]'");
    assert.equal(await readContainer(clip, startsFfprobe(program)), "refused");
    await writeFile(program, patient.replace(/^PATH=.*$/m, `PATH=${folder.path}`));
    assert.equal(await readContainer(clip, startsFfprobe(program)), "absent");
  });

  it("is asked about what may be a recording, by the end of its name alone", () => {
    const bytes = Buffer.from([0xff, 0x2e, 0x4d, 0x50, 0x34]);
    assert.ok(mayBeContainer(bytes));
    for (const name of ["device.txt", "a.thm", "mp4", "a.mp4.tmp", ""]) {
      assert.ok(!mayBeContainer(Buffer.from(name)), name);
    }
  });
});

describe("the ffprobe that systemd runs", () => {
  it("is sent the beginning and the end of a large film, and finds its index there", async () => {
    await using folder = await temporaryFolder();
    await using way = await openServed();
    const path = makeClip(join(folder.path, "a.mp4"));
    const clip = await readFile(path);
    const index = clip.lastIndexOf("moov") - 4;
    const nothing = Buffer.alloc(40 * 1024 ** 2);
    nothing.writeUInt32BE(nothing.length);
    nothing.write("free", 4);
    await writeFile(path, Buffer.concat([clip.subarray(0, index), nothing, clip.subarray(index)]));
    assert.deepEqual(await readContainer(path, way.ask), MADE);
  });

  it("may write nothing once it has the film, and leaves nothing of it", async () => {
    await using folder = await temporaryFolder();
    const clip = makeClip(join(folder.path, "a.mp4"));
    const written = join(folder.path, "written");
    const lists = `(echo x > ${written}); cd $(dirname $0); echo "{\\"format\\":{\\"tags\\":{\\"creation_time\\":\\"$(echo *)\\"}}}"`;
    await using way = await openServed((script, here) => standIn(script, here, lists));
    const told = await readContainer(clip, way.ask);
    assert.equal(typeof told === "string" ? told : told.createdAt, "ffprobe probe-film.sh socket");
    assert.equal(await readFile(written, "utf8"), "");
  });

  it("that is not there, hangs, says nothing or too much is no failure", async () => {
    await using folder = await temporaryFolder();
    const clip = makeClip(join(folder.path, "a.mp4"));
    assert.equal(await readContainer(clip, asksFfprobe(join(folder.path, "nowhere"))), "absent");
    const missing = (script: string) =>
      script.replace("type -P ffprobe", "type -P no-such-program");
    await using none = await openServed(missing);
    assert.equal(await readContainer(clip, none.ask), "absent");
    for (const [does, why] of [
      ["sleep 60", "late"],
      ["exit", "refused"],
      ["yes '{\"format\": {}}'", "refused"],
      ["echo '[1]'", "refused"],
      ["kill -9 $$", "refused"],
    ] as const) {
      await using way = await openServed((script, here) => standIn(script, here, does));
      assert.equal(await readContainer(clip, way.ask), why, does);
    }
  });
});

describe("a clip whose name tells no time", () => {
  it("is kept with the time of its container; one that cannot be read is kept all the same", async () => {
    await using rig = await openRig();
    await mkdir(join(rig.folder, "made"));
    const clip = await readFile(makeClip(join(rig.folder, "made", "a.mp4")));
    const whole = await rig.record(clip, "DCIM/100MEDIA/MOV0001.MP4");
    const cut = await rig.record(clip.subarray(0, 500), "DCIM/100MEDIA/MOV0002.MP4");
    await rig.record(clip.subarray(0, 600), "DCIM/100MEDIA/MOV0003.MP4");
    await rig.adoptOnce();
    const told = async (id: string) => {
      const segment = await readSegment(rig.database, parseSegmentId(id));
      return [segment?.timeSource, segment?.timeTrust];
    };
    assert.deepEqual(await told(whole), ["container", "trusted"]);
    assert.deepEqual(await told(cut), ["modified", "untrusted"]);
    assert.equal(rig.said.filter((event) => event === "container-unread").length, 1);
    assert.deepEqual(await rig.check(), []);
  });
});
