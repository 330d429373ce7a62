import { type Clock, every, type Instant, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { steady } from "../steady.ts";
import type { Alarm, AlarmName, Sign } from "./alarm.ts";
import { type RaisedAlarms, readRaised, writeRaised } from "./raised.ts";
import { AT_REST, type Standing, standingAfter } from "./standing.ts";

const LOOK_EVERY_MS = MINUTE_MS;

/** How each alarm stands about each thing that is not at rest. */
type Standings = Map<AlarmName, Map<string, Standing>>;

/**
 * Looks each minute whether there is anything that an operator must know, until the signal aborts: each alarm is one
 * event when it is raised and one when it is over. What was told is written down after it was told, so that a restart
 * does not tell it again: a crash in between does, for twice is better than not at all.
 */
export async function watchAlarms(
  clock: Clock,
  events: Events,
  database: Database,
  alarms: readonly Alarm[],
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "alarms");
  let standings: Standings | undefined;
  let isWritten = true;
  for await (const now of every(clock, LOOK_EVERY_MS, signal)) {
    await turn(async () => {
      standings ??= standingsOf(await readRaised(database));
    });
    // Without knowing what was told nothing can be told once.
    if (standings === undefined) continue;
    const known = standings;
    for (const alarm of alarms) {
      await turn(async () => {
        const of = known.get(alarm.name) ?? new Map<string, Standing>();
        known.set(alarm.name, of);
        const signs = await alarm.look(now, (about) => isRaised(of.get(about)), signal);
        if (signs === undefined || signal.aborted) return;
        if (heed(alarm, of, signs, now, clock.uptimeMs())) isWritten = false;
      });
    }
    await turn(async () => {
      if (isWritten) return;
      await writeRaised(database, raisedIn(known));
      isWritten = true;
    });
  }
}

/** Tells what is to be told of what was seen; returns whether anything was. */
function heed(
  { rule, tellOver }: Alarm,
  standings: Map<string, Standing>,
  signs: readonly Sign[],
  now: Instant,
  uptimeMs: number,
): boolean {
  const bad = new Map(signs.map((sign) => [sign.about, sign]));
  let hasTold = false;
  for (const about of new Set([...standings.keys(), ...bad.keys()])) {
    const before = standings.get(about) ?? AT_REST;
    const sign = bad.get(about);
    const isBad = sign !== undefined;
    const { standing, told } = standingAfter(rule, before, isBad, now, uptimeMs, sign?.since);
    if (standing === AT_REST) standings.delete(about);
    else standings.set(about, standing);
    if (told === "nothing") continue;
    hasTold = true;
    if (told === "over") tellOver(about, before.raised?.at ?? now);
    else sign?.tell();
  }
  return hasTold;
}

function isRaised(standing: Standing | undefined): boolean {
  return standing?.raised !== undefined;
}

function standingsOf(raised: RaisedAlarms): Standings {
  const standings: Standings = new Map();
  for (const { alarm, about, at, stage } of raised) {
    const of = standings.get(alarm) ?? new Map<string, Standing>();
    standings.set(alarm, of.set(about, { ...AT_REST, raised: { at, stage } }));
  }
  return standings;
}

function raisedIn(standings: Standings): RaisedAlarms {
  return [...standings].flatMap(([alarm, of]) =>
    [...of].flatMap(([about, { raised }]) =>
      raised === undefined ? [] : [{ alarm, about, ...raised }],
    ),
  );
}
