import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { HOUR_MS, MINUTE_MS, plus } from "#base/time";
import { parseListen } from "../config/alarm-schema.ts";
import { ALARM_NAMES } from "../daemon/alarms/alarm.ts";
import { writeRaised } from "../daemon/alarms/raised.ts";
import { shownStatus } from "../daemon/cli/shown.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { lookAtTrust } from "../daemon/fitness/clock.ts";
import { THIS_MACHINE } from "../daemon/fitness/seen.ts";
import { measure } from "../daemon/metrics/measure.ts";
import { METRICS, type Metric, type MetricName } from "../daemon/metrics/metric.ts";
import { OPENMETRICS, openMetricsText } from "../daemon/metrics/openmetrics.ts";
import { serveMetrics } from "../daemon/metrics/serve-metrics.ts";
import { vaultFolder } from "../daemon/places.ts";
import type { Shown } from "../daemon/record/board.ts";
import { serviceOf } from "../daemon/record/wall-camera.ts";
import { openRoomLeft } from "../daemon/room-left.ts";
import { recordPairing, recordSeen } from "../storage/catalog/bodycams.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { type Exposed, readOpenMetrics } from "./fakes/openmetrics.ts";
import { capturedEvents, handClock, NEVER, named, openRig, type Rig, START } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";
import { until } from "./fakes/until.ts";

const ONE: Metric = {
  name: "bewaard_segments",
  samples: [{ labels: { state: "sealed" }, value: 0 }],
};

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

async function ask(where: object, path = "/metrics", method = "GET"): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ ...where, path, method, agent: false }, resolve)
    .on("error", reject)
    .end();
  const response = await promise;
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode, type: response.headers["content-type"], text };
}

/** A port of this machine that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Serves what `measured` gives while `body` asks; returns what was said. */
async function whileServing(
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  measured: () => Promise<readonly Metric[]>,
  body: (said: readonly string[]) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const said: string[] = [];
  const serving = serveMetrics(
    handClock(START),
    capturedEvents(said),
    where,
    measured,
    stop.signal,
  );
  try {
    await Promise.race([serving, body(said)]);
  } finally {
    stop.abort();
    await serving;
  }
}

const NUMBERS = ["cam-0001", "cam-0002", "cam-0003"].map(parseDeviceId);

function shown(device: string, state: Shown["state"]): Shown {
  return { device: parseDeviceId(device), state, since: START, code: null, offsetMs: null };
}

async function measuredOf(rig: Rig, states: readonly Shown[]): Promise<readonly Exposed[]> {
  const limits = { limitBytes: 1e12, keepFreeBytes: 0 };
  const metrics = await measure(
    rig.clock,
    {
      database: rig.database,
      level: rig.vault.level,
      limitBytes: limits.limitBytes,
      askRoomLeft: openRoomLeft(rig.clock, rig.database, rig.spool, limits),
      askStates: async () => states,
      cameras: NUMBERS.map((number) => ({
        number,
        service: serviceOf(states.length > 0 && number !== "cam-0002", undefined),
      })),
    },
    NEVER,
  );
  return readOpenMetrics(await openMetricsText(metrics));
}

function valueOf(found: readonly Exposed[], name: MetricName, labels: object): number | undefined {
  const key = JSON.stringify(labels);
  return found.find((one) => one.name === name && JSON.stringify(one.labels) === key)?.value;
}

async function answers(where: object): Promise<boolean> {
  return ask(where).then(
    () => true,
    () => false,
  );
}

