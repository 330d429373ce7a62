import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseDeviceId, parseNodeId, parseSegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { readPolicy } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { Ask } from "../../daemon/control/client.ts";
import { passUntil, simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import { holdFootage } from "../../daemon/desk/hold.ts";
import { releaseHold } from "../../daemon/desk/release.ts";
import { openStation } from "../../daemon/desk/station.ts";
import { catalogPath, vaultFolder } from "../../daemon/places.ts";
import { setupBox } from "../../daemon/setup.ts";
import { recordPaired } from "../../storage/catalog/devices.ts";
import { recordGap } from "../../storage/catalog/gaps.ts";
import { migrate } from "../../storage/catalog/migrate.ts";
import { writeSnapshot } from "../../storage/catalog/snapshot.ts";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";
import { checkpointPrefix, entriesPrefix } from "../../storage/vault/keys.ts";
import { leaveCutOff } from "./cut-off.ts";
import { temporaryFolder } from "./folder.ts";
import { NEVER, START } from "./rig.ts";
import { openSite, type Site, whileRunning } from "./site.ts";

/** A box that has lived, with footage of every fate, and then lost its disk. */
export interface LostBox {
  readonly site: Site;
  readonly config: Config;
  /** A copy of the catalog as it was. */
  readonly catalog: string;
  readonly ids: Readonly<Record<string, string>>;
  /** Copies of the catalog at moments of its life, as a backup has them. */
  readonly moments: Readonly<Record<Moment, string>>;
  /** The size of the last signed head that does not tell of what was destroyed. */
  readonly signedBefore: number;
}

type Fate =
  | "stored"
  | "evicted"
  | "held"
  | "released"
  | "destroyed"
  | "truncated"
  | "spoolOnly"
  | "afterTheHead";

export const MOMENTS = [
  "nothing was taken",
  "some was stored",
  "an upload had failed",
  "all was stored",
  "the desk had decided",
  "one was held, one released",
  "one was destroyed",
  "one was overwritten",
  "all of it was signed",
] as const;
type Moment = (typeof MOMENTS)[number];

/** When each was recorded, by the name of its file: local time, two hours ahead of UTC. */
const NAMES: Readonly<Record<Exclude<Fate, "truncated">, string>> = {
  destroyed: "20260504_160000",
  evicted: "20260601_112000",
  stored: "20260601_113000",
  held: "20260601_114000",
  released: "20260601_115000",
  spoolOnly: "20260531_120000",
  afterTheHead: "20260601_115500",
};

async function film(site: Site, fate: Exclude<Fate, "truncated">): Promise<void> {
  const card = join(site.demo.docks["bc-0101"] ?? "", "DCIM", "100MEDIA");
  await mkdir(card, { recursive: true });
  const path = join(card, `${NAMES[fate]}.MP4`);
  await writeFile(path, randomBytes(200_000));
  const at = site.clock.now() / 1000;
  await utimes(path, at, at);
}

async function find(ask: Ask) {
  return (await ask("find", { device: null, fromMs: 0, toMs: 4e12 })).segments;
}

async function idOf(ask: Ask, fate: Exclude<Fate, "truncated">): Promise<string> {
  const [, y, m, d, h, min] = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)/.exec(NAMES[fate]) ?? [];
  const at = isoOf(instant(Date.parse(`${y}-${m}-${d}T${h}:${min}:00+02:00`)));
  return (await find(ask)).find(({ startedAt }) => startedAt === at)?.id ?? "";
}

async function until(site: Site, what: string, seen: () => Promise<boolean>, signal: AbortSignal) {
  assert.ok(await passUntil(site.clock, MINUTE_MS, DAY_MS, seen, signal), what);
}

async function signed(ask: Ask): Promise<number> {
  return (await ask("ledger.head", {})).checkpoint?.size ?? 0;
}

/** The size of a new signed head, once the vault has one. */
async function published(site: Site, ask: Ask, signal: AbortSignal): Promise<number> {
  const before = await signed(ask);
  await until(site, "a checkpoint", async () => (await signed(ask)) > before, signal);
  return await signed(ask);
}

/** The vault's signed heads of more than `size` entries are gone; the entries are still there. */
export async function forgetHeads(config: Config, size: number): Promise<void> {
  await forget(config, checkpointPrefix(config.node), (name) => Number.parseInt(name, 10) > size);
}

