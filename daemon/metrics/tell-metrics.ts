import type { Clock } from "#base/time";
import type { Config } from "../../config/schema.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { VaultLevel } from "../../storage/vault/vault.ts";
import type { Events } from "../events.ts";
import { listeningOf, recordSocketPath, wallCameras } from "../places.ts";
import { askStates } from "../record/states-socket.ts";
import type { AskRoomLeft } from "../room-left.ts";
import { measure } from "./measure.ts";
import { serveMetrics } from "./serve-metrics.ts";

/** Lets programs on this machine read what core measures, where the configuration says so, until the signal aborts. */
export function tellMetrics(
  clock: Clock,
  events: Events,
  database: Database,
  level: VaultLevel,
  askRoomLeft: AskRoomLeft,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  const measured = {
    database,
    level,
    limitBytes: config.spool.limit,
    askRoomLeft,
    askStates: (s: AbortSignal) => askStates(recordSocketPath(config), s),
    cameras: wallCameras(config),
  };
  const read = () => measure(clock, measured, signal);
  return serveMetrics(clock, events, listeningOf(config), read, signal);
}
