import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { before, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { parseNodeId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import type { Config } from "../config/schema.ts";
import { makeDemoSite } from "../daemon/demo/site.ts";
import { attend } from "../daemon/notify/attend.ts";
import { heedReloads } from "../daemon/notify/heed-reloads.ts";
import { openPartRun, type StartPart } from "../daemon/notify/part-run.ts";
import { recorderReload } from "../daemon/record/reload-recorder.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents, NEVER } from "./fakes/rig.ts";
import { openServiceManager } from "./fakes/service-manager.ts";
import { until } from "./fakes/until.ts";

const CLI = fileURLToPath(new URL("../daemon/cli/bewaard.ts", import.meta.url));

describe("a reload of a box that systemd runs", function () {
  this.timeout(240_000);

  it("goes by a valid configuration, and on by the old one where it is not, or core refuses it", async () => {
    await using folder = await temporaryFolder();
    using manager = openServiceManager(folder.path);
    await makeDemoSite(systemClock, folder.path, ["bc-0101"], 2, NEVER);
    const yaml = join(folder.path, "bewaard.yaml");
    const good = await readFile(yaml, "utf8");
    const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, NOTIFY_SOCKET: manager.path };
    const args = [CLI, "-c", yaml, "run"];
    const box = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    const journal: string[] = [];
    createInterface({ input: box.stderr }).on("line", (line) => journal.push(line));
    const said = (event: string): number =>
      journal.filter((line) => line.includes(`"event":"${event}"`)).length;
    const ended = once(box, "exit");
    let reloads = 0;
    const reload = async (text: string): Promise<void> => {
      await writeFile(yaml, text);
      box.kill("SIGHUP");
      reloads += 1;
      await until(() => manager.told("RELOADING").length === reloads);
      await until(() => manager.told("READY").length === reloads + 1);
    };
    try {
      await until(() => manager.told("READY").length === 1);
      await until(() => said("config-changed") === 1);

      await reload(`${good}\nnonsense: 1\n`);
      await until(() => said("reload-refused") === 1);
      assert.equal(said("config-changed"), 1);

      const other = good.replace("limit: 20 GB", "limit: 10 GB");
      assert.notEqual(other, good);
      await reload(other);
      await until(() => said("config-changed") === 2);
      assert.equal(said("reload-refused"), 1);

      // Valid by itself; but what it widens nobody has consented to.
      await reload(other.replace("policy: den-haag", "policy: arnhem"));
      await until(() => said("reload-refused") === 2);
      for (const usec of manager.told("MONOTONIC_USEC")) assert.match(usec, /^\d+$/);
      // The recorder was told of another spool, and went on.
      await until(() => said("reload-waits") > 0);
      assert.equal(box.exitCode, null);
    } finally {
      box.kill("SIGTERM");
      await ended;
    }
    assert.equal(box.exitCode, 0, journal.slice(-3).join("\n"));
  });
});

describe("a part that is to go by another configuration", () => {
  let any: Config;

  before(async () => {
    await using folder = await temporaryFolder();
    any = (await makeDemoSite(systemClock, folder.path, ["bc-0101"], 2, NEVER)).config;
  });

  /** One that is told from others by its node. */
  const named = (name: string): Config => ({ ...any, node: parseNodeId(name) });

  /** Runs a part which does as `start` says, by configurations that are no more than a name. */
  async function played(start: StartPart, body: (goBy: (name: string) => void) => Promise<void>) {
    const said: string[] = [];
    const events = capturedEvents(said);
    const attending = attend(systemClock, events, undefined, ["core"]);
    const part = openPartRun(events, attending, "core", start, named("first"));
    const stop = new AbortController();
    const running = part.run(stop.signal);
    running.catch(() => undefined);
    await body((name) => part.goBy(named(name)));
    stop.abort();
    await running;
    return said;
  }

  it("ends before it begins anew, and goes back where it cannot begin", async () => {
    const ran: string[] = [];
    const start: StartPart = async (attendant, { node }, signal) => {
      ran.push(`${node} opens`);
      if (node === "bad") throw new BewaardError("CONFIG_UNAPPROVED", "no");
      attendant.begun("core", { conditions: [], line: () => "" });
      if (!signal.aborted) await once(signal, "abort");
      ran.push(`${node} closed`);
    };
    const said = await played(start, async (goBy) => {
      goBy("second");
      await until(() => ran.includes("second opens"));
      goBy("bad");
      await until(() => ran.filter((one) => one === "second opens").length === 2);
    });
    assert.deepEqual(ran, [
      "first opens",
      "first closed",
      "second opens",
      "second closed",
      "bad opens",
      "second opens",
      "second closed",
    ]);
    assert.deepEqual(said, ["reload-refused"]);
  });

  it("may be cut off in the middle of its start; a bug is one then too", async () => {
    const ran: string[] = [];
    const bug: { thrown?: Error } = {};
    const start: StartPart = async (_, { node }, signal) => {
      ran.push(node);
      await once(signal, "abort");
      if (bug.thrown) throw bug.thrown;
      signal.throwIfAborted();
    };
    await played(start, async (goBy) => {
      goBy("second");
      await until(() => ran.length === 2);
    });
    // A stop that is heard in there is no failure: systemd would call the unit failed.
    assert.deepEqual(ran, ["first", "second"]);
    bug.thrown = new TypeError("a bug");
    await assert.rejects(
      played(start, async (goBy) => goBy("third")),
      TypeError,
    );
  });

  it("ends the process where it fails later, or at its first start", async () => {
    let failed = false;
    const failing: StartPart = async (attendant, { node }, signal) => {
      attendant.begun("core", { conditions: [], line: () => "" });
      if (node === "first") {
        await once(signal, "abort");
        return;
      }
      failed = true;
      throw new BewaardError("SPOOL_IO", "broke", { transient: true });
    };
    await assert.rejects(
      played(failing, async (goBy) => {
        goBy("second");
        await until(() => failed);
      }),
      { code: "SPOOL_IO" },
    );
    const never: StartPart = () => Promise.reject(new BewaardError("SPOOL_IDENTITY", "other"));
    await assert.rejects(
      played(never, async () => undefined),
      { code: "SPOOL_IDENTITY" },
    );
  });

  it("is told of nothing where the configuration cannot be read", async () => {
    const said: string[] = [];
    const events = capturedEvents(said);
    const attending = attend(systemClock, events, undefined, ["core"]);
    const went: Config[] = [];
    let reads = 0;
    const read = async (): Promise<Config> => {
      reads += 1;
      if (reads === 1) throw new BewaardError("CONFIG_INVALID", "line 3");
      return named("second");
    };
    const part = { goBy: (config: Config) => void went.push(config) };
    async function* twice() {
      yield;
      yield;
    }
    await heedReloads(events, attending, [part], read, twice());
    assert.deepEqual(
      went.map(({ node }) => node),
      ["second"],
    );
    assert.deepEqual(said, ["reload-refused"]);
  });

  it("is no recorder: that goes on, takes up its cameras, and says what waits", async () => {
    const said: string[] = [];
    const recorder = recorderReload(capturedEvents(said), any);
    recorder.goBy({ ...any, bodycams: [] });
    assert.deepEqual(said, [], "that is the dock's");
    recorder.goBy({ ...any, spool: { ...any.spool, limit: 1 } });
    assert.deepEqual(said.splice(0), ["reload-waits"]);
    const stop = new AbortController();
    const configs = recorder.configs(stop.signal)[Symbol.asyncIterator]();
    const first = await configs.next();
    assert.deepEqual(first.value, any);
    const next = configs.next();
    recorder.goBy({ ...any, cameras: [] });
    const second = await next;
    assert.ok(second.done !== true);
    assert.deepEqual([second.value.cameras, said], [[], []]);
    const last = configs.next();
    stop.abort();
    assert.equal((await last).done, true);
  });
});
