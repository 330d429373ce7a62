import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it } from "mocha";
import { type Door, openSharedDoor, ownDoor } from "../drivers/camera/door.ts";
import { openListener } from "../drivers/camera/gate-listener.ts";
import { handClock, START } from "./fakes/rig.ts";
import { until } from "./fakes/until.ts";

const GATE = new URL("../systemd/bewaard-gate.socket", import.meta.url);
const PATH = `/${"0a".repeat(16)}`;
const ELSEWHERE = `/${"0b".repeat(16)}`;
/** As systemd/bewaard-gate.socket has it, but for the network. */
const HERE = { port: 0, host: "127.0.0.1" };
const OFFERED = {
  description: "",
  channels: new Map(),
  play: async () => undefined,
  begin: () => undefined,
};

function asks(path: string): string {
  return `OPTIONS rtsp://127.0.0.1${path} RTSP/1.0\r\nCSeq: 1\r\n\r\n`;
}

/** What listens behind `door`, which somebody who comes through it knows, and its port. */
async function behind(door: Door): Promise<{ readonly server: Server; readonly port: number }> {
  const taken = Promise.withResolvers<Socket>();
  const opening = await door.open(PATH, taken.resolve);
  const visitor = connect(opening.port, "127.0.0.1").on("error", () => undefined);
  visitor.write(asks(PATH));
  const socket = await taken.promise;
  const server: unknown = Reflect.get(socket, "server");
  assert.ok(server instanceof Server);
  socket.destroy();
  visitor.destroy();
  return { server, port: opening.port };
}

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

/** So many that connect and say nothing, as a server gets them that can take several at once. */
async function strangers(
  count: number,
): Promise<readonly Socket[] & { readonly clients: readonly Socket[] } & AsyncDisposable> {
  const got: Socket[] = [];
  const server = createServer((socket) => got.push(socket)).listen({
    port: 0,
    host: "127.0.0.1",
    // Else some of them wait for seconds, and try again.
    backlog: 4096,
  });
  await once(server, "listening");
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === "object");
  const clients = Array.from({ length: count }, () =>
    connect(bound.port, "127.0.0.1").on("error", () => undefined),
  );
  await until(() => got.length === count);
  return Object.assign(got, {
    clients,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      server.close();
    },
  });
}

function open(sockets: readonly Socket[]): number {
  return sockets.filter(({ destroyed }) => !destroyed).length;
}

describe("the port that all gates share", () => {
  it("lets go of who asks for what is not there, though he never hangs up", async () => {
    await using door = await openSharedDoor(handClock(START), HERE, () => undefined);
    const { server, port } = await behind(door);
    const stays = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    stays.on("error", () => undefined).write(asks(ELSEWHERE));
    assert.match(await text(stays), /^RTSP\/1\.0 404 /);
    await until(async () => (await connections(server)) === 0);
    stays.destroy();
  });

  it("has 1024 wait, also of those who come at one moment; the oldest goes for a newcomer, and is counted", async () => {
    let sentAway = 0;
    await using door = await openSharedDoor(handClock(START), HERE, () => void sentAway++);
    const { server } = await behind(door);
    await using came = await strangers(1030);
    for (const one of came) server.emit("connection", one);
    assert.equal(open(came), 1024);
    assert.equal(open(came.slice(0, 6)), 0);
    assert.equal(sentAway, 6);
  });

  it("hears who comes just before as many as systemd lets in at once, and who say nothing", async () => {
    const backlog = /^Backlog=(\d+)$/m.exec(await readFile(GATE, "utf8"))?.[1];
    await using door = await openSharedDoor(handClock(START), HERE, () => undefined);
    const { server } = await behind(door);
    const heard: Socket[] = [];
    await door.open(ELSEWHERE, (socket) => heard.push(socket));
    await using came = await strangers(Number(backlog) + 1);
    const [first] = came;
    came.clients.find(({ localPort }) => localPort === first?.remotePort)?.write(asks(ELSEWHERE));
    for (const one of came) server.emit("connection", one);
    await until(() => heard.length > 0);
    assert.equal(heard[0], first);
  });

  it("survives that somebody cannot be let in, and so does one that a gate has to itself", async () => {
    await using shared = await openSharedDoor(handClock(START), HERE, () => undefined);
    for (const door of [shared, ownDoor]) {
      const { server } = await behind(door);
      server.emit("error", Object.assign(new Error("accept ENFILE"), { code: "ENFILE" }));
      server.close();
    }
  });
});

describe("a gate", () => {
  it("has eight wait who have not shown the path, also of those who come at one moment", async () => {
    const taking = Promise.withResolvers<(socket: Socket) => void>();
    const door: Door = {
      async open(_, given) {
        taking.resolve(given);
        return { port: 9, close: () => undefined };
      },
    };
    await using _listener = await openListener(handClock(START), door, OFFERED);
    const take = await taking.promise;
    await using came = await strangers(12);
    for (const one of came) take(one);
    assert.equal(open(came), 8);
    assert.equal(open(came.slice(0, 4)), 0);
  });
});
