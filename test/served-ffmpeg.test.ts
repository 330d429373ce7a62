import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { z } from "zod";
import { systemClock } from "#base/system-clock";
import { openReading } from "../daemon/record/reading.ts";
import type { Offer } from "../drivers/camera/address.ts";
import { openRemux, type Remux } from "../drivers/camera/remux.ts";
import { servesFfmpeg } from "../drivers/camera/served-ffmpeg.ts";
import { type Accepting, accept } from "./fakes/accepting.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";

const IN_UNIT = fileURLToPath(new URL("../systemd/repack-stream.sh", import.meta.url));
const RECORDER = fileURLToPath(new URL("fakes/read-served.ts", import.meta.url));
const MUTE: Offer = { video: "h264", audio: undefined, soundOffered: true, pictureKnown: false };
const URL_OF_GATE = "rtsp://127.0.0.1:9/a-secret-path";

/** ffmpeg's unit without its walls, behind a socket in a folder of its own, with a program that `does` this in ffmpeg's place. */
async function serve(does: string): Promise<Accepting & { readonly path: string }> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  await writeFile(join(path, "ffmpeg"), `#!/bin/bash\n${does}\n`, { mode: 0o755 });
  const script = (await readFile(IN_UNIT, "utf8")).replace(/^PATH=/m, `PATH=${path}:`);
  await writeFile(join(path, "script"), script);
  const socket = join(path, "socket");
  const { started } = opened.use(await accept(socket, ["/bin/bash", "-p", join(path, "script")]));
  const held = opened.move();
  return { path: socket, started, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** A port that listens, for a process that it is handed over to. */
async function openPort(): Promise<{ readonly fd: number } & AsyncDisposable> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { _handle } = z.looseObject({ _handle: z.looseObject({ fd: z.int() }) }).parse(server);
  return { fd: _handle.fd, [Symbol.asyncDispose]: async () => void server.close() };
}

const copied = (bytes: Uint8Array, give: (copy: Buffer) => void): void => give(Buffer.from(bytes));

async function all(remux: Remux): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of remux.read(copied)) pieces.push(bytes);
  return Buffer.concat(pieces).toString("latin1");
}

/** Of the groups of all that was started; who has ended and was not buried yet does not count. */
async function untilNoneRuns({ started }: Pick<Accepting, "started">): Promise<void> {
  for (;;) {
    const stats = await Promise.all(
      (await readdir("/proc")).map((pid) =>
        readFile(`/proc/${pid}/stat`, "latin1").catch(() => ""),
      ),
    );
    const running = new Set(
      stats.map((stat) => /\) [^Z] \d+ (\d+)/.exec(stat)).map((found) => Number(found?.[1])),
    );
    if (!started.some((group) => running.has(group))) return;
    await systemClock.sleep(50, NEVER);
  }
}

