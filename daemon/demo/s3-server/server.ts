import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/system-clock";
import { type Clock, DAY_MS, every } from "#base/time";
import { answer, type Shared } from "./answer.ts";
import { type Keep, openKeep } from "./keep.ts";
import { runLifecycle } from "./lifecycle.ts";
import { type BucketFromStart, makeBucket } from "./make-bucket.ts";
import { QUIRKS } from "./quirks.ts";
import { readRequest } from "./request.ts";
import type { S3User } from "./signature.ts";

export interface S3ServerOptions {
  /** Kept when the server ends, and read when one starts on it again. Without: a folder that goes with it. */
  readonly folder?: string;
  readonly quirks: keyof typeof QUIRKS;
  readonly users: readonly S3User[];
  /** Of the first of the users. */
  readonly buckets?: readonly BucketFromStart[];
  /** How long a day of lifecycle rules lasts; a real one unless said. */
  readonly dayMs?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Time of locks and rules; the machine's unless said. */
  readonly clock?: Clock;
  /** Given by the system unless said. */
  readonly port?: number;
  readonly region?: string;
}

export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:40123` */
  readonly endpoint: string;
  readonly region: string;
}

/**
 * Starts a small S3 server on this machine, for the demo, the tests and the bench: users with policies, versions,
 * object lock, multipart and lifecycle rules, as AWS says it works or as Ceph 16 does (`quirks`).
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { tls, clock = systemClock, dayMs = DAY_MS, region = "eu-central-1" } = options;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "bewaard-s3-")));
  const keep = await openKeep(folder);
  for (const bucket of options.buckets ?? [])
    makeBucket(clock, keep, options.users[0]?.name ?? "", bucket);
  const shared: Shared = { ...options, clock, keep, region, quirks: QUIRKS[options.quirks] };
  const listening = await listen(shared, tls, options.port ?? 0);
  const ended = new AbortController();
  const rules = followRules(clock, keep, dayMs, ended.signal);
  return {
    endpoint: `${tls === undefined ? "http" : "https"}://127.0.0.1:${listening.port}`,
    region,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await rules;
      await listening[Symbol.asyncDispose]();
      keep[Symbol.dispose]();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listen(
  shared: Shared,
  tls: S3ServerOptions["tls"],
  asked: number,
): Promise<AsyncDisposable & { readonly port: number }> {
  const working = new Set<Promise<void>>();
  const accept = (incoming: IncomingMessage, response: ServerResponse, waits: boolean): void => {
    // A client that still waits need not send its body when it is refused.
    if (waits) response.shouldKeepAlive = false;
    const goOn = (): void => {
      if (waits) response.writeContinue();
    };
    const answered = answer(shared, () => readRequest(incoming, tls !== undefined, goOn), response);
    working.add(answered);
    void answered.finally(() => working.delete(answered));
  };
  const listener: RequestListener = (incoming, response) => accept(incoming, response, false);
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on("checkContinue", (incoming, response) => accept(incoming, response, true));
  // An upload may take as long as it takes.
  server.requestTimeout = 0;
  server.listen(asked, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await Promise.allSettled(working);
    },
  };
}

async function followRules(
  clock: Clock,
  keep: Keep,
  dayMs: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const _ of every(clock, dayMs, signal)) await runLifecycle(clock, keep, dayMs);
}
