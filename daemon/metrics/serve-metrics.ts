import { once } from "node:events";
import { chmod, mkdir, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { ListenOptions } from "node:net";
import { dirname } from "node:path";
import { atMostEvery } from "#base/at-most-every";
import { BewaardError, systemCode } from "#base/errors";
import { type Clock, every, HOUR_MS, MINUTE_MS, SECOND_MS } from "#base/time";
import type { Events } from "../events.ts";
import type { Metric } from "./metric.ts";
import { OPENMETRICS, openMetricsText } from "./openmetrics.ts";

/** Several that read are served from one look. */
const KEEP_MS = 2 * SECOND_MS;
const PATIENCE_MS = 10 * SECOND_MS;
const MOST = 8;

/**
 * Lets programs on this machine read metrics at `where`, until the signal aborts; nobody where that is undefined. Where it
 * cannot listen that is said, once an hour, and tried again each minute: nothing else waits for it.
 */
export async function serveMetrics(
  clock: Clock,
  events: Events,
  where: ListenOptions | undefined,
  measure: () => Promise<readonly Metric[]>,
  signal: AbortSignal,
): Promise<void> {
  if (where === undefined) return;
  const hourly = atMostEvery(clock, HOUR_MS);
  for await (const _ of every(clock, MINUTE_MS, signal)) {
    try {
      await serve(where, textOf(clock, measure), signal);
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined) throw error;
      if (hourly(code)) events.metricsDelayed(code);
    }
  }
}

/** The text as it was at most `KEEP_MS` ago. */
function textOf(clock: Clock, measure: () => Promise<readonly Metric[]>): () => Promise<string> {
  let text: Promise<string> | undefined;
  let atMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (text === undefined || clock.uptimeMs() - atMs > KEEP_MS) {
      atMs = clock.uptimeMs();
      text = measure().then(openMetricsText);
    }
    return text;
  };
}

async function serve(
  where: ListenOptions,
  read: () => Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  const server = await openServer(read, reject);
  if (where.path !== undefined) await makeWay(where.path);
  try {
    server.listen(where);
    await once(server, "listening", { signal });
    // One who cannot be let in, on a machine without another file, is not.
    server.on("error", () => undefined);
    if (where.path !== undefined) await chmod(where.path, 0o660);
    if (!signal.aborted) await Promise.race([once(signal, "abort"), broken]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Its group may pass through the folder. A socket that a crash left is replaced: core's lease says that nobody else listens there. */
async function makeWay(path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o710);
  await rm(path, { force: true });
}

/** Loaded where it is needed only. What is foreseen to fail is told the reader; `bug` gets the rest. */
async function openServer(
  read: () => Promise<string>,
  bug: (error: unknown) => void,
): Promise<Server> {
  const { createServer } = await import("node:http");
  const patience = { headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS };
  const options = { ...patience, keepAliveTimeout: PATIENCE_MS, maxHeaderSize: 8192 };
  const server = createServer(options, ({ method, url }, response) => {
    if (url !== "/metrics") return void response.writeHead(404).end();
    if (method !== "GET" && method !== "HEAD")
      return void response.writeHead(405, { allow: "GET, HEAD" }).end();
    read().then(
      (text) => response.writeHead(200, { "content-type": OPENMETRICS }).end(text),
      (error: unknown) => {
        response.writeHead(503).end();
        if (!(error instanceof BewaardError)) bug(error);
      },
    );
    return undefined;
  });
  server.maxConnections = MOST;
  return server;
}
