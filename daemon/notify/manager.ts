import { type Datagrams, openDatagrams } from "#base/datagrams";
import { unlessBefore } from "#base/deadline";
import { SECOND_MS } from "#base/time";

/** Who runs this service and is told how it does: systemd (sd_notify(3)). */
export interface Manager extends Disposable {
  /** Tells it assignments such as `READY=1`. Rejects when it does not take them. */
  tell(...assignments: readonly string[]): Promise<void>;
  /** It ends who has not said `WATCHDOG=1` for so long; undefined where it does not look. */
  readonly watchdogMs: number | undefined;
}

/** A manager that reads nothing must not keep this process from stopping. */
const PATIENCE_MS = 5 * SECOND_MS;
const NAMES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Opens the manager that `environment` names; undefined where it names none. The names are taken out of it: no child
 * of this process may speak for it.
 */
export function openManager(environment: NodeJS.ProcessEnv, pid: number): Manager | undefined {
  const [path, usec, watched] = NAMES.map((name) => environment[name]);
  for (const name of NAMES) delete environment[name];
  // Others are abstract (@…), as no systemd of ours has them and the library cannot (`#base/datagrams`), or vsock:.
  if (!path?.startsWith("/")) return undefined;
  const isOurs = watched === undefined || watched === String(pid);
  let datagrams: Datagrams | undefined;
  return {
    async tell(...assignments) {
      datagrams ??= openDatagrams(path);
      const { promise: unread, reject } = Promise.withResolvers<never>();
      using _late = unlessBefore(PATIENCE_MS, () => reject(new Error("it does not read")));
      await Promise.race([datagrams.send(Buffer.from(assignments.join("\n"))), unread]);
    },
    watchdogMs: isOurs ? milliseconds(usec) : undefined,
    [Symbol.dispose]: () => datagrams?.[Symbol.dispose](),
  };
}

function milliseconds(usec: string | undefined): number | undefined {
  return usec !== undefined && /^[1-9]\d{0,15}$/.test(usec) ? Number(usec) / 1000 : undefined;
}
