import type { HoldId } from "#base/ids";
import type { Instant } from "#base/time";
import { lift, setHolds } from "./hold.ts";
import { readChain, type Station } from "./station.ts";
import type { Target } from "./targets.ts";

/** A hold as the chain has it. */
export interface AskedHold {
  readonly id: HoldId;
  readonly incident: string;
  readonly owner: string;
  readonly reviewAt: Instant;
  readonly segments: readonly Target[];
}

/** What the chain says of holds, in its order. */
export interface Decided {
  readonly asked: readonly AskedHold[];
  /** Of which a release counts: what a box would refuse frees nothing here either. */
  readonly released: ReadonlySet<HoldId>;
}

/**
 * Reads what was decided of holds. A release by one person counts on a demo site only (invariant 12), and nowhere
 * when it was put into the chain after it had expired: an entry before it is of a later moment.
 */
export async function decided(station: Station, signal: AbortSignal): Promise<Decided> {
  const asked: AskedHold[] = [];
  const released = new Set<HoldId>();
  let latest = 0;
  for (const { entry } of await readChain(station, signal)) {
    const { command, at, expiresAt } = entry;
    if (command.kind === "hold") asked.push({ ...command, id: command.hold });
    const counts = station.config.demo && expiresAt >= latest;
    if (command.kind === "release" && counts) released.add(command.hold);
    latest = Math.max(latest, at);
  }
  return { asked, released };
}

/** The segments of holds that are open, or of those that were released. */
export function segmentsOf(
  { asked, released }: Decided,
  which: "open" | "released",
): readonly Target[] {
  return asked
    .filter(({ id }) => released.has(id) === (which === "released"))
    .flatMap(({ segments }) => segments);
}

/** Those of `targets` that no open hold has. */
export function free(targets: readonly Target[], by: Decided): readonly Target[] {
  const open = new Set(segmentsOf(by, "open").map(keyOf));
  return targets.filter((one) => !open.has(keyOf(one)));
}

/**
 * Lifts the holds of `targets` in the vault; returns of how many segments. Another desk may come to hold one of
 * them in the same moment: it has put its entry before it holds, so the chain is read once more, and what it has
 * is held again (invariant 4).
 */
export async function liftFree(
  station: Station,
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<number> {
  const lifted = await lift(station, targets, signal);
  const stillFree = new Set(free(targets, await decided(station, signal)).map(keyOf));
  const held = targets.filter((one) => !stillFree.has(keyOf(one)));
  if (held.length > 0) await setHolds(station, held, signal);
  return lifted;
}

function keyOf({ node, id }: Target): string {
  return `${node}/${id}`;
}
