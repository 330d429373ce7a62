import { parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { HOUR_MS, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { firstReady, slotSays } from "../cli/shown-slots.ts";
import { type Ask, asker } from "../control/client.ts";
import type { SlotNews } from "../control/dock-questions.ts";
import type { Events } from "../events.ts";
import { runCoreOn } from "../main.ts";
import { unattended } from "../notify/attendant.ts";
import { socketPath } from "../places.ts";
import { runDockOn } from "../run-dock.ts";
import { answering } from "./answering.ts";
import { recordClip } from "./clips.ts";
import type { Show } from "./show.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
import { openSimulatedDock, type SimulatedDock } from "./simulated-dock.ts";
import { type SimulatedCamera, slotOf } from "./simulated-usb.ts";
import { type DemoSite, makeDemoSite } from "./site.ts";

const ONE: SimulatedCamera = { disk: "sda", serial: "DEMO-1", volume: 0x1a2b3c4d };
const TWO: SimulatedCamera = { disk: "sdb", serial: "DEMO-2", volume: 0x5e6f7081 };
const PATIENCE_MS = 30 * SECOND_MS;
const NUMBERS = ["bc-0201", "bc-0202"].map(parseDeviceId);

/**
 * Puts two simulated cameras into slots: an unknown one is refused, both are paired, one of them is pulled out too
 * early and goes on in another slot, and both end empty. The root helper is the real one; only the bus and the
 * mounting are simulated.
 */
export async function dockScene(
  folder: string,
  events: Events,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  const clock = simulatedClock(systemClock.now());
  const site = await makeDemoSite(clock, folder, [], 3, signal);
  const dock = await openSimulatedDock(clock, folder, site.config);
  const finished = new AbortController();
  await together(AbortSignal.any([signal, finished.signal]), [
    (s) => runCoreOn(clock, events, unattended(clock), site.config, dock.core, s),
    (s) => runDockOn(clock, events, unattended(clock), site.config, dock.dock, s),
    async (s) => {
      await play(clock, site, dock, show, s);
      finished.abort();
    },
  ]);
}

async function play(
  clock: SimulatedClock,
  site: DemoSite,
  dock: SimulatedDock,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  const ask = asker(socketPath(site.config), signal);
  await answering(ask, signal);
  await ask("clock.confirm", { timeMs: clock.now(), by: "demo" });
  const watch = watcher(clock, ask, dock, show, signal);
  for (const [index, camera] of [ONE, TWO].entries()) {
    await recordClip(dock.cardOf(camera), plus(clock.now(), -HOUR_MS), 440 + 220 * index);
    await recordClip(dock.cardOf(camera), plus(clock.now(), -HOUR_MS / 2), 550 + 220 * index);
  }

  show.say("Twee onbekende bodycams in slots / two unknown bodycams are put into slots");
  await dock.plug(1, ONE);
  await dock.plug(2, TWO);
  const unknown = await watch.until((slots) => slots.filter(isFailed).length === 2, MINUTE_MS);
  show.expect("onbekend, dus niet gelezen / unknown, so not read", {
    expected: "unpaired, unpaired",
    seen: unknown.map(({ why }) => why).join(", "),
  });

  show.say("Zij worden gekoppeld en opnieuw ingezet / they are paired, and docked again");
  for (const [index, number] of NUMBERS.entries()) {
    const slot = slotOf(index + 1);
    await ask("bodycams.pair", {
      number,
      slot,
      profile: "generic-dcim-synchronised",
      by: "beheerder",
    });
  }
  await dock.pull(1, ONE);
  await dock.pull(2, TWO);
  await watch.until((slots) => slots.every(({ state }) => state === "free"), MINUTE_MS);
  watch.forget();
  await dock.plug(1, ONE);
  await dock.plug(2, TWO);
  await watch.until((slots) => slots.some(isOf(2, "busy")), MINUTE_MS);
  show.say(`${NUMBERS[1]} gaat te vroeg mee, en komt terug in een ander slot / leaves too early`);
  await dock.pull(2, TWO);
  await watch.until((slots) => slots.some(isOf(2, "free")), MINUTE_MS);
  await watch.until((slots) => slots.some(isReady), 10 * MINUTE_MS);
  await dock.plug(3, TWO);
  const ready = await watch.until((slots) => slots.filter(isReady).length === 2, 10 * MINUTE_MS);
  show.expect("het eerst klaar / ready first", {
    expected: slotOf(1),
    seen: firstReady(ready)?.slot ?? "-",
  });
  await watch.until((slots) => slots.filter(isDone).length === 2, 3 * HOUR_MS);
  show.expect("elke toestand in volgorde / each state in its order", {
    expected: "busy safe done, busy safe done",
    seen: [1, 3].map((port) => watch.statesOf(slotOf(port)).join(" ")).join(", "),
  });
  await tellLeft(ask, dock, show);
}

/** What is kept, and that nothing is left on the cards. */
async function tellLeft(ask: Ask, dock: SimulatedDock, show: Show): Promise<void> {
  const everything = { device: null, fromMs: 0, toMs: 9e12 };
  const { segments } = await ask("find", everything);
  show.expect("elke opname één keer bewaard / each recording stored once", {
    expected: NUMBERS.flatMap((number) => [number, number]).join(", "),
    seen: segments
      .filter(({ state }) => state === "stored")
      .map(({ device }) => device)
      .toSorted()
      .join(", "),
  });
  show.expect("nog op de kaarten / left on the cards", {
    expected: "0",
    seen: String(await dock.filesLeft()),
  });
}

const isFailed = ({ state }: SlotNews): boolean => state === "failed";
const isDone = ({ state }: SlotNews): boolean => state === "done";
const isReady = ({ readySince }: SlotNews): boolean => readySince !== null;
const isOf =
  (port: number, wanted: SlotNews["state"]) =>
  ({ slot, state }: SlotNews): boolean =>
    slot === slotOf(port) && state === wanted;

/** Lets seconds pass, and shows what each slot says whenever it says something else. */
function watcher(
  clock: SimulatedClock,
  ask: Ask,
  dock: SimulatedDock,
  show: Show,
  signal: AbortSignal,
) {
  const said = new Map<string, string>();
  const states = new Map<string, SlotNews["state"][]>();

  function note(one: SlotNews): void {
    const says = `  ${one.slot}  ${(one.number ?? "-").padEnd(8)} ${slotSays(one)}`;
    if (said.get(one.slot) !== says) show.say(says);
    said.set(one.slot, says);
    const seen = states.get(one.slot) ?? [];
    if (one.state !== "free" && seen.at(-1) !== one.state) seen.push(one.state);
    states.set(one.slot, seen);
  }

  return {
    statesOf: (slot: string): readonly string[] => states.get(slot) ?? [],
    forget: () => states.clear(),
    /**
     * The slots as soon as `wanted` says so of them, or as they are after `limitMs`; not before half a minute
     * of this machine's time is over as well, for it may be busy.
     */
    async until(
      wanted: (slots: readonly SlotNews[]) => boolean,
      limitMs: number,
    ): Promise<readonly SlotNews[]> {
      const end = clock.now() + limitMs;
      const lateMs = systemClock.uptimeMs() + PATIENCE_MS;
      for (;;) {
        const { slots } = await ask("docks", {});
        for (const one of slots) note(one);
        const isOver = clock.now() >= end && systemClock.uptimeMs() >= lateMs;
        if (wanted(slots) || isOver) return slots;
        await clock.pass(SECOND_MS, signal);
        // Reading and sealing take time of this machine, and none of the simulated one.
        await systemClock.sleep(5, signal);
        await dock.obey();
      }
    },
  };
}
