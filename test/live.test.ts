import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { MINUTE_MS } from "#base/time";
import { type Live, type LivePiece, openLive, serveLive } from "../daemon/record/live.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { NEVER } from "./fakes/rig.ts";
import { until } from "./fakes/until.ts";

const CAMERA = parseDeviceId("cam-01");
const INIT: LivePiece = { kind: "init", bytes: Buffer.from("init ") };
const KEY = fragment("key ", true);
const DELTA = fragment("delta ", false);

function fragment(content: string | Buffer, keyframe: boolean): LivePiece {
  return { kind: "fragment", bytes: [Buffer.from("moof "), Buffer.from(content)], keyframe };
}

/** What the server has read: how many have asked for a camera, and how many of these have gone. */
interface Heard {
  readonly asked: number;
  readonly gone: number;
}

async function served(
  body: (live: Live, path: string, heard: Heard) => Promise<void>,
  patienceMs = MINUTE_MS,
): Promise<void> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "live.sock");
  const live = openLive([CAMERA, parseDeviceId("cam-02")], patienceMs);
  const heard = { asked: 0, gone: 0 };
  const listen: Live["listen"] = (device, socket) => {
    live.listen(device, socket);
    heard.asked += 1;
    socket.once("close", () => (heard.gone += 1));
  };
  const stop = new AbortController();
  const serving = serveLive(path, { ...live, listen }, stop.signal);
  const isOpen = () =>
    stat(path)
      .then(({ mode }) => (mode & 0o777) === 0o660)
      .catch(() => false);
  try {
    await until(isOpen);
    await body(live, path, heard);
  } finally {
    stop.abort();
    await serving;
  }
}

async function listener(path: string, line = '{"device":"cam-01"}\n'): Promise<Socket> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(line);
  return socket;
}

async function hungUp(socket: Socket): Promise<void> {
  socket.resume();
  await until(() => socket.closed);
}

describe("live view at a local socket", () => {
  it("shows the camera from its next key picture on, its init first, until its stream ends", async () => {
    await served(async (live, path, heard) => {
      live.show(CAMERA, INIT);
      const socket = await listener(path);
      const seen = buffer(socket);
      await until(() => heard.asked === 1);
      live.show(CAMERA, DELTA);
      live.show(parseDeviceId("cam-02"), KEY);
      live.show(CAMERA, KEY);
      live.show(CAMERA, DELTA);
      live.end(CAMERA);
      live.show(CAMERA, KEY);
      assert.equal(String(await seen), "init moof key moof delta ");
    });
  });

  it("ends the answer with another init, and one who waits for a camera gets that", async () => {
    await served(async (live, path, heard) => {
      live.show(CAMERA, INIT);
      const first = await listener(path);
      const seen = buffer(first);
      await until(() => heard.asked === 1);
      live.show(CAMERA, KEY);
      const second = await listener(path);
      const seenLater = buffer(second);
      await until(() => heard.asked === 2);
      live.show(CAMERA, { kind: "init", bytes: Buffer.from("other ") });
      live.show(CAMERA, KEY);
      live.end(CAMERA);
      assert.equal(String(await seen), "init moof key ");
      assert.equal(String(await seenLater), "other moof key ");
    });
  });

  it("hangs up on a listener that is more than 4 MiB behind, and on nobody else", async () => {
    await served(async (live, path, heard) => {
      live.show(CAMERA, INIT);
      const slow = await listener(path);
      const good = await listener(path);
      slow.pause();
      let gone = false;
      let seenBytes = 0;
      slow.on("close", () => (gone = true));
      good.on("data", (bytes: Buffer) => (seenBytes += bytes.length));
      await until(() => heard.asked === 2);
      const piece = fragment(randomBytes(500_000), true);
      for (let sent = 1; sent <= 20; sent += 1) {
        live.show(CAMERA, piece);
        await until(() => seenBytes === 5 + sent * 500_005);
      }
      slow.resume();
      await until(() => gone);
      assert.ok(!good.destroyed);
    });
  });

  it("hangs up on whoever asks for nothing it knows, too much, or says more", async () => {
    await served(async (live, path, heard) => {
      for (const line of [
        "\n",
        '{"device":"../x"}\n',
        '{"device":"cam-01","more":1}\n',
        '{"device":1}\n',
        `${"[".repeat(150)}\n`,
        "x".repeat(300),
        "x".repeat(10_000_000),
        '{"device":"cam-01"}\n{"device":"cam-01"}\n',
      ]) {
        const socket = await listener(path, line);
        await hungUp(socket);
      }
      const late = await listener(path);
      await until(() => heard.asked === 1);
      late.write('{"device":"cam-02"}\n');
      await hungUp(late);
      live.show(CAMERA, INIT);
    });
  });

  it("waits no more than 5 s for a question, however slowly it comes", async () => {
    await served(async (_, path) => {
      const socket = await listener(path, "{");
      const started = systemClock.uptimeMs();
      socket.resume();
      while (!socket.closed) {
        socket.write(" ");
        await systemClock.sleep(100, NEVER);
      }
      // Five, and what a busy machine needs beside it.
      assert.ok(systemClock.uptimeMs() - started < 20_000);
    });
  });

  it("hangs up on who asks for a camera that is not here, and on who has seen nothing for a while", async () => {
    await served(async (live, path, heard) => {
      await hungUp(await listener(path, '{"device":"cam-99"}\n'));
      live.show(CAMERA, INIT);
      const waiting = await listener(path, '{"device":"cam-02"}\n');
      const seeing = await listener(path);
      let seenBytes = 0;
      seeing.on("data", (bytes: Buffer) => (seenBytes += bytes.length));
      await until(() => heard.asked === 3);
      let gone = false;
      waiting.resume().on("close", () => (gone = true));
      await until(async () => {
        live.show(CAMERA, KEY);
        await systemClock.sleep(20, NEVER);
        return gone;
      });
      assert.ok(seenBytes > 30 && !seeing.destroyed);
    }, 2000);
  });

  it("has at most 32 listeners, and room again when one goes", async () => {
    await served(async (live, path, heard) => {
      const sockets = await Promise.all(Array.from({ length: 32 }, () => listener(path)));
      await until(() => heard.asked === 32);
      const refused = await listener(path);
      await hungUp(refused);
      sockets[0]?.destroy();
      await until(() => heard.gone === 1);
      const seen = buffer(await listener(path));
      await until(() => heard.asked === 33);
      live.show(CAMERA, INIT);
      live.show(CAMERA, KEY);
      live.end(CAMERA);
      assert.equal(String(await seen), "init moof key ");
      for (const socket of sockets) socket.destroy();
    });
  });
});
