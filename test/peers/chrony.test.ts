import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { HOUR_MS } from "#base/time";
import { chrony } from "../../daemon/chrony.ts";
import type { Heard } from "../../daemon/trust.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";

// chronyd itself, on loopback, with -x: it sets no clock. As root, which chronyd wants.

const SERVER = 11123;
const KEYS = 14460;
const LIAR = 11124;

function chronyd(folder: string, name: string, lines: readonly string[]): Promise<ChildProcess> {
  const path = join(folder, `${name}.conf`);
  const own = [
    `bindcmdaddress ${folder}/${name}.sock`,
    `pidfile ${folder}/${name}.pid`,
    "cmdport 0",
  ];
  return writeFile(path, [...own, ...lines, ""].join("\n")).then(() =>
    spawn("chronyd", ["-4", "-x", "-d", "-u", "root", "-f", path], { stdio: "ignore" }),
  );
}

/** A server of NTP that is an hour ahead: what chronyd itself cannot play. */
function liar() {
  const socket = createSocket("udp4");
  socket.on("message", (asked, { port, address }) => {
    const answer = Buffer.alloc(48);
    answer.set([0x24, 1, asked[2] ?? 0, 0xec]);
    answer.write("LOCL", 12);
    asked.copy(answer, 24, 40, 48);
    for (const at of [16, 32, 40]) {
      const ms = systemClock.now() + HOUR_MS;
      answer.writeUInt32BE(Math.floor(ms / 1000) + 2_208_988_800, at);
      answer.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
    }
    socket.send(answer, port, address);
  });
  socket.bind(LIAR, "127.0.0.3");
  return socket;
}

function certificate(folder: string): void {
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  const how = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", ...how, ...name, ...files], { stdio: "ignore" });
}

async function until(
  ask: () => Promise<readonly Heard[]>,
  count: number,
): Promise<readonly Heard[]> {
  let heard = await ask();
  for (let left = 60; heard.length < count; left -= 1) {
    assert.ok(left > 0, `never heard ${count} sources`);
    await delay(500);
    heard = await ask();
  }
  return heard;
}

function aheadMs({ time }: Heard): number {
  return systemClock.now() - time;
}

describe("chronyd", () => {
  it("tells authenticated time from time that could be forged, the honest from the liar, and silence", async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o700);
    certificate(folder.path);
    const lying = liar();
    const at = (file: string): string => join(folder.path, file);
    const server = await chronyd(folder.path, "server", [
      `port ${SERVER}`,
      "local stratum 1",
      "allow 127.0.0.0/8",
      `ntsserverkey ${at("key.pem")}`,
      `ntsservercert ${at("cert.pem")}`,
      `ntsport ${KEYS}`,
      `ntsdumpdir ${folder.path}`,
    ]);
    const often = "iburst minpoll 1 maxpoll 1";
    const client = await chronyd(folder.path, "client", [
      `server localhost port ${SERVER} nts ntsport ${KEYS} ${often}`,
      `server 127.0.0.2 port ${SERVER} ${often}`,
      `server 127.0.0.3 port ${LIAR} ${often}`,
      `ntstrustedcerts ${at("cert.pem")}`,
      "authselectmode ignore",
      "port 0",
    ]);
    try {
      const where = ["-h", at("client.sock")];
      const both = chrony(systemClock, ["nts", "ntp"], where);
      const authenticated = chrony(systemClock, ["nts"], where);
      const heard = await until(() => both(NEVER), 3);
      const of = (kind: string) => heard.filter(({ source }) => source === kind).map(aheadMs);
      assert.equal(of("nts").length, 1);
      assert.ok(of("nts").every((ms) => Math.abs(ms) < 5000));
      assert.equal(of("ntp").filter((ms) => Math.abs(ms) < 5000).length, 1);
      assert.equal(of("ntp").filter((ms) => Math.abs(ms + HOUR_MS) < 5000).length, 1);
      const [only, ...rest] = await until(() => authenticated(NEVER), 1);
      assert.equal(only?.source, "nts");
      assert.deepEqual(rest, []);
      assert.deepEqual(await chrony(systemClock, [], where)(NEVER), []);
      assert.deepEqual(await chrony(systemClock, ["nts"], ["-h", at("nobody.sock")])(NEVER), []);
    } finally {
      for (const daemon of [server, client]) {
        daemon.kill();
        await once(daemon, "exit");
      }
      lying.close();
    }
  });
});