/** The vault has no entry after the first `size`, as if the box had not lived to write more. */
async function forgetEntries(config: Config, size: number): Promise<void> {
  await forgetHeads(config, size);
  await forget(config, entriesPrefix(config.node), (name) => Number.parseInt(name, 10) >= size);
}

async function forget(config: Config, prefix: string, late: (name: string) => boolean) {
  const folder = join(vaultFolder(config.vault), prefix);
  for (const name of await readdir(folder))
    if (late(name)) await rm(join(folder, name), { recursive: true });
}

async function cutOff(site: Site): Promise<void> {
  const { config } = site.demo;
  const [day] = parseRecipientBook(await readFile(config.recipients, "utf8"));
  await leaveCutOff(join(config.spool.path, "incoming", "dock"), {
    node: config.node,
    recipient: day?.recipient ?? "",
    content: randomBytes(150_000),
    startedAt: plus(START, -2 * HOUR_MS),
  });
}

/** Of a camera in a building that was there once. */
async function gap(site: Site): Promise<void> {
  await using catalog = await openDatabase(catalogPath(site.demo.config));
  await migrate(catalog);
  const device = parseDeviceId("cam-0001");
  await recordPaired(catalog, START, [{ id: device, kind: "camera", pairedAt: START }]);
  await recordGap(catalog, START, {
    id: parseSegmentId("01KSZ000000000000000000009"),
    device,
    startedAt: plus(START, -HOUR_MS),
    endedAt: plus(START, -HOUR_MS + 5000),
    cause: "camera-lost",
  });
}

/** Holds two, and releases the second again. */
async function decide(site: Site, held: string, released: string): Promise<void> {
  await using station = await openStation(site.demo.desk);
  const policy = await readPolicy("den-haag");
  const asked = (segment: string) => ({
    incident: "2026-1",
    purpose: "aangifte",
    ground: policy.hold_grounds[0]?.name ?? "",
    reference: "PL1500-2026",
    reason: "bedreiging van een handhaver",
    reviewAt: plus(START, 60 * DAY_MS),
    segments: [{ node: parseNodeId("dock-1"), id: parseSegmentId(segment) }],
  });
  await holdFootage(site.clock, station, policy, asked(held), NEVER);
  const { hold } = await holdFootage(site.clock, station, policy, asked(released), NEVER);
  await site.clock.pass(5 * MINUTE_MS, NEVER);
  await releaseHold(site.clock, station, hold, NEVER);
}

const CUT_OFF = "01KSZ000000000000000000001";
/** No room for what was recorded that day: a file has the name of its folder. */
const BLOCKED = "footage/dock-1/bc-0101/2026/05/31";

/** As for another day, until an upload has failed there. */
const BLOCKED_FIRST = "footage/dock-1/bc-0101/2026/05/04";

/** One box that was lost, for many tests: it has lived only once. */
export interface LostBoxes extends AsyncDisposable {
  /** Puts everything back as it was left by the loss, at the same paths: its configuration names them. */
  again(): Promise<LostBox>;
}

