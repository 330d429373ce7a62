import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { HOUR_MS, instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { asker } from "../daemon/control/client.ts";
import { ASKED_BY_DOCK, ASKED_BY_RECORDER } from "../daemon/control/producers.ts";
import { EVERY_METHOD, type Method } from "../daemon/control/protocol.ts";
import { control } from "../daemon/control/server.ts";
import { recordClip } from "../daemon/demo/clips.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { runCore } from "../daemon/main.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { knownPath, roomPath, socketPath } from "../daemon/places.ts";
import { runDock } from "../daemon/run-dock.ts";
import { NO_ANSWERS } from "./fakes/answers.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents, NEVER } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";

const START = instant(Date.parse("2026-06-01T10:00:00.000Z"));

async function raw(path: string, line: string): Promise<string> {
  const socket = connect(path);
  await once(socket, "connect");
  socket.end(line);
  return text(socket);
}

/** Whatever it is asked, it says `answer`, or nothing at all. */
async function openFakeCore(answer: string | undefined) {
  const folder = await temporaryFolder();
  const path = join(folder.path, "control.sock");
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on("error", () => undefined).resume());
    if (answer !== undefined) socket.on("end", () => socket.end(answer));
  }).listen(path);
  await once(server, "listening");
  return {
    path,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe("core's socket", () => {
  it("answers its owner and group only", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await whileRunning(site, async () => {
      const { mode } = await stat(socketPath(site.demo.config));
      assert.equal(mode & 0o777, 0o660);
    });
  });

  it("takes from a producer what that may ask, at a socket of its own, and no command (decision 0035)", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await whileRunning(site, async () => {
      const commands: readonly Method[] = [
        "bodycams.pair",
        "bodycams.retire",
        "clock.confirm",
        "duties.done",
        "status",
      ];
      for (const [path, asks] of [
        [knownPath(site.demo.config), ASKED_BY_DOCK],
        [roomPath(site.demo.config), ASKED_BY_RECORDER],
      ] as const) {
        assert.equal((await stat(path)).mode & 0o777, 0o660);
        const refused: Method[] = [];
        for (const method of EVERY_METHOD) {
          const answer = await raw(path, `${JSON.stringify({ method, params: {} })}\n`);
          if (answer.includes(`no such question here: ${method}`)) refused.push(method);
        }
        const others = EVERY_METHOD.filter((method) => !asks.some((one) => one === method));
        assert.deepEqual(refused, others);
        for (const command of commands) assert.ok(refused.includes(command), command);
        const asked = { method: "clock.confirm", params: { timeMs: START, by: "dock" } };
        assert.match(await raw(path, `${JSON.stringify(asked)}\n`), /"code":"CONTROL_REFUSED"/);
      }
      const room = { bytes: 1, urgent: false };
      assert.ok((await asker(roomPath(site.demo.config), NEVER)("room", room)).granted);
    });
  });

  it("opens that socket to the group of the folder it is made in, and to nobody else", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "known.sock");
    const stop = new AbortController();
    // Root may give it to any; somebody else to one of their own, and mostly has no other.
    const group = process.getuid?.() === 0 ? 65_534 : (process.getgroups?.()[0] ?? 0);
    await chown(folder.path, -1, group);
    await chmod(folder.path, 0o2710);
    const serving = control(path, ASKED_BY_DOCK, NO_ANSWERS, MINUTE_MS, stop.signal);
    try {
      while (!existsSync(path) || ((await stat(path)).mode & 0o777) !== 0o660)
        await systemClock.sleep(10, NEVER);
      assert.equal((await stat(path)).gid, group);
    } finally {
      stop.abort();
      await serving;
    }
  });

  it("refuses what it does not understand and goes on answering", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await whileRunning(site, async (ask) => {
      const path = socketPath(site.demo.config);
      const junk = [
        "",
        "{",
        "[]",
        '{"method":"constructor","params":{}}',
        '{"method":"drop","params":{}}',
      ];
      for (const line of [
        ...junk,
        '{"method":"find","params":{"device":1}}',
        "x".repeat(100_000),
      ]) {
        assert.match(await raw(path, `${line}\n`), /"ok":false/, line.slice(0, 40));
      }
      assert.equal((await ask("status", {})).node, "dock-1");
    });
  });

  it("does not hang core's end on somebody who never finishes asking", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await whileRunning(site, async () => {
      const socket = connect(socketPath(site.demo.config));
      await once(socket, "connect");
      socket.on("error", () => undefined);
      socket.write('{"method":');
    });
  });

  it("lets an answer take longer than anybody may be silent", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "control.sock");
    const stop = new AbortController();
    const patienceMs = 1500;
    const verify = async () => {
      await systemClock.sleep(2 * patienceMs, NEVER);
      return { findings: [], more: 0, segments: 7, entries: 0, notes: [] };
    };
    const serving = control(path, ["verify"], { ...NO_ANSWERS, verify }, patienceMs, stop.signal);
    try {
      while (!existsSync(path)) await systemClock.sleep(10, NEVER);
      const asked = `${JSON.stringify({ method: "verify", params: { depth: "rows" } })}\n`;
      assert.match(await raw(path, asked), /"segments":7/);
      const silent = connect(path);
      await once(silent, "connect");
      silent.write("{");
      await once(silent.resume(), "close");
    } finally {
      stop.abort();
      await serving;
    }
  });

  it("is told to be unreachable when no core runs", async () => {
    const ask = asker("/nowhere/control.sock", NEVER);
    await assert.rejects(ask("status", {}), { code: "CONTROL_UNREACHABLE", transient: true });
  });

  it("is told to be unreachable when core dies while it answers, or answers something else", async () => {
    const answers = ["", "{", '{"ok":true,"resu', '{"progress":', '{"ok":true,"result":{}}\n'];
    for (const answer of answers) {
      await using core = await openFakeCore(answer);
      const ask = asker(core.path, NEVER);
      const asked = ask("room", { bytes: 1, urgent: false });
      await assert.rejects(asked, { code: "CONTROL_UNREACHABLE", transient: true }, answer);
    }
  });

  it("keeps nothing of a question, and hangs up on core when nobody waits any more", async () => {
    const stop = new AbortController();
    await using core = await openFakeCore('{"ok":true,"result":{"granted":true}}\n');
    const room = { bytes: 1, urgent: false };
    for (let nth = 0; nth < 20; nth += 1) {
      assert.ok((await asker(core.path, stop.signal)("room", room)).granted);
      await assert.rejects(asker("/nowhere/control.sock", stop.signal)("room", room));
    }
    assert.equal(getEventListeners(stop.signal, "abort").length, 0);
    await using silent = await openFakeCore(undefined);
    const asked = asker(silent.path, stop.signal)("room", room);
    stop.abort();
    await assert.rejects(asked, { name: "AbortError" });
    await assert.rejects(asker(core.path, stop.signal)("room", room), { name: "AbortError" });
  });
});