describe("metrics", () => {
  it("are OpenMetrics text of a box at rest, and say nothing of what there is none of", async () => {
    await using rig = await openRig();
    const found = await measuredOf(rig, []);
    const names = new Set(found.map(({ name }) => name));
    const none = [
      "bewaard_backup_timestamp_seconds",
      "bewaard_camera_recording",
      "bewaard_checkpoint_timestamp_seconds",
      "bewaard_desk_heard_timestamp_seconds",
      "bewaard_disk_left_seconds",
      "bewaard_upload_oldest_timestamp_seconds",
    ];
    assert.deepEqual([...names, ...none].toSorted(), Object.keys(METRICS).toSorted());
    assert.equal(valueOf(found, "bewaard_clock_trusted", {}), 0);
    for (const alarm of ALARM_NAMES)
      assert.equal(valueOf(found, "bewaard_alarm_raised", { alarm }), 0);
  });

  it("tell what alarms were raised, how footage is, what waits, and which camera is recorded", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    const id = await rig.record("ander beeld", named(1));
    await rig.adoptOnce();
    await writeRaised(rig.database, [{ alarm: "upload-late", about: "", at: START, stage: 0 }]);
    rig.clock.move(HOUR_MS);
    const found = await measuredOf(rig, [
      shown("cam-0001", "recording"),
      shown("cam-0003", "stalled"),
    ]);
    const of = (name: MetricName, labels = {}) => valueOf(found, name, labels);
    assert.equal(of("bewaard_alarm_raised", { alarm: "upload-late" }), 1);
    assert.equal(of("bewaard_segments", { state: "stored" }), 1);
    assert.equal(of("bewaard_segments", { state: "sealed" }), 1, id);
    const oldest = of("bewaard_upload_oldest_timestamp_seconds") ?? 0;
    assert.ok(oldest >= START / 1000 && oldest < START / 1000 + 60);
    assert.ok((of("bewaard_disk_left_seconds") ?? 0) > 0);
    assert.ok((of("bewaard_ring_bytes") ?? 0) > 0);
    const cameras = found.filter(({ name }) => name === "bewaard_camera_recording");
    assert.deepEqual(
      cameras.map(({ labels, value }) => [labels["device"], value]),
      // The third is out of service.
      [
        ["cam-0001", 1],
        ["cam-0003", 0],
      ],
    );
  });

  it("are the same whichever bodycam came into a slot, and when: its wearer's shift would be read from them", async () => {
    await using rig = await openRig();
    const looks = { vendor: "0b6a", product: "1234", serial: "A1", idFileSha256: null };
    const more = { profile: "generic-dcim", by: "beheer" };
    const [one, other] = ["bc-0201", "bc-0202"].map(parseDeviceId);
    assert.ok(one !== undefined && other !== undefined);
    for (const device of [one, other])
      await recordPairing(rig.database, START, { ...looks, ...more, device, volume: device });
    const before = await measuredOf(rig, []);
    await recordSeen(rig.database, plus(START, HOUR_MS), [one], true);
    assert.deepEqual(await measuredOf(rig, []), before);
    assert.ok(before.every(({ labels }) => !labels["device"]?.startsWith("bc-")));
  });

  it("stay OpenMetrics text whatever a label is", async () => {
    for (const state of ['"', "\\", "a\nb", '},x="y', "é"]) {
      const text = await openMetricsText([{ ...ONE, samples: [{ labels: { state }, value: 1 }] }]);
      assert.deepEqual(readOpenMetrics(text), [{ name: ONE.name, labels: { state }, value: 1 }]);
    }
  });

  it("are had from the address of this machine alone that is configured, at one path", async () => {
    const where = { host: "127.0.0.1", port: await freePort() };
    const measured = async () => [{ ...ONE, samples: [{ labels: { state: "sealed" }, value: 3 }] }];
    await whileServing(where, measured, async () => {
      await until(() => answers(where));
      const { status, type, text } = await ask(where);
      assert.deepEqual([status, type], [200, OPENMETRICS]);
      assert.equal(readOpenMetrics(text)[0]?.value, 3);
      assert.equal((await ask(where, "/")).status, 404);
      assert.equal((await ask(where, "/metrics", "POST")).status, 405);
      // Another address of the same machine is another one.
      assert.equal(await answers({ ...where, host: "127.0.0.2" }), false);
    });
    assert.equal(await answers(where), false);
  });

  it("are had from a socket too, also where a crash left one", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "metrics", "metrics.sock");
    await mkdir(join(folder.path, "metrics"));
    await writeFile(path, "");
    await whileServing(
      { path },
      async () => [ONE],
      async () => {
        await until(() => answers({ socketPath: path }));
        assert.equal((await ask({ socketPath: path })).text.endsWith("# EOF\n"), true);
      },
    );
  });

  it("are not to be had while they cannot be measured, and are afterwards", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "metrics", "metrics.sock");
    let isFull = true;
    const measured = async () => {
      if (isFull) throw new BewaardError("CATALOG_IO", "the disk refuses", { transient: true });
      return [ONE];
    };
    const stop = new AbortController();
    const clock = handClock(START);
    const serving = serveMetrics(clock, capturedEvents([]), { path }, measured, stop.signal);
    await until(() => answers({ socketPath: path }));
    assert.deepEqual(await ask({ socketPath: path }), { status: 503, type: undefined, text: "" });
    isFull = false;
    clock.move(5000);
    assert.equal((await ask({ socketPath: path })).status, 200);
    stop.abort();
    await serving;
  });

  it("end the process when measuring them has a bug, and say where they cannot be had", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "metrics", "metrics.sock");
    const bug = async (): Promise<never> => {
      throw new TypeError("a bug");
    };
    const serving = serveMetrics(handClock(START), capturedEvents([]), { path }, bug, NEVER);
    let isOver = false;
    const over = serving.catch(() => undefined).finally(() => (isOver = true));
    await until(async () => {
      await ask({ socketPath: path }).catch(() => undefined);
      return isOver;
    });
    await over;
    await assert.rejects(serving, TypeError);
    const nowhere = { path: join(folder.path, "a file", "metrics.sock") };
    await writeFile(join(folder.path, "a file"), "");
    await whileServing(
      nowhere,
      async () => [ONE],
      async (said) => {
        await until(async () => said.includes("metrics-delayed"));
      },
    );
  });
});