export async function openLostBoxes(): Promise<LostBoxes> {
  await using opened = new AsyncDisposableStack();
  const site = opened.use(await openSite(START, ["bc-0101"], 40));
  const kept = opened.use(await temporaryFolder());
  const box = await lostBox(site);
  const lostAt = site.clock.now();
  const copied = { recursive: true, preserveTimestamps: true };
  await cp(site.folder, kept.path, copied);
  const closing = opened.move();
  return {
    async again() {
      await rm(site.folder, { recursive: true });
      await cp(kept.path, site.folder, copied);
      const clock = simulatedClock(lostAt);
      clock.restart(0);
      return { ...box, site: { ...site, clock } };
    },
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}

/**
 * Lets a box live for some hours, until the vault has a signed head over all that befell its footage; then one
 * more recording is stored, and the box is lost before its next head: its state but for the node's key, and its
 * spool, are gone. A copy of its catalog is kept to compare with.
 */
async function lostBox(site: Site): Promise<LostBox> {
  const { config } = site.demo;
  const small = { ...config, spool: { ...config.spool, limit: 1_300_000 } };
  const blocked = join(vaultFolder(config.vault), BLOCKED);
  await mkdir(dirname(blocked), { recursive: true });
  await writeFile(blocked, "");
  const blockedFirst = join(vaultFolder(config.vault), BLOCKED_FIRST);
  await writeFile(blockedFirst, "");
  await cutOff(site);
  await gap(site);
  const first = ["destroyed", "evicted", "stored", "held", "released", "spoolOnly"] as const;
  for (const fate of first) await film(site, fate);
  const ids: [string, string][] = [["truncated", CUT_OFF]];
  const moments = copiesIn(site.folder);
  const remember = async (moment: Moment): Promise<void> => {
    await using catalog = await openDatabase(catalogPath(config));
    await writeSnapshot(catalog, moments[moment]);
  };
  let signedBefore = 0;
  let lastSigned = 0;
  await whileRunning(
    site,
    async (ask, signal) => {
      await remember("nothing was taken");
      await until(site, "some stored", async () => (await inState(ask, "stored")) > 1, signal);
      await remember("some was stored");
      await until(site, "the others", async () => (await inState(ask, "stored")) === 5, signal);
      await until(site, "failed", async () => (await failedUploads(config)) === 2, signal);
      await remember("an upload had failed");
      await rm(blockedFirst);
      await until(site, "all stored", async () => (await inState(ask, "stored")) === 6, signal);
      for (const fate of first) ids.push([fate, await idOf(ask, fate)]);
      await remember("all was stored");
      const known = Object.fromEntries(ids);
      await decide(site, known["held"] ?? "", known["released"] ?? "");
      await remember("the desk had decided");
      const inForce = async () => (await ask("status", {})).holds.inForce;
      await until(site, "released", async () => (await inForce()) === 1, signal);
      await remember("one was held, one released");
      const gone = async () => {
        const size = await signed(ask);
        if ((await inState(ask, "destroyed")) === 1) return true;
        signedBefore = size;
        return false;
      };
      await until(site, "gone", gone, signal);
      await remember("one was destroyed");
      await ask("room", { bytes: 500_000, urgent: false });
      await remember("one was overwritten");
      lastSigned = await published(site, ask, signal);
      await remember("all of it was signed");
      await film(site, "afterTheHead");
      await until(site, "stored", async () => (await inState(ask, "stored")) === 6, signal);
      ids.push(["afterTheHead", await idOf(ask, "afterTheHead")]);
    },
    small,
  );
  const catalog = join(site.folder, "old.db");
  await copyFile(catalogPath(config), catalog);
  await rm(blocked);
  await lose(config);
  // On a busy machine an hour may have passed before the last recording was stored.
  await forgetEntries(config, lastSigned);
  return { site, config: small, catalog, ids: Object.fromEntries(ids), moments, signedBefore };
}

function copiesIn(folder: string): Readonly<Record<Moment, string>> {
  const [none, some, failed, all, decided, held, destroyed, overwritten, covered] = MOMENTS;
  const at = (moment: Moment): string => join(folder, `copy-${MOMENTS.indexOf(moment)}.db`);
  return {
    [none]: at(none),
    [some]: at(some),
    [failed]: at(failed),
    [all]: at(all),
    [decided]: at(decided),
    [held]: at(held),
    [destroyed]: at(destroyed),
    [overwritten]: at(overwritten),
    [covered]: at(covered),
  };
}

/** The disk breaks; somebody installs a new one and puts the secrets back, with the node's key. */
export async function lose(config: Config): Promise<void> {
  const names = (await readdir(config.state)).filter((name) => /\.(key|credential)$/.test(name));
  const secrets = await Promise.all(names.map((name) => readFile(join(config.state, name))));
  await rm(config.state, { recursive: true });
  await rm(config.spool.path, { recursive: true });
  await mkdir(config.state, { mode: 0o710 });
  for (const [index, name] of names.entries())
    await writeFile(join(config.state, name), secrets[index] ?? "", { mode: 0o600 });
  await setupBox(config);
}

async function failedUploads(config: Config): Promise<number> {
  await using catalog = await openDatabase(catalogPath(config));
  const rows = await catalog.transaction((sql) =>
    sql.all("select 1 from copy where place = 'vault' and state = 'leaving'"),
  );
  return rows.length;
}

async function inState(ask: Ask, state: string): Promise<number> {
  return (await find(ask)).filter((one) => one.state === state).length;
}
