import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as immediate } from "node:timers";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { type Clock, MINUTE_MS, SECOND_MS } from "#base/time";
import { attend } from "../daemon/notify/attend.ts";
import type { Condition, Part } from "../daemon/notify/attendant.ts";
import { openManager } from "../daemon/notify/manager.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { capturedEvents } from "./fakes/rig.ts";
import { openServiceManager, type ServiceManager } from "./fakes/service-manager.ts";
import { until } from "./fakes/until.ts";

const NO_CONDITIONS: Pick<Part, "conditions"> = { conditions: [] };
const TIMES = 500;
/** So that a look of ten seconds takes 20 ms of the test's time. */
const FAST: Clock = {
  ...systemClock,
  uptimeMs: () => systemClock.uptimeMs() * TIMES,
  sleep: (ms, signal) => systemClock.sleep(Math.ceil(ms / TIMES), signal),
};

interface Play {
  readonly manager: ServiceManager;
  readonly attending: ReturnType<typeof attend>;
  readonly said: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Attends to the parts `names`, as systemd would have it, while `body` plays; then stops. */
async function play(
  names: readonly string[],
  body: (play: Play) => Promise<void>,
  environment: NodeJS.ProcessEnv = {},
): Promise<ServiceManager> {
  await using folder = await temporaryFolder();
  using manager = openServiceManager(folder.path);
  environment["NOTIFY_SOCKET"] = manager.path;
  using opened = openManager(environment, process.pid);
  const said: string[] = [];
  const attending = attend(FAST, capturedEvents(said), opened, names);
  const stop = new AbortController();
  const running = attending.run(stop.signal);
  running.catch(() => undefined);
  try {
    await body({ manager, attending, said, environment });
  } finally {
    stop.abort();
    await running;
  }
  await until(() => manager.told("STOPPING").length > 0);
  return manager;
}

describe("what systemd is told", () => {
  it("is READY once, when every part has begun and what it needs holds; STOPPING at the end", async () => {
    let takes: boolean | "fails" = false;
    const slow: Condition = {
      what: "the spool takes files",
      holds: async () => {
        if (takes === "fails") throw new BewaardError("SPOOL_IO", "refused", { transient: true });
        return takes;
      },
    };
    const { heard } = await play(["core", "dock"], async ({ manager, attending }) => {
      await until(() => manager.told("STATUS").includes("starting: core, dock"));
      attending.begun("core", { conditions: [slow], line: () => "backlog 0; ring 61 %" });
      await until(() => manager.told("STATUS").includes("starting: dock"));
      assert.deepEqual(manager.told("EXTEND_TIMEOUT_USEC"), [], "a start that hangs is ended");
      attending.begun("dock", { ...NO_CONDITIONS, line: () => "docks empty" });
      await until(() => manager.told("STATUS").includes("waits until the spool takes files"));
      takes = "fails";
      await until(() => manager.told("EXTEND_TIMEOUT_USEC").length > 20);
      assert.deepEqual(manager.told("READY"), []);
      takes = true;
      await until(() => manager.told("READY").length > 0);
      takes = false;
      await until(() => manager.told("STATUS").includes("docks empty; backlog 0; ring 61 %"));
    });
    assert.equal(heard.filter((one) => one.includes("READY=1")).length, 1);
    assert.equal(heard.at(-1), "STOPPING=1\nSTATUS=stopping");
  });

  it("is how it does in one line, when that has changed", async () => {
    let asked = 0;
    let busy = 0;
    const line = (): string => {
      asked += 1;
      return `${busy} docks busy`;
    };
    await play(["dock"], async ({ manager, attending }) => {
      attending.begun("dock", { ...NO_CONDITIONS, line });
      await until(() => asked > 20);
      busy = 2;
      await until(() => manager.told("STATUS").includes("2 docks busy"));
      assert.deepEqual(
        manager.told("STATUS").filter((one) => one !== "starting: dock"),
        ["0 docks busy", "2 docks busy"],
      );
    });
  });

  it("leaves out of the line what cannot be seen now, and ends for a bug", async () => {
    const away = async (): Promise<string> => {
      throw new BewaardError("CATALOG_BUSY", "busy", { transient: true });
    };
    await play(["core", "dock"], async ({ manager, attending }) => {
      attending.begun("core", { ...NO_CONDITIONS, line: away });
      attending.begun("dock", { ...NO_CONDITIONS, line: () => "docks empty" });
      await until(() => manager.told("STATUS").includes("docks empty; core unseen"));
    });
    const bug = play(["core"], async ({ attending }) => {
      attending.begun("core", {
        ...NO_CONDITIONS,
        line: () => {
          throw new TypeError("a bug");
        },
      });
      await systemClock.sleep(SECOND_MS / 2, new AbortController().signal);
    });
    await assert.rejects(bug, TypeError);
  });

  it("costs nobody a stop in order, or a reload: a part that ends meanwhile has closed what it had", async () => {
    const closes = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
    let asked = 0;
    await play(["core"], async ({ manager, attending }) => {
      const line = async (): Promise<string> => (await closes[asked++]?.promise) ?? "";
      attending.begun("core", { ...NO_CONDITIONS, line });
      await until(() => asked === 1);
      await attending.reload(async () => attending.ends("core"));
      closes[0].reject(new Error("closed"));
      await until(() => manager.told("STATUS").includes("starting: core"));
      attending.begun("core", { ...NO_CONDITIONS, line });
      await until(() => asked === 2);
      immediate(() => closes[1].reject(new Error("closed")));
    });
  });

  it("is that it lives, while no loop hangs: one that blocks is the end of that (the watchdog)", async () => {
    const environment = { WATCHDOG_USEC: String(MINUTE_MS * 1000), WATCHDOG_PID: `${process.pid}` };
    let wake = Promise.withResolvers<void>();
    const stop = new AbortController();
    await play(
      ["core"],
      async ({ manager, attending, said }) => {
        attending.begun("core", { ...NO_CONDITIONS, line: () => "" });
        const loop = attending.loop("store", MINUTE_MS, async (clock, signal) => {
          while (!signal.aborted) {
            await clock.sleep(SECOND_MS, signal).catch(() => undefined);
            await wake.promise;
          }
        });
        wake.resolve();
        const running = loop(stop.signal);
        await until(() => manager.told("WATCHDOG").length > 5);
        wake = Promise.withResolvers<void>();
        await until(() => said.includes("loop-late"));
        const fed = manager.told("WATCHDOG").length;
        await systemClock.sleep(SECOND_MS, new AbortController().signal);
        assert.equal(manager.told("WATCHDOG").length, fed);
        assert.deepEqual(said, ["loop-late"]);
        stop.abort();
        wake.resolve();
        await running;
      },
      environment,
    );
    assert.deepEqual(Object.keys(environment), [], "no child may speak for this process");
  });

  it("is nothing where nobody asks, and costs no loop then", async () => {
    assert.equal(openManager({}, 1), undefined);
    for (const other of ["vsock:2:1234", "@abstract", ""])
      assert.equal(openManager({ NOTIFY_SOCKET: other }, 1), undefined);
    const attending = attend(FAST, capturedEvents([]), undefined, ["core"]);
    await attending.run(new AbortController().signal);
  });

  it("has no watchdog that watches another process, or does not say how long it waits", () => {
    const watchdogOf = (more: NodeJS.ProcessEnv): number | undefined => {
      using manager = openManager({ NOTIFY_SOCKET: "/run/none", ...more }, 17);
      return manager?.watchdogMs;
    };
    assert.equal(watchdogOf({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "17" }), MINUTE_MS);
    assert.equal(watchdogOf({ WATCHDOG_USEC: "60000000" }), MINUTE_MS);
    assert.equal(watchdogOf({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "18" }), undefined);
    for (const odd of ["", "0", "-1", "1e9", "6 0", "99999999999999999"])
      assert.equal(watchdogOf({ WATCHDOG_USEC: odd }), undefined, odd);
    assert.equal(watchdogOf({}), undefined);
  });

  it("is said to be unheard when systemd does not listen, and told again when it does", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "notify");
    using opened = openManager({ NOTIFY_SOCKET: path }, 1);
    const said: string[] = [];
    const attending = attend(FAST, capturedEvents(said), opened, ["core"]);
    const stop = new AbortController();
    const running = attending.run(stop.signal);
    attending.begun("core", { ...NO_CONDITIONS, line: () => "backlog 0" });
    await until(() => said.includes("manager-unheard"));
    using manager = openServiceManager(folder.path);
    await until(() => manager.told("READY").length === 1);
    assert.deepEqual(manager.told("STATUS"), ["backlog 0"]);
    assert.deepEqual(said, ["manager-unheard"]);
    stop.abort();
    await running;
    await rm(path, { force: true });
  });
});