describe("an ffmpeg that systemd starts for the recorder", () => {
  it("reads two cameras at once by one port, each what is allowed of it, and nobody comes after it (AR-14)", async () => {
    await using folder = await temporaryFolder();
    const script = ["/bin/bash", "-p", IN_UNIT];
    await using _served = await accept(join(folder.path, "socket"), script);
    await using port = await openPort();
    // Only the process itself can say which it is.
    const told = `LISTEN_PID=$$ exec "$0" "$@"`;
    const recorder = spawn("/bin/bash", ["-c", told, process.execPath, RECORDER, folder.path], {
      env: {
        ...process.env,
        BEWAARD_FFMPEG: join(folder.path, "socket"),
        LISTEN_FDS: "1",
        LISTEN_FDNAMES: "gate",
      },
      stdio: ["ignore", "pipe", "inherit", port.fd],
    });
    using _ends = { [Symbol.dispose]: () => void recorder.kill("SIGKILL") };
    // Else this process would be asked too.
    await port[Symbol.asyncDispose]();
    const { stdout } = recorder;
    assert.ok(stdout);
    assert.equal(await text(stdout), "avc1 3 404\nhvc1+mp4a 3 404\n");
  });

  it("gets its words as they are, gives what it makes, and ends quietly when it ends well", async () => {
    await using served = await serve('printf "%s|" "$@"; env | grep -c SECRET');
    await using remux = await openRemux(URL_OF_GATE, MUTE, servesFfmpeg(served.path));
    const said = await all(remux);
    assert.match(
      said,
      /\|-i\|rtsp:\/\/127\.0\.0\.1:9\/a-secret-path\|-map\|0:v:0\|.*\|pipe:1\|0\n$/,
    );
    assert.equal(remux.reader, "whoever connects");
  });

  it("ends with all it started when it is hung up on, and what it still had to say is heard", async () => {
    await using served = await serve(
      "trap 'echo -n last; exit' TERM; sleep 600 & echo -n first; while :; do sleep 0.05; done",
    );
    const remux = await openRemux(URL_OF_GATE, MUTE, servesFfmpeg(served.path));
    const bytes = remux.read(copied)[Symbol.asyncIterator]();
    assert.equal(String((await bytes.next()).value), "first");
    const [last] = await Promise.all([bytes.next(), remux[Symbol.asyncDispose]()]);
    assert.equal(String(last.value), "last");
    await untilNoneRuns(served);
  });

  it("is not waited for without end, though it ignores every request", async () => {
    await using served = await serve("trap '' TERM; echo first; while :; do sleep 0.05; done");
    const remux = await openRemux(URL_OF_GATE, MUTE, servesFfmpeg(served.path));
    const bytes = remux.read(copied)[Symbol.asyncIterator]();
    await bytes.next();
    const [last] = await Promise.all([bytes.next(), remux[Symbol.asyncDispose]()]);
    assert.equal(last.done, true);
    await untilNoneRuns(served);
  });

  it("ends when nobody has begun to read it, and when whoever reads it has a fault of his own", async () => {
    await using served = await serve("cat /dev/zero");
    const unread = await openRemux(URL_OF_GATE, MUTE, servesFfmpeg(served.path));
    await unread[Symbol.asyncDispose]();
    assert.equal(await all(unread), "");
    await using other = await openRemux(URL_OF_GATE, MUTE, servesFfmpeg(served.path));
    const wrong = other.read((): void => {
      throw new TypeError("a bug");
    });
    await assert.rejects(Array.fromAsync(wrong), TypeError);
    await other[Symbol.asyncDispose]();
    await untilNoneRuns(served);
  });

  it("that gives nothing, is cut off or is not there is a fault of that camera's connection", async () => {
    await using nothing = await serve("exit 1");
    await using remux = await openRemux(URL_OF_GATE, MUTE, servesFfmpeg(nothing.path));
    await assert.rejects(all(remux), { code: "CAMERA_STREAM", message: /journalctl/ });
    await assert.rejects(openRemux(URL_OF_GATE, MUTE, servesFfmpeg("/nowhere/socket")), {
      code: "TOOL_MISSING",
    });
  });

  it("that systemd did not start is no fault of the camera's, and says where to look (TOOL_NOT_STARTED)", async () => {
    await using folder = await temporaryFolder();
    const socket = join(folder.path, "socket");
    // As where a room cannot be made, or a user, or where another script answers.
    for (const does of ["exit 226", "sleep 0.2; exit 217", "printf ?"]) {
      await using _served = await accept(socket, ["/bin/bash", "-c", does]);
      await assert.rejects(openRemux(URL_OF_GATE, MUTE, servesFfmpeg(socket)), {
        code: "TOOL_NOT_STARTED",
        transient: true,
        message: /journalctl -u/,
      });
    }
  });

  it("that is not installed is missing", async () => {
    await using folder = await temporaryFolder();
    const socket = join(folder.path, "socket");
    const script = (await readFile(IN_UNIT, "utf8")).replace(/^PATH=.*/m, "PATH=/nowhere");
    await using _served = await accept(socket, ["/bin/bash", "-pc", script]);
    await assert.rejects(openRemux(URL_OF_GATE, MUTE, servesFfmpeg(socket)), {
      code: "TOOL_MISSING",
      message: /apt-get install ffmpeg/,
    });
  });

  it("is not replaced by a process of the recorder's when its gate was not handed over", async () => {
    const served = { socket: "/nowhere/socket", gate: undefined };
    await assert.rejects(
      openReading(systemClock, served, () => undefined),
      { code: "TOOL_MISSING" },
    );
  });
});
