import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { createLogger, transports } from "winston";
import {
  type DeviceId,
  parseDeviceId,
  parseNodeId,
  parsePersonId,
  type SegmentId,
} from "#base/ids";
import { type Clock, DAY_MS, dayOf, HOUR_MS, type Instant, instant, plus } from "#base/time";
import type { Box } from "../../daemon/adopt.ts";
import { adopt } from "../../daemon/adopt.ts";
import type { Dock, Sealing } from "../../daemon/dock.ts";
import { type Events, openEvents } from "../../daemon/events.ts";
import { handOver } from "../../daemon/hand-over-fact.ts";
import { LEVELS } from "../../daemon/journal/levels.ts";
import { type AskHistory, historyOf } from "../../daemon/one-history.ts";
import type { Configured, ProducerName } from "../../daemon/own-facts.ts";
import { containerReader } from "../../daemon/recording-times.ts";
import { store, type Upload } from "../../daemon/store.ts";
import { startsFfprobe } from "../../drivers/bodycam/container-time.ts";
import { recordPaired } from "../../storage/catalog/devices.ts";
import { migrate } from "../../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../../storage/catalog/sqlite.ts";
import { check, type Depth } from "../../storage/check.ts";
import type { Separate } from "../../storage/check-secured.ts";
import type { Finding } from "../../storage/findings.ts";
import {
  type NodeKey,
  newNodeKeyPem,
  parseNodeKey,
  parseVerifier,
  verifierText,
} from "../../storage/ledger/note.ts";
import type { SealPool } from "../../storage/seal/pool.ts";
import { createIncoming, createSpool, openSpool, type Spool } from "../../storage/spool/spool.ts";
import { createDirectoryVault, openDirectoryVault } from "../../storage/vault/directory.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import { temporaryFolder } from "./folder.ts";
import { newCatalog } from "./new-catalog.ts";
import { sharedPool } from "./shared-pool.ts";
import { turns } from "./turns.ts";

export const START = instant(Date.parse("2026-06-01T10:00:00.000Z"));
/** A bodycam: the dock hands over of it. */
export const CAMERA = parseDeviceId("bc-0101");
/** A camera in a building: the recorder does. */
export const WALL_CAMERA = parseDeviceId("cam-0001");
/** Who holds. */
export const OWNER = parsePersonId("p-01");
export const NEVER = new AbortController().signal;

/** A clock that tests move by hand. */
export interface HandClock extends Clock {
  move(ms: number): void;
  jump(ms: number): void;
  restart(): void;
}

export function handClock(start: Instant): HandClock {
  let now = start;
  let uptimeMs = 1000;
  let boot = 1;
  return {
    now: () => now,
    uptimeMs: () => uptimeMs,
    bootId: () => `boot ${boot}`,
    sleep: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.throwIfAborted();
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
    move(ms) {
      now = plus(now, ms);
      uptimeMs += ms;
    },
    jump(ms) {
      now = plus(now, ms);
    },
    restart() {
      boot += 1;
      uptimeMs = 1000;
    },
  };
}

/** One at a time, so that a test's clock is moved by the loop alone. */
export const UPLOAD: Upload = {
  parallel: 1,
  bytesPerSecondAt: () => undefined,
  readBack: "sampled",
};

/** The parts of core on real files and a real catalog, for tests that drive one loop at a time. */
export interface Rig extends AsyncDisposable {
  readonly folder: string;
  readonly clock: HandClock;
  readonly events: Events;
  /** Names of the events so far. */
  readonly said: string[];
  /** The log as it was written. */
  readonly lines: string[];
  readonly box: Box;
  readonly spool: Spool;
  readonly database: Database;
  readonly vault: Vault;
  readonly key: NodeKey;
  readonly askHistory: AskHistory;
  readonly identity: string;
  readonly sealing: Sealing;
  /** Seals `content` as a file of the card and hands it over. */
  record(content: string | Uint8Array, name?: string): Promise<SegmentId>;
  /** As `record`, then adopts it and copies it to the vault. */
  keep(content: string, name?: string): Promise<SegmentId>;
  adoptOnce(): Promise<void>;
  storeOnce(): Promise<void>;
  /** With the separate medium, where there is one. */
  check(depth?: Depth, secured?: Separate): Promise<readonly Finding[]>;
}

export function capturedEvents(said: string[], lines: string[] = []): Events {
  const stream = new Writable({
    write(line, _, done) {
      lines.push(String(line));
      const parsed: unknown = JSON.parse(String(line));
      if (typeof parsed === "object" && parsed !== null && "event" in parsed)
        said.push(String(parsed.event));
      done();
    },
  });
  const transport = new transports.Stream({ stream });
  return openEvents(createLogger({ levels: LEVELS, level: "debug", transports: [transport] }));
}

/** A file name of `START` plus so many minutes, as the profile reads it (summer time: UTC+2). */
export function named(minutes: number): string {
  const local = new Date(START + 2 * 3_600_000 + minutes * 60_000).toISOString();
  return `DCIM/100MEDIA/${local.slice(0, 19).replaceAll("-", "").replaceAll(":", "").replace("T", "_")}.MP4`;
}

