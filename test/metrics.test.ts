import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { parseListen } from "../config/alarm-schema.ts";
import { writeRaised } from "../daemon/alarms/raised.ts";
import { measure } from "../daemon/metrics/measure.ts";
import { METRIC_NAMES, type Metric } from "../daemon/metrics/metric.ts";
import { OPENMETRICS, openMetricsText } from "../daemon/metrics/openmetrics.ts";
import { serveMetrics } from "../daemon/metrics/serve-metrics.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { readOpenMetrics } from "./fakes/openmetrics.ts";
import { capturedEvents, handClock, NEVER, openRig, START } from "./fakes/rig.ts";
import { until } from "./fakes/until.ts";

const HELP = "What is measured here.";
const ONE: Metric = { name: "bewaard_segments", help: HELP, labels: ["state"], samples: [] };

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

async function answers(where: object): Promise<boolean> {
  return ask(where).then(
    () => true,
    () => false,
  );
}

describe("metrics", () => {
  it("are OpenMetrics text, each that there is and no other, of a box at rest", async () => {
    await using rig = await openRig();
    const text = await openMetricsText(await measure(rig.database));
    const found = readOpenMetrics(text);
    assert.deepEqual(new Set(found.map(({ name }) => name)), new Set(METRIC_NAMES));
    assert.ok(found.filter(({ name }) => name === "bewaard_alarm_raised").length > 0);
    for (const { name, value } of found)
      if (name === "bewaard_alarm_raised") assert.equal(value, 0);
  });

  it("count what alarms were raised about, and footage by its state", async () => {
    await using rig = await openRig();
    await rig.keep("beeld");
    await writeRaised(rig.database, [{ alarm: "upload-late", about: "", at: START, stage: 0 }]);
    const found = readOpenMetrics(await openMetricsText(await measure(rig.database)));
    const valueOf = (name: string, labels: object) =>
      found.find(
        (one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels),
      )?.value;
    assert.equal(valueOf("bewaard_alarm_raised", { alarm: "upload-late" }), 1);
    assert.equal(valueOf("bewaard_segments", { state: "stored" }), 1);
    assert.equal(valueOf("bewaard_segments", { state: "sealed" }), 0);
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
    const path = join(folder.path, "metrics.sock");
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
    const path = join(folder.path, "metrics.sock");
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
    const path = join(folder.path, "metrics.sock");
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
    const nowhere = { path: join(folder.path, "gone", "metrics.sock") };
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
    const imports = [...text.matchAll(/^import (?!type).*$/gm)].map(([line]) => line);
    assert.deepEqual(imports, []);
    assert.match(text, /await import\("prom-client"\)/);
  });
});