describe("a box", () => {
  it("takes a real clip, finds it by time and camera, and shows gaps of none (DH-01)", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await whileRunning(site, async (ask, signal) => {
      const startedAt = plus(START, -HOUR_MS);
      await recordClip(site.demo.docks["bc-0101"] ?? "", startedAt, 440);
      const window = { device: "bc-0101", fromMs: startedAt + 1000, toMs: startedAt + 1000 };
      const found = async () => (await ask("find", window)).segments[0];
      await passUntil(
        site.clock,
        MINUTE_MS,
        HOUR_MS,
        async () => (await found())?.state === "stored",
        signal,
      );
      const one = await found();
      assert.equal(one?.startedAt, isoOf(startedAt));
      assert.equal(one?.endedAt, isoOf(plus(startedAt, 2000)));
      assert.deepEqual((await ask("find", { ...window, device: "bc-0102" })).segments, []);
      assert.deepEqual(
        (await ask("find", { ...window, fromMs: startedAt + HOUR_MS, toMs: startedAt + HOUR_MS }))
          .segments,
        [],
      );
    });
  });

  it("refuses a second daemon on its spool, core as well as dock, and the second touches nothing", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { config } = site.demo;
    await whileRunning(site, async () => {
      const incoming = join(config.spool.path, "incoming", "dock");
      await writeFile(join(incoming, "being-sealed.age.partial"), "half");
      const before = await readdir(config.spool.path, { recursive: true });
      const refused = { code: "LEASE_HELD" };
      await assert.rejects(
        runCore(site.clock, capturedEvents([]), unattended(site.clock), config, NEVER),
        refused,
      );
      await assert.rejects(
        runDock(site.clock, capturedEvents([]), unattended(site.clock), config, NEVER),
        refused,
      );
      assert.deepEqual(await readdir(config.spool.path, { recursive: true }), before);
    });
  });

  it("refuses a spool that a newer bewaard has laid out", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { config } = site.demo;
    const path = join(config.spool.path, "bewaard-spool.json");
    const known = await readFile(path, "utf8");
    await writeFile(path, known.replace('"version":1', '"version":2'));
    const refused = { code: "SPOOL_VERSION" };
    await assert.rejects(
      runCore(site.clock, capturedEvents([]), unattended(site.clock), config, NEVER),
      refused,
    );
    await assert.rejects(
      runDock(site.clock, capturedEvents([]), unattended(site.clock), config, NEVER),
      refused,
    );
    await writeFile(path, known.replace('"version":1,', ""));
    await whileRunning(site, async () => undefined);
  });

  it("refuses another node's spool, and one that is not mounted", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { config } = site.demo;
    const elsewhere = { ...config, spool: { ...config.spool, path: join(site.folder, "nowhere") } };
    const refused = { code: "SPOOL_IDENTITY" };
    await assert.rejects(
      runCore(site.clock, capturedEvents([]), unattended(site.clock), elsewhere, NEVER),
      refused,
    );
    const { parseNodeId } = await import("#base/ids");
    const other = { ...config, node: parseNodeId("dock-2") };
    await assert.rejects(
      runCore(site.clock, capturedEvents([]), unattended(site.clock), other, NEVER),
      refused,
    );
  });
});