export interface RigOptions {
  /** Where the catalog lies, or an open one. */
  readonly database?: string | Database;
  /** Of the day keys: making one takes a while. */
  readonly identity?: string;
  /** Who hands over, of `CAMERA` or of `WALL_CAMERA`; the dock when left out. */
  readonly producer?: ProducerName;
  /** Of which kind a camera is by the configuration, where that is another than core first saw. */
  readonly configured?: readonly Configured[];
  /** Seals elsewhere than in a thread. */
  readonly pool?: SealPool;
  /** How long footage is kept; 28 days when left out. */
  readonly termMs?: number;
  /** Stands between the loops and the catalog. */
  readonly wrap?: (database: Database) => Database;
}

export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const temporary = await temporaryFolder();
  const folder = temporary.path;
  const clock = handClock(START);
  const said: string[] = [];
  const lines: string[] = [];
  const events = capturedEvents(said, lines);
  const node = parseNodeId("dock-1");
  await mkdir(join(folder, "card"), { recursive: true });
  await createSpool(join(folder, "spool"), node);
  await createDirectoryVault(join(folder, "vault"));
  const spool = await openSpool(join(folder, "spool"), node);
  const own = join(folder, "catalog.db");
  if (options.database === undefined) await newCatalog(own);
  const where = options.database ?? own;
  const catalog = typeof where === "string" ? await openDatabase(where) : where;
  await migrate(catalog);
  const database = options.wrap?.(catalog) ?? catalog;
  const producer = options.producer ?? "dock";
  const device =
    producer === "dock"
      ? ({ id: CAMERA, kind: "bodycam" } as const)
      : ({ id: WALL_CAMERA, kind: "camera" } as const);
  await recordPaired(database, START, [{ ...device, pairedAt: START }]);
  const vault = await openDirectoryVault(join(folder, "vault"));
  const identity = options.identity ?? (await generateX25519Identity());
  const recipient = await identityToRecipient(identity);
  const pool: SealPool = options.pool ?? sharedPool();
  const incoming = await createIncoming(spool, "dock");
  const book = Array.from({ length: 41 }, (_, index) => ({
    day: dayOf(plus(START, index * DAY_MS)),
    recipient,
  }));
  const readContainer = containerReader(events, startsFfprobe());
  const sealing: Sealing = { node, book, pool, incoming, readContainer };
  const key = parseNodeKey("bewaard/test/dock-1", newNodeKeyPem());
  const verifier = parseVerifier(verifierText(key));
  const box: Box = {
    node,
    term: {
      termMs: options.termMs ?? 28 * DAY_MS,
      longestUndockedMs: 3 * DAY_MS,
      destroyWithinMs: 7 * DAY_MS,
    },
    configured: options.configured ?? [],
    producers: [{ name: producer, owners: [process.getuid?.() ?? 0] }],
  };

  const rig: Rig = {
    folder,
    clock,
    events,
    said,
    lines,
    box,
    spool,
    database,
    vault,
    key,
    askHistory: historyOf(clock, events, database, vault, node, verifier),
    identity,
    sealing,
    async record(content, name = named(0)) {
      const dock = dockOf(CAMERA, join(folder, "card"));
      const path = Buffer.from(name);
      const source = join(folder, "card", name);
      // The camera's doing, and no part of the program: no fault of a test comes here.
      mkdirSync(dirname(source), { recursive: true });
      writeFileSync(source, content);
      const file = { path, bytes: content.length, modifiedAt: clock.now() };
      const keep = async () => true;
      return (await handOver(clock, sealing, dock, file, Buffer.from(source), keep, NEVER)).id;
    },
    async keep(content, name) {
      const id = await rig.record(content, name);
      await rig.adoptOnce();
      await rig.storeOnce();
      return id;
    },
    async adoptOnce() {
      const turn = turns(clock, 1);
      await adopt(turn.clock, events, database, spool, box, turn.signal);
    },
    async storeOnce() {
      const turn = turns(clock, 1);
      await store(turn.clock, events, database, spool, vault, node, UPLOAD, turn.signal);
    },
    async check(depth = "hashes", secured) {
      const report = await check(
        { database, spool, vault, node, verifier, secured },
        depth,
        clock.now(),
        NEVER,
      );
      return report.findings;
    },
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
  return rig;
}

export function dockOf(device: DeviceId, folder: string): Dock {
  return {
    device,
    folder,
    profile: {
      media: ["DCIM/**/*.MP4"],
      sidecars: [],
      locations: ["**/*.{GPS,NMEA,SRT}"],
      ignore: ["**/*.tmp"],
      start_in_name:
        "(?<year>20\\d\\d)(?<month>\\d\\d)(?<day>\\d\\d)_(?<hour>\\d\\d)(?<minute>\\d\\d)(?<second>\\d\\d)",
      zone: "Europe/Amsterdam",
      clock: "synchronised",
      container_time: "utc",
      stamp_is: "start",
      file_times: "utc",
      longest_recording: 12 * HOUR_MS,
      limits: { files: 100_000, bytes: 8e12, depth: 12 },
    },
  };
}
