import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setImmediate as immediate } from "node:timers/promises";
import { describe, it } from "mocha";
import { followingProgress, progress } from "#base/progress";
import { type Clock, every, HOUR_MS, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { type SimulatedClock, simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { feedWatchdog } from "../daemon/notify/feed-watchdog.ts";
import { openPulses } from "../daemon/notify/pulses.ts";
import { capturedEvents, START } from "./fakes/rig.ts";

const WATCHDOG_MS = MINUTE_MS;
const LOOK_MS = WATCHDOG_MS / 3;
const DEADLINE_MS = 5 * MINUTE_MS;

interface Watched {
  readonly clock: SimulatedClock;
  /** How often the watchdog was fed. */
  readonly fed: () => number;
  readonly said: readonly string[];
  readonly pass: (ms: number) => Promise<void>;
}

/** What a loop does each ten seconds; undefined: it hangs from then on. */
type Turn = (clock: Clock) => Promise<void>;

/** Runs one loop that is watched, of which `turn` is the work, beside one that does well. */
async function whileWatched(turn: Turn, body: (watched: Watched) => Promise<void>): Promise<void> {
  const clock = simulatedClock(START);
  const said: string[] = [];
  const pulses = openPulses(clock);
  const finished = new AbortController();
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  finished.signal.addEventListener("abort", () => stop());
  let fed = 0;
  const loop = (name: string, work: Turn) => (signal: AbortSignal) =>
    pulses.run(
      name,
      DEADLINE_MS,
      async (own, s) => {
        for await (const _ of every(own, 10 * SECOND_MS, s))
          await Promise.race([work(own), stopped]);
      },
      signal,
    );
  await together(finished.signal, [
    loop("well", async () => undefined),
    loop("watched", turn),
    (s) =>
      feedWatchdog(
        clock,
        capturedEvents(said),
        pulses,
        WATCHDOG_MS,
        async () => void (fed += 1),
        s,
      ),
    async () => {
      try {
        await body({
          clock,
          fed: () => fed,
          said,
          pass: async (ms) => {
            for (let left = ms; left > 0; left -= LOOK_MS) {
              void clock.pass(LOOK_MS, finished.signal).catch(() => undefined);
              // Nobody can wait for all to be asleep again: one may hang.
              for (let turns = 0; turns < 50; turns += 1) await Promise.resolve();
              await immediate();
            }
          },
        });
      } finally {
        finished.abort();
      }
    },
  ]);
}

const HANGS = new Promise<void>(() => undefined);

describe("the watchdog", () => {
  it("is fed at each third of its time while every loop turns", async () => {
    await whileWatched(
      async () => undefined,
      async ({ fed, pass, said }) => {
        await pass(HOUR_MS);
        assert.ok(fed() >= HOUR_MS / LOOK_MS, `fed ${fed()} times`);
        assert.deepEqual(said, []);
      },
    );
  });

  it("is fed no more once a loop hangs, which is said once", async () => {
    let hangs = false;
    await whileWatched(
      () => (hangs ? HANGS : Promise.resolve()),
      async ({ fed, pass, said }) => {
        await pass(10 * MINUTE_MS);
        hangs = true;
        await pass(DEADLINE_MS);
        assert.deepEqual(said, [], "within its deadline nobody is late");
        await pass(2 * LOOK_MS);
        const before = fed();
        await pass(HOUR_MS);
        assert.equal(fed(), before);
        assert.deepEqual(said, ["loop-late"]);
      },
    );
  });

  it("is fed again when the loop goes on after all", async () => {
    let wake = Promise.withResolvers<void>();
    wake.resolve();
    await whileWatched(
      () => wake.promise,
      async ({ fed, pass, said }) => {
        wake = Promise.withResolvers<void>();
        await pass(DEADLINE_MS + MINUTE_MS);
        const before = fed();
        wake.resolve();
        await pass(MINUTE_MS);
        assert.ok(fed() > before);
        wake = Promise.withResolvers<void>();
        await pass(DEADLINE_MS + MINUTE_MS);
        assert.deepEqual(said, ["loop-late", "loop-late"], "another time is said again");
        wake.resolve();
      },
    );
  });

  it("is fed while work of hours says that it gets on, however deep within", async () => {
    const deep = async (clock: SimulatedClock, signal: AbortSignal): Promise<void> => {
      for (let pieces = 0; pieces < 500 && !signal.aborted; pieces += 1) {
        await clock.sleep(MINUTE_MS, signal).catch(() => undefined);
        progress();
      }
    };
    let work: (() => Promise<void>) | undefined;
    await whileWatched(
      () => work?.() ?? Promise.resolve(),
      async ({ clock, fed, pass, said }) => {
        const stop = new AbortController();
        // It sleeps by a clock that nobody watches, as the disk and the network do.
        work = () => deep(clock, stop.signal);
        await pass(4 * HOUR_MS);
        assert.ok(fed() >= (4 * HOUR_MS) / LOOK_MS, `fed ${fed()} times`);
        assert.deepEqual(said, []);
        stop.abort();
      },
    );
  });

  it("calls nobody late who sleeps, for however long", async () => {
    await whileWatched(
      (clock) => clock.sleep(3 * HOUR_MS, new AbortController().signal),
      async ({ pass, said, fed }) => {
        await pass(2 * HOUR_MS);
        assert.deepEqual(said, []);
        assert.ok(fed() >= (2 * HOUR_MS) / LOOK_MS);
      },
    );
  });

  it("calls nobody late because the machine was suspended, or its clock set", async () => {
    let wake = Promise.withResolvers<void>();
    wake.resolve();
    await whileWatched(
      () => wake.promise,
      async ({ clock, pass, said }) => {
        wake = Promise.withResolvers<void>();
        await pass(MINUTE_MS);
        clock.jump(-12 * HOUR_MS);
        await pass(MINUTE_MS);
        // In the middle of its work, for a night.
        void clock.pass(8 * HOUR_MS, new AbortController().signal);
        await pass(MINUTE_MS);
        assert.deepEqual(said, []);
        wake.resolve();
      },
    );
  });

  it("watches all that core does by itself, each under a name of its own", async () => {
    const text = await readFile(new URL("../daemon/core-loops.ts", import.meta.url), "utf8");
    const [, list = ""] = /return \[\n([^]*?)\n {2}\];/.exec(text) ?? [];
    const loops = [...list.matchAll(/^ {4}[^ )].*$/gm)].map(([line]) => line);
    const names = loops.map((line) => /^ {4}loop\("([a-z-]+)", /.exec(line)?.[1]);
    assert.ok(names.length > 15);
    assert.deepEqual(
      names.filter((name) => name === undefined),
      [],
    );
    assert.equal(new Set(names).size, names.length);
  });

  it("forgets a loop that has come to its end", async () => {
    const clock = simulatedClock(START);
    const pulses = openPulses(clock);
    const { signal } = new AbortController();
    await pulses.run("ends", MINUTE_MS, async () => undefined, signal);
    await assert.rejects(
      pulses.run("fails", MINUTE_MS, () => Promise.reject(new Error("broken")), signal),
      /broken/,
    );
    void pulses.run("stays", MINUTE_MS, () => HANGS, signal);
    await clock.pass(HOUR_MS, signal);
    assert.deepEqual(
      pulses.late(HOUR_MS).map(({ loop }) => loop),
      [],
    );
    await clock.pass(HOUR_MS, signal);
    assert.deepEqual(
      pulses.late(10 * MINUTE_MS).map(({ loop }) => loop),
      ["stays"],
    );
  });
});

describe("progress", () => {
  it("goes to who asked for the work, and to nobody else", async () => {
    const told: string[] = [];
    const work = async (): Promise<void> => {
      await Promise.resolve();
      progress();
    };
    await Promise.all([
      followingProgress(() => told.push("one"), work),
      followingProgress(() => told.push("other"), work),
      work(),
    ]);
    assert.deepEqual(told.toSorted(), ["one", "other"]);
  });
});
