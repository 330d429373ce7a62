import { appendFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "winston";
import { parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, instant, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { readConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { type Ask, asker } from "../../daemon/control/client.ts";
import {
  passUntil,
  type SimulatedClock,
  simulatedClock,
} from "../../daemon/demo/simulated-clock.ts";
import { openEvents } from "../../daemon/events.ts";
import { runCore } from "../../daemon/main.ts";
import { unattended } from "../../daemon/notify/attendant.ts";
import { socketPath } from "../../daemon/places.ts";
import { runDock } from "../../daemon/run-dock.ts";
import { answering } from "../fakes/answering.ts";
import { started } from "../fakes/started.ts";
import { serveAuthority } from "../peers/timestamp-authority.ts";
import { holdBoth, isReleased, releaseOne } from "./decide.ts";

// The whole life of five recordings in one process, which a crash test kills anywhere and starts again:
// docked, stored, one held, one held and released, 28 days, destroyed. The fourth claims to be overdue by
// a clock nobody believes, so it stays in the spool, where the ring overwrites it. The fifth was cut off by
// a crash before. Each start goes on where it was.

const folder = process.argv[2] ?? "";
/** What is noted here is no part of the program under test, and outlives its disk. */
const notes = process.argv[3] ?? folder;
const FILES = 5;
const desk = join(folder, "desk");
/** Nearly the whole ring of the life: nothing that may be overwritten can stay. */
const ALL_THE_ROOM = 1_150_000;
/** Since the recording: its term, four hundred days, and room for a start in the middle. */
const ARCHIVED_AFTER_MS = 440 * DAY_MS;

/** Where this life's clock stands, kept outside the program under test. */
async function clockAt(): Promise<SimulatedClock> {
  return simulatedClock(instant(Number(await readFile(join(notes, "now"), "utf8"))));
}

async function segmentsOf(ask: Ask) {
  const { segments } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  // Core answered: these are adopted, and must be there whatever happens now.
  appendFileSync(join(notes, "seen"), segments.map(({ id }) => `${id}\n`).join(""));
  return segments.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
}

async function believed(ask: Ask) {
  return (await segmentsOf(ask)).filter(({ timeTrust }) => timeTrust === "trusted");
}

async function live(clock: SimulatedClock, signal: AbortSignal): Promise<void> {
  const config = await readConfig(join(folder, "bewaard.yaml"));
  const ask = asker(socketPath(config), signal);
  await answering(ask, signal);
  await ask("clock.confirm", { timeMs: clock.now(), by: "test" });
  await started(clock, signal);
  const born = instant(Number(await readFile(join(notes, "born"), "utf8")));
  const decided = async () =>
    (await believed(ask)).some(({ state }) => state.startsWith("destroy")) ||
    ((await ask("status", {})).states["archived"] ?? 0) > 0;
  if (!(await decided())) {
    const stored = async () => {
      const states = (await believed(ask)).map(({ state }) => state);
      return (
        (await segmentsOf(ask)).length === FILES && states.every((state) => state === "stored")
      );
    };
    await mustSee("all stored", passUntil(clock, 5 * SECOND_MS, HOUR_MS, stored, signal));
    const [, held, released] = (await believed(ask)).map(({ id }) => parseSegmentId(id));
    if (!held || !released) throw new Error("not three recordings");
    if (!(await isReleased(desk, signal)))
      await holdBoth(clock, desk, [held, released].map(at), signal);
    const inForce = async () =>
      (await ask("status", {})).holds.inForce === 2 || (await isReleased(desk, signal));
    await mustSee("the holds in force", passUntil(clock, MINUTE_MS, 3 * HOUR_MS, inForce, signal));
    await mustSee(
      "a checkpoint",
      passUntil(clock, 5 * MINUTE_MS, 2 * HOUR_MS, published(ask), signal),
    );
    await ask("room", { bytes: ALL_THE_ROOM, urgent: true });
    await releaseOne(clock, desk, at(released), signal);
    const one = async () => (await ask("status", {})).holds.inForce === 1;
    await mustSee("one hold in force", passUntil(clock, MINUTE_MS, 3 * HOUR_MS, one, signal));
  }
  // The 28 days in one go: a start after this one stands where this one ends up.
  const almost = Math.max(0, born + 28 * DAY_MS - 90 * MINUTE_MS - clock.now());
  await writeFile(join(notes, "now"), String(clock.now() + almost));
  await clock.pass(almost, signal);
  // Destroyed, or archived already by a life before this one.
  const gone = async () =>
    (await segmentsOf(ask)).filter(({ state }) => state !== "destroyed").length === 1;
  await mustSee(
    "all but one destroyed",
    passUntil(clock, 10 * MINUTE_MS, 3 * HOUR_MS, gone, signal),
  );
  if (process.env["ARCHIVE"] === "yes") await growOld(clock, ask, born, signal);
  const { findings } = await ask("verify", { depth: "hashes" });
  const { holds, states } = await ask("status", {});
  const { gaps } = await ask("find", { device: null, fromMs: 0, toMs: 4e12 });
  const segments = await segmentsOf(ask);
  process.stdout.write(JSON.stringify({ segments, findings, holds, states, gaps }));
}

/** Lets what was destroyed become so old that it is archived. */
async function growOld(
  clock: SimulatedClock,
  ask: Ask,
  born: Instant,
  signal: AbortSignal,
): Promise<void> {
  await mustSee(
    "all of it under a published checkpoint",
    passUntil(clock, MINUTE_MS, 3 * HOUR_MS, published(ask), signal),
  );
  // An emptied card: of what was archived a box knows no file any more, and would take it again.
  for (const { folder: card } of config.bodycams) {
    await rm(join(card, "DCIM"), { recursive: true, force: true });
  }
  const old = Math.max(0, born + ARCHIVED_AFTER_MS - clock.now());
  await writeFile(join(notes, "now"), String(clock.now() + old));
  await clock.pass(old, signal);
  const archived = async () => (await ask("status", {})).states["archived"] === FILES - 1;
  await mustSee("all but one archived", passUntil(clock, HOUR_MS, 7 * DAY_MS, archived, signal));
}

function at(id: SegmentId) {
  return { node: config.node, id };
}

function published(ask: Ask): () => Promise<boolean> {
  return async () => (await ask("status", {})).checkpoint?.publishedAt != null;
}

async function mustSee(what: string, seen: Promise<boolean>): Promise<void> {
  if (!(await seen)) throw new Error(`not seen in time: ${what}`);
}

// Timestamps by an authority of the test's own, whose keys are in the folder that it names, if any.
const authority = process.env["AUTHORITY"] ?? "";
await using server = authority === "" ? undefined : await serveAuthority(authority);
const stamped = server && {
  timestamps: {
    url: server.url,
    country: "NL" as const,
    authority: join(authority, "ca.pem"),
    declared_by: "test",
  },
};
const config: Config = { ...(await readConfig(join(folder, "bewaard.yaml"))), ...stamped };
const clock = await clockAt();
const finished = new AbortController();
const events = openEvents(createLogger({ silent: true }));
await together(finished.signal, [
  (s) => runCore(clock, events, unattended(clock), config, s),
  (s) => runDock(clock, events, unattended(clock), config, s),
  async (s) => {
    await live(clock, s);
    finished.abort();
  },
]);
