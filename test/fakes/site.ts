import type { Instant } from "#base/time";
import { together } from "#base/together";
import type { Config } from "../../config/schema.ts";
import { type Ask, asker } from "../../daemon/control/client.ts";
import { type SimulatedClock, simulatedClock } from "../../daemon/demo/simulated-clock.ts";
import { type DemoSite, makeDemoSite, type SiteCredentials } from "../../daemon/demo/site.ts";
import { runCore } from "../../daemon/main.ts";
import { unattended } from "../../daemon/notify/attendant.ts";
import { socketPath } from "../../daemon/places.ts";
import { runDock } from "../../daemon/run-dock.ts";
import { answering } from "./answering.ts";
import { temporaryFolder } from "./folder.ts";
import { capturedEvents, NEVER } from "./rig.ts";
import { started } from "./started.ts";

/** A whole site: box and desk, in a folder of the test's own, on a simulated clock. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly clock: SimulatedClock;
  readonly demo: DemoSite;
}

export async function openSite(
  start: Instant,
  cameras: readonly string[],
  days: number,
  more: object = {},
  known?: SiteCredentials,
): Promise<Site> {
  const folder = await temporaryFolder();
  const clock = simulatedClock(start);
  const demo = await makeDemoSite(clock, folder.path, cameras, days, NEVER, more, known);
  return {
    folder: folder.path,
    clock,
    demo,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/**
 * Runs the whole box of `site` while `body` plays, then stops it. Returns the names of the events, which `body`
 * sees as they come.
 */
export async function whileRunning(
  site: Site,
  body: (ask: Ask, signal: AbortSignal, said: readonly string[]) => Promise<void>,
  config: Config = site.demo.config,
): Promise<readonly string[]> {
  const said: string[] = [];
  const events = capturedEvents(said);
  const finished = new AbortController();
  await together(finished.signal, [
    (s) => runCore(site.clock, events, unattended(site.clock), config, s),
    (s) => runDock(site.clock, events, unattended(site.clock), config, s),
    async (s) => {
      const ask = asker(socketPath(config), s);
      await answering(ask, s);
      await ask("clock.confirm", { timeMs: site.clock.now(), by: "test" });
      await started(site.clock, s);
      await body(ask, s, said);
      finished.abort();
    },
  ]);
  return said;
}