describe("where metrics are to be had", () => {
  it("is this machine alone, or the socket", () => {
    assert.deepEqual(parseListen("127.0.0.1:9464"), { host: "127.0.0.1", port: 9464 });
    assert.deepEqual(parseListen("[::1]:9464"), { host: "::1", port: 9464 });
    assert.equal(parseListen("socket"), "socket");
    for (const refused of [
      "0.0.0.0:9464",
      "[::]:9464",
      "[::ffff:10.0.0.1]:9464",
      "192.0.2.10:9464",
      "localhost:9464",
      "127.0.0.1",
      "127.0.0.1:0",
      "127.0.0.1:70000",
      "127.0.0.256:80",
      "127.1:9464",
      ":9464",
      "9464",
      "/tmp/socket",
      "127.0.0.1:9464 ",
    ])
      assert.equal(parseListen(refused), undefined, refused);
  });
});

describe("the library that writes metrics", () => {
  it("is loaded by nothing but the first reading of them", () => {
    const text = readFileSync(new URL("../daemon/metrics/openmetrics.ts", import.meta.url), "utf8");
    assert.doesNotMatch(text, /^import (?!type)[^;]*"prom-client"/m);
    assert.match(text, /await import\("prom-client"\)/);
  });
});

describe("the rules for Prometheus", () => {
  const rules = z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(
          z.strictObject({
            alert: z.string().regex(/^Bewaard[A-Za-z]+$/),
            expr: z.string(),
            for: z.string().optional(),
            labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
            annotations: z.strictObject({ summary: z.string(), description: z.string() }),
          }),
        ),
      }),
    ),
  });

  it("tell of each alarm, and of what is measured only", () => {
    const text = readFileSync(new URL("../docs/prometheus-rules.yaml", import.meta.url), "utf8");
    const all = rules.parse(parse(text)).groups.flatMap((group) => group.rules);
    assert.equal(new Set(all.map(({ alert }) => alert)).size, all.length);
    const said = all.map(({ expr }) => expr).join("\n");
    const alarms = [...said.matchAll(/bewaard_alarm_raised\{alarm="([a-z-]+)"\}/g)];
    assert.deepEqual(alarms.map(([, name = ""]) => name).toSorted(), ALARM_NAMES.toSorted());
    for (const [name] of text.matchAll(/\bbewaard_[a-z_]+/g))
      assert.ok(Object.hasOwn(METRICS, name), name);
  });
});

describe("docs/operations.md", () => {
  const text = readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8");
  const section = (name: string) => text.split(`\n## ${name}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = (name: string) =>
    [...section(name).matchAll(/^\| `([a-z_-]+)`/gm)].map(([, one]) => one);

  it("has each alarm, and each metric, and none that is gone", () => {
    assert.deepEqual(rows("Alarms"), ALARM_NAMES.toSorted());
    assert.deepEqual(rows("Metrics"), Object.keys(METRICS).toSorted());
  });
});

describe("a box with an alarm", () => {
  it("shows it in status, check and metrics until it is over", async () => {
    await using site = await openSite(START, ["bc-0101"], 40);
    const listen = { metrics: { listen: "socket" } };
    const config = { ...site.demo.config, ...listen };
    const where = { socketPath: join(config.state, "metrics", "metrics.sock") };
    const said = await whileRunning(
      site,
      async (asked, signal) => {
        const raised = async () =>
          (await asked("status", {})).alarms.filter(({ about }) => about === "");
        const names = async () => (await raised()).map(({ alarm }) => alarm);
        assert.ok(
          await passUntil(
            site.clock,
            MINUTE_MS,
            HOUR_MS,
            async () => (await raised()).length === 0,
            signal,
          ),
        );
        site.clock.jump(2 * HOUR_MS);
        const told = async () => (await names()).includes("clock-untrusted");
        assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, told, signal));
        const text = shownStatus(await asked("status", {}));
        assert.match(text, /ALARM: tijd niet vertrouwd \/ time not trusted, sinds \/ since/);
        const found = readOpenMetrics((await ask(where)).text);
        assert.equal(valueOf(found, "bewaard_alarm_raised", { alarm: "clock-untrusted" }), 1);
        assert.equal(valueOf(found, "bewaard_clock_trusted", {}), 0);
        await asked("clock.confirm", { timeMs: site.clock.now(), by: "test" });
        const over = async () => !(await told());
        assert.ok(await passUntil(site.clock, MINUTE_MS, HOUR_MS, over, signal));
        const vault = vaultFolder(config.vault);
        await rename(vault, `${vault}-away`);
        await asked("clock.confirm", { timeMs: site.clock.now(), by: "test" });
        const missed = async () => (await names()).includes("checkpoint-missed");
        assert.ok(await passUntil(site.clock, 5 * MINUTE_MS, 3 * HOUR_MS, missed, signal));
        const looked = await lookAtTrust(
          { ...THIS_MACHINE, clock: site.clock, path: "", config },
          signal,
        );
        const [first, ...others] = looked.map(({ verdict }) => verdict);
        assert.equal(first, "fit");
        assert.ok(others.length > 0 && others.every((verdict) => verdict === "warning"));
        const says = looked.map((one) => one.says.nl);
        assert.ok(
          says.some((one) => one.startsWith("alarm: logboek komt niet naar buiten, sinds 2026")),
        );
      },
      config,
    );
    assert.ok(said.includes("clock-untrusted"));
    assert.ok(said.lastIndexOf("clock-trusted") > said.indexOf("clock-untrusted"));
  });
});
