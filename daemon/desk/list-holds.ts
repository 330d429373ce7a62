import { z } from "zod";
import { BewaardError } from "#base/errors";
import type { HoldId, NodeId } from "#base/ids";
import type { Instant } from "#base/time";
import { type AskedHold, decided, free, liftFree, segmentsOf } from "./decided.ts";
import { setHolds } from "./hold.ts";
import { readLedger } from "./read-ledger.ts";
import type { Station } from "./station.ts";

/** A hold as the desk asked for it, and as the boxes say it stands. */
export interface DeskHold {
  readonly id: HoldId;
  readonly incident: string;
  readonly owner: string;
  readonly reviewAt: Instant;
  /** In force once the signed ledger of each box says so of each segment; until then not safe. */
  readonly state: "requested" | "in force" | "released";
  readonly segments: number;
  readonly inForce: number;
  /** Segments with a separate copy, by the medium it is on. */
  readonly secured: readonly {
    readonly medium: string;
    readonly serial: string;
    readonly segments: number;
  }[];
}

/** Every hold in the chain, the newest first; and the boxes whose ledger could not be read. */
export async function listDeskHolds(
  station: Station,
  signal: AbortSignal,
): Promise<{ readonly holds: readonly DeskHold[]; readonly unread: readonly string[] }> {
  const { asked, released } = await decided(station, signal);
  const nodes = new Set(asked.flatMap(({ segments }) => segments.map(({ node }) => node)));
  const told = new Map<string, Told>();
  const unread: string[] = [];
  for (const node of nodes) {
    try {
      for (const [key, value] of await toldBy(station, node, signal)) told.set(key, value);
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      unread.push(`${node}: ${error.code}`);
    }
  }
  const holds = asked.map((one) => standing(one, released.has(one.id), told)).toReversed();
  return { holds, unread };
}

/**
 * Sets in the vault every hold that is open, and lifts what was released: where a box may not, or the desk
 * was cut off. Returns how many segments it held, and how many it let go.
 */
export async function setAllHolds(
  station: Station,
  signal: AbortSignal,
): Promise<{ readonly held: number; readonly lifted: number }> {
  const by = await decided(station, signal);
  const released = free(segmentsOf(by, "released"), by);
  const { held } = await setHolds(station, segmentsOf(by, "open"), signal);
  return { held: held.length, lifted: await liftFree(station, released, signal) };
}

interface Told {
  readonly inForce: boolean;
  readonly medium: { readonly medium: string; readonly serial: string } | undefined;
}

const NOTHING_TOLD: Told = { inForce: false, medium: undefined };

const entry = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("hold.in-force"), hold: z.string(), segment: z.string() }),
  z.object({
    kind: z.literal("hold.secured"),
    hold: z.string(),
    segment: z.string(),
    medium: z.string(),
    serial: z.string(),
  }),
  z.object({ kind: z.literal("hold.lost"), segment: z.string(), holds: z.array(z.string()) }),
  z.object({ kind: z.literal("secured.lost"), segment: z.string(), holds: z.array(z.string()) }),
]);

/** What the ledger of one box says of holds on its segments. */
async function toldBy(
  { vault, config }: Station,
  node: NodeId,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Told>> {
  const told = new Map<string, Told>();
  const change = (hold: string, segment: string, changes: Partial<Told>): void => {
    const key = `${hold} ${segment}`;
    told.set(key, { ...(told.get(key) ?? NOTHING_TOLD), ...changes });
  };
  await readLedger(vault, config.nodes, config.site, node, signal, (body) => {
    const { success, data } = entry.safeParse(JSON.parse(body));
    if (!success) return;
    if (data.kind === "hold.in-force") change(data.hold, data.segment, { inForce: true });
    else if (data.kind === "hold.secured") change(data.hold, data.segment, { medium: data });
    else
      for (const hold of data.holds) {
        const lost = data.kind === "secured.lost" ? { medium: undefined } : {};
        change(hold, data.segment, { inForce: false, ...lost });
      }
  });
  return told;
}

function standing(one: AskedHold, released: boolean, told: ReadonlyMap<string, Told>): DeskHold {
  const { segments, ...hold } = one;
  const each = segments.map(({ id }) => told.get(`${one.id} ${id}`) ?? NOTHING_TOLD);
  const inForce = each.filter((seen) => seen.inForce).length;
  const on = Map.groupBy(
    each.flatMap(({ medium }) => (medium ? [medium] : [])),
    ({ medium, serial }) => `${medium} ${serial}`,
  );
  const secured = [...on.values()].flatMap((all) =>
    all.slice(0, 1).map(({ medium, serial }) => ({ medium, serial, segments: all.length })),
  );
  const state = released ? "released" : inForce === segments.length ? "in force" : "requested";
  return {
    id: hold.id,
    incident: hold.incident,
    owner: hold.owner,
    reviewAt: hold.reviewAt,
    state,
    segments: segments.length,
    inForce,
    secured,
  };
}
