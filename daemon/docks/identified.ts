import { BewaardError } from "#base/errors";
import { type Card, listCard } from "../../drivers/bodycam/card.ts";
import { readIdentity } from "../../drivers/bodycam/identity.ts";
import type { CardLimits } from "../../drivers/bodycam/profile.ts";
import type { AskForDock } from "../control/producers.ts";
import type { PairedCard } from "./join-slots.ts";
import type { TakeCard } from "./take-card.ts";

/** What is known of a model's cards, to find the file in which a camera says which one it is. */
export interface Identified {
  readonly identity: { readonly file: string; readonly pattern: string } | null;
  readonly limits: CardLimits;
}

/**
 * As `take`, but nothing is taken from a card whose camera says, in a file of its own, that it is another one
 * than core knows under this number. Where it says nothing, USB ids and serials have to do.
 * @throws BewaardError BODYCAM_ALIKE for another camera; CARD_READ where too many files may hide what it says; and what `take` throws.
 */
export function identified(
  ask: AskForDock,
  { identity, limits }: Identified,
  { number, folder }: PairedCard,
  isThere: () => Promise<boolean>,
  take: TakeCard,
): TakeCard {
  let isKnown = identity === null;
  return async (signal) => {
    if (isKnown) return take(signal);
    const card = await listed(folder, limits, isThere);
    if (card === "gone") return "gone";
    const says = await readIdentity(identity, folder, card.files);
    if (says === undefined && card.more)
      throw new BewaardError(
        "CARD_READ",
        `more than ${limits.files} files: where ${number} says which one it is may be among the rest`,
      );
    if (says !== undefined) {
      const { is } = await ask("bodycams.identify", { number, says });
      if (is === "another")
        throw new BewaardError(
          "BODYCAM_ALIKE",
          `what looks like ${number} says that it is another camera: it is not read`,
        );
    }
    isKnown = true;
    return take(signal);
  };
}

async function listed(
  folder: string,
  limits: CardLimits,
  isThere: () => Promise<boolean>,
): Promise<Card | "gone"> {
  try {
    const card = await listCard(folder, limits);
    return card !== undefined && (await isThere()) ? card : "gone";
  } catch (error) {
    if (error instanceof BewaardError && !(await isThere())) return "gone";
    throw error;
  }
}
