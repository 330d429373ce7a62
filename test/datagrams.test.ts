import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import { openDatagrams } from "#base/datagrams";
import { systemCode } from "#base/errors";
import { readDatagrams } from "./fakes/datagrams-read.ts";
import { until } from "./fakes/until.ts";

describe("datagrams to a unix socket", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bewaard-"));
    path = join(folder, "socket");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("arrive whole and in order, whoever waits for them", async () => {
    await using reader = await readDatagrams(path);
    using datagrams = openDatagrams(path);
    const sent = Array.from({ length: 1000 }, (_, at) => Buffer.from(`${at}\n\0${"x".repeat(at)}`));
    await Promise.all(sent.map((one) => datagrams.send(one)));
    await until(() => reader.read.length === sent.length);
    assert.deepEqual(reader.read, sent);
  });

  it("wait for a reader that is slow, and none is lost", async () => {
    await using reader = await readDatagrams(path, 1);
    using datagrams = openDatagrams(path);
    for (let at = 0; at < 1000; at += 1) await datagrams.send(Buffer.from(String(at)));
    await until(() => reader.read.length === 1000);
    assert.deepEqual(
      reader.read.map(String),
      Array.from({ length: 1000 }, (_, at) => String(at)),
    );
  });

  it("cost next to no time of the processor while nobody reads, and none afterwards", async () => {
    await using reader = await readDatagrams(path);
    using datagrams = openDatagrams(path);
    await datagrams.send(Buffer.from("loaded"));
    await until(() => reader.read.length === 1);
    reader.signal("SIGSTOP");
    let sent = 0;
    const all = Promise.all(
      Array.from({ length: 700 }, async () => {
        await datagrams.send(Buffer.alloc(1000));
        sent += 1;
      }),
    );
    // Until the kernel has no more room: what was sent before is work.
    for (let before = -1; before < sent; await wait(100)) before = sent;
    assert.ok((await leastUsed()) < 200, "while nobody reads");
    assert.ok(sent < 700, `all ${sent} were taken by a kernel that should have had no room`);
    reader.signal("SIGCONT");
    await all;
    await until(() => reader.read.length === 701);
    assert.ok((await leastUsed()) < 200, "afterwards");
  });

  it("say by name what does not go", async () => {
    using datagrams = openDatagrams(path);
    await assert.rejects(datagrams.send(Buffer.from("x")), { code: "ENOENT" });
    {
      await using reader = await readDatagrams(path);
      await assert.rejects(datagrams.send(Buffer.alloc(8 * 1024 * 1024)), { code: "EMSGSIZE" });
      await datagrams.send(Buffer.from("after what was too large"));
      await until(() => reader.read.length === 1);
    }
    await assert.rejects(datagrams.send(Buffer.from("x")), { code: "ECONNREFUSED" });
  });

  it("are bound in number while they wait, and let go when they are no longer wanted", async () => {
    await using reader = await readDatagrams(path);
    const datagrams = openDatagrams(path);
    await datagrams.send(Buffer.from("loaded"));
    reader.signal("SIGSTOP");
    const all = Promise.allSettled(
      Array.from({ length: 5000 }, () => datagrams.send(Buffer.alloc(100))),
    );
    await wait(50);
    datagrams[Symbol.dispose]();
    const codes = (await all).map((one) =>
      one.status === "rejected" ? systemCode(one.reason) : "sent",
    );
    assert.equal(codes.filter((code) => code === "ENOBUFS").length, 5000 - 1024);
    assert.ok(codes.includes("ECANCELED"));
    await assert.rejects(datagrams.send(Buffer.from("x")), { code: "ECANCELED" });
  });

  it("go to paths only", () => {
    assert.throws(() => openDatagrams("@abstract"), TypeError);
  });
});

/** Milliseconds of the processor that this process uses in 600, at the least: what asks again and again uses them all, collecting garbage is done once. */
async function leastUsed(): Promise<number> {
  const used = [];
  for (let at = 0; at < 3; at += 1) {
    const before = process.cpuUsage();
    await wait(600);
    const { user, system } = process.cpuUsage(before);
    used.push((user + system) / 1000);
  }
  return Math.min(...used);
}
