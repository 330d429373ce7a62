import type { NodeId } from "#base/ids";
import { DAY_MS, type Instant } from "#base/time";
import {
  type GoneWithMedium,
  openStatement,
  recordConfirmed,
  recordMediumDestroyed,
  recordStatement,
} from "../storage/catalog/medium-destroyed.ts";
import type { Sql } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import type { DeskCommand, DeskEntry } from "./desk/entry.ts";
import { statementOf } from "./desk/medium.ts";
import type { Events } from "./events.ts";

type Command = Extract<DeskCommand, { kind: "medium.destroyed" }>;

/** Who has not found a second person within this time signs anew. */
const CONFIRM_WITHIN_MS = 7 * DAY_MS;

/** What came of an entry about a medium. */
export type OfMedium =
  | { readonly kind: "stated" }
  | { readonly kind: "refused" }
  | { readonly kind: "destroyed"; readonly gone: GoneWithMedium | undefined };

/** An entry as it stood in the chain, and by which key. */
export interface Signed {
  readonly entry: DeskEntry;
  readonly link: string;
  readonly keySha256: string;
  /** Put into the chain after it had expired: kept back by somebody (docs/decisions/0008). */
  readonly late: boolean;
}

/**
 * Obeys an entry that says that a medium is destroyed. It counts once two people signed the same words, each
 * with a key of their own (invariant 12); on a demo site one will do.
 */
export async function obeyMedium(
  sql: Sql,
  node: NodeId,
  demo: boolean,
  command: Command,
  { entry, link, keySha256, late }: Signed,
  now: Instant,
): Promise<OfMedium> {
  const { number, by, at } = entry;
  const statement = statementOf(command);
  const stated = { deskNumber: number, link, statement, by, keySha256, at };
  if (command.confirms === null && !late) {
    if (demo) return destroyed(sql, node, command, now, { desk: [number], by: [by] });
    await recordStatement(sql, stated);
    return { kind: "stated" };
  }
  const first = command.confirms ? await openStatement(sql, command.confirms.number) : undefined;
  const why = late
    ? "put after it expired"
    : first === undefined || first.link !== command.confirms?.link
      ? "confirms nothing"
      : first.statement !== statement
        ? "confirms other words"
        : first.by === by || first.keySha256 === keySha256
          ? "one person"
          : at - first.at > CONFIRM_WITHIN_MS || at < first.at
            ? "confirmed too late"
            : undefined;
  if (first === undefined || why !== undefined) {
    await append(sql, now, [{ kind: "medium.refused", facts: { desk: number, why: why ?? "" } }]);
    return { kind: "refused" };
  }
  await recordConfirmed(sql, first.deskNumber, number);
  const signed = { desk: [first.deskNumber, number], by: [first.by, by] };
  return destroyed(sql, node, command, now, signed);
}

/** Says what came of it. */
export function sayOfMedium(
  events: Events,
  { medium: kind, serial }: Command,
  number: number,
  came: OfMedium,
): void {
  if (came.kind === "stated") events.mediumStatement(number);
  if (came.kind === "refused") events.mediumRefused(number);
  if (came.kind !== "destroyed" || !came.gone) return;
  const medium = { kind, serial };
  events.mediumDestroyed(medium, came.gone.ended + came.gone.lost.length);
  for (const segment of came.gone.lost) events.securedLost(segment, medium);
}

async function destroyed(
  sql: Sql,
  node: NodeId,
  { medium: kind, serial, segments }: Command,
  now: Instant,
  signed: { readonly desk: readonly number[]; readonly by: readonly string[] },
): Promise<OfMedium> {
  const mine =
    segments === "all" ? segments : segments.filter((one) => one.node === node).map(({ id }) => id);
  const gone = await recordMediumDestroyed(sql, now, { kind, serial }, mine, signed);
  return { kind: "destroyed", gone };
}
