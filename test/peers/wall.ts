import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { parse, stringify } from "yaml";
import { z } from "zod";

import { parseDeviceId, parseSegmentId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { dayOf, instantOf, MINUTE_MS } from "#base/time";
import { together } from "#base/together";
import { readConfiguration } from "../../config/configuration.ts";
import type { Config } from "../../config/schema.ts";
import { type Ask, asker } from "../../daemon/control/client.ts";
import type { Result } from "../../daemon/control/protocol.ts";
import { makeDemoSite } from "../../daemon/demo/site.ts";
import type { Events } from "../../daemon/events.ts";
import { runCore } from "../../daemon/main.ts";
import { unattended } from "../../daemon/notify/attendant.ts";
import { passwordName, recorderFolder, recordSocketPath, socketPath } from "../../daemon/places.ts";
import type { Shown } from "../../daemon/record/board.ts";
import { runRecord } from "../../daemon/record/run-record.ts";
import { askStates } from "../../daemon/record/states-socket.ts";
import { salvageSealed } from "../../storage/seal/salvage.ts";
import { decrypterOf } from "../../storage/seal/small.ts";
import { manifestNames } from "../../storage/spool/incoming.ts";
import { openSpool, segmentPath } from "../../storage/spool/spool.ts";
import { GOOD_BOX, GOOD_CAMERA } from "../fakes/configuration.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { capturedEvents, NEVER } from "../fakes/rig.ts";

/** A box with cameras in a building, on this machine's own clock, in a folder of the test's own. */
export interface Wall extends AsyncDisposable {
  readonly folder: string;
  readonly config: Config;
  readonly configPath: string;
  /** Names of the events so far, and the log as it was written. */
  readonly said: string[];
  readonly lines: string[];
  readonly events: Events;
  /** Opens what is sealed here. */
  readonly identity: string;
}

export interface WallCamera {
  readonly number: string;
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** Over what a camera in a building's configuration has. */
  readonly more?: object;
}

const BEWAARD = fileURLToPath(new URL("../../daemon/cli/bewaard.ts", import.meta.url));
const box = z.record(z.string(), z.unknown());

export async function openWall(
  cameras: readonly WallCamera[],
  segmentSeconds: number,
  spool: object = {},
): Promise<Wall> {
  const folder = await temporaryFolder();
  const { config: before } = await makeDemoSite(systemClock, folder.path, [], 3, NEVER);
  const identity = await generateX25519Identity();
  const line = `${dayOf(systemClock.now())} ${await identityToRecipient(identity)}\n`;
  await writeFile(before.recipients, line);
  const configPath = join(folder.path, "bewaard.yaml");
  const plain = box.parse(parse(await readFile(configPath, "utf8")));
  const written = {
    ...plain,
    site: { name: "demo-handhaving", demo: true, segment_seconds: segmentSeconds },
    policy: GOOD_BOX.policy,
    informed_on: GOOD_BOX.informed_on,
    spool: { path: before.spool.path, limit: "20 GB", keep_free: "10 MB", ...spool },
    cameras: cameras.map(({ number, url, user, more }) => ({
      ...GOOD_CAMERA,
      ...more,
      number,
      url,
      user,
    })),
  };
  await writeFile(configPath, stringify(written));
  const { config } = await readConfiguration(configPath);
  for (const { number, password } of cameras) {
    if (password === undefined) continue;
    const path = join(recorderFolder(config), passwordName(parseDeviceId(number)));
    await writeFile(path, `${password}\n`, { mode: 0o600 });
  }
  const said: string[] = [];
  const lines: string[] = [];
  const events = capturedEvents(said, lines);
  return {
    folder: folder.path,
    config,
    configPath,
    said,
    lines,
    events,
    identity,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Runs recorder and core of `wall` while `body` plays, then stops them. */
export async function whileRecording(
  wall: Wall,
  body: (ask: Ask, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { config, events } = wall;
  await withCore(wall, async (ask, signal) => {
    const recorded = new AbortController();
    await together(signal, [
      (s) =>
        runRecord(
          systemClock,
          events,
          unattended(systemClock),
          config,
          AbortSignal.any([s, recorded.signal]),
        ),
      async (s) => {
        await body(ask, s);
        recorded.abort();
      },
    ]);
  });
}

/** Runs the core of `wall` while `body` plays, and until all that was handed over is adopted. */
export async function withCore(
  { config, events }: Wall,
  body: (ask: Ask, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const finished = new AbortController();
  await together(finished.signal, [
    (s) => runCore(systemClock, events, unattended(systemClock), config, s),
    async (s) => {
      const ask = asker(socketPath(config), s);
      await seen("core answers", async () => (await ask("status", {})).node !== "");
      await ask("clock.confirm", { timeMs: systemClock.now(), by: "test" });
      await body(ask, s);
      // What was handed over last is adopted too.
      await seen("all adopted", async () => (await waiting(config)).length === 0);
      finished.abort();
    },
  ]);
}

async function waiting(config: Config): Promise<readonly string[]> {
  const names = await manifestNames(join(config.spool.path, "incoming", "record"));
  return names.map(String);
}

/** For what no promise says how soon it comes: however busy this machine is. */
const PATIENCE_MS = MINUTE_MS;

/** Waits until `ready`, which may fail as long as it is not. */
export async function seen(
  what: string,
  ready: () => Promise<boolean> | boolean,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const untilMs = systemClock.uptimeMs() + withinMs;
  for (;;) {
    try {
      if (await ready()) return;
    } catch (error) {
      if (systemClock.uptimeMs() > untilMs) throw error;
    }
    if (systemClock.uptimeMs() > untilMs) throw new Error(`not seen in time: ${what}`);
    await systemClock.sleep(100, NEVER);
  }
}

export async function stateOf(config: Config, number: string): Promise<Shown | undefined> {
  const all = await askStates(recordSocketPath(config), NEVER);
  return all.find(({ device }) => device === number);
}

/** Segments and gaps of one camera, oldest first. */
export async function kept(
  ask: Ask,
  device: string,
): Promise<Pick<Result<"find">, "segments" | "gaps">> {
  const { segments, gaps } = await ask("find", { device, fromMs: 0, toMs: 4e12, limit: 1000 });
  const byStart = (a: { startedAt: string }, b: { startedAt: string }): number =>
    a.startedAt.localeCompare(b.startedAt);
  return { segments: segments.toSorted(byStart), gaps: gaps.toSorted(byStart) };
}

/** A recorder in a process of its own. Disposing ends it, whatever runs it. */
export interface Process extends AsyncDisposable {
  readonly pid: number;
  /** What it has said so far. */
  readonly said: () => string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended: by which signal, or with which code. */
  readonly ended: Promise<string>;
}

/** `bewaard run record` for `wall`; `before` it what runs it, such as strace. */
export function startRecorder({ configPath }: Wall, before: readonly string[] = []): Process {
  const [program, ...args] = [...before, process.execPath, BEWAARD];
  const child = spawn(program, [...args, "--config", configPath, "run", "record"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close").then(([code, signal]) => String(signal ?? code));
  return {
    pid: child.pid ?? 0,
    said: () => said,
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      const started = before.length > 0 ? await childrenOf(child.pid ?? 0) : [];
      for (const [, pid] of started) process.kill(pid, "SIGKILL");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Processes that `pid` started and that still run, the name of each with its id. */
export async function childrenOf(pid: number): Promise<readonly (readonly [string, number])[]> {
  const found: (readonly [string, number])[] = [];
  for (const name of await readdir("/proc")) {
    const stat = /^\d+$/.test(name)
      ? await readFile(`/proc/${name}/stat`, "utf8").catch(() => "")
      : "";
    const [, called = "", parent] = /\((.*)\) \S (\d+)/.exec(stat) ?? [];
    if (Number(parent) === pid) found.push([called, Number(name)]);
  }
  return found;
}

/**
 * Writes the plaintext of a kept segment, as far as it goes, into a file of the test's own, for
 * ffprobe; returns its path.
 */
export async function opened(
  { folder, config, identity }: Wall,
  { id, arrivedAt }: { readonly id: string; readonly arrivedAt: string },
): Promise<string> {
  const spool = await openSpool(config.spool.path, config.node);
  const sealed = createReadStream(segmentPath(spool, parseSegmentId(id), instantOf(arrivedAt)));
  const path = join(folder, `${id}.mp4`);
  await writeFile(path, salvageSealed(sealed, decrypterOf(identity)));
  return path;
}
