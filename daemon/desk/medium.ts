import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { MediumName } from "../../storage/catalog/medium.ts";
import { canonical } from "../../storage/ledger/canonical.ts";
import type { DeskCommand } from "./entry.ts";
import { appendEntry, readChain, type Station } from "./station.ts";
import type { Target } from "./targets.ts";

type Command = Extract<DeskCommand, { kind: "medium.destroyed" }>;

/** The words that two people sign: which medium, and what of it. */
export function statementOf({ medium, serial, segments }: Command): string {
  const what = segments === "all" ? segments : segments.map(({ node, id }) => ({ node, id }));
  return canonical({ medium, serial, segments: what });
}

/**
 * Says that a medium is destroyed, or what it had of some segments. Returns the entry's number: another
 * person confirms it with that, unless this is a demo site.
 */
export async function stateDestroyed(
  clock: Clock,
  station: Station,
  { kind: medium, serial }: MediumName,
  segments: "all" | readonly Target[],
  signal: AbortSignal,
): Promise<number> {
  const of = segments === "all" ? segments : [...segments];
  const command = {
    kind: "medium.destroyed",
    medium,
    serial,
    segments: of,
    confirms: null,
  } as const;
  return appendEntry(clock, station, command, signal);
}

/**
 * Signs the same words as the entry `number`, as the second person.
 * @throws BewaardError DESK_NOT_FOUND when that entry says nothing of a medium, DESK_FORBIDDEN when this
 * person signed it.
 */
export async function confirmDestroyed(
  clock: Clock,
  station: Station,
  number: number,
  signal: AbortSignal,
): Promise<Command> {
  const chain = await readChain(station, signal);
  const first = chain.find(({ entry }) => entry.number === number);
  const stated = first?.entry.command;
  if (stated?.kind !== "medium.destroyed" || stated.confirms !== null || !first?.head.link) {
    const message = `regel ${number} zegt niets over een medium / entry ${number} says nothing of a medium`;
    throw new BewaardError("DESK_NOT_FOUND", message);
  }
  if (first.entry.by === station.config.person) {
    const message = "een ander moet bevestigen / another person must confirm";
    throw new BewaardError("DESK_FORBIDDEN", message);
  }
  const command = { ...stated, confirms: { number, link: first.head.link } };
  await appendEntry(clock, station, command, signal);
  return command;
}
