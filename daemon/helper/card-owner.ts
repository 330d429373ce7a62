import { BewaardError } from "#base/errors";
import { userNamed } from "#base/user-named";

/**
 * Whom cards are mounted for, as options of a mount: the dock's user, where that is one of its own, else the one of all
 * parts. Core reads no card.
 * @throws BewaardError CARD_MOUNT (transient) where there is neither.
 */
export async function cardOwner(): Promise<string> {
  const user = (await userNamed("bewaard-dock")) ?? (await userNamed("bewaard"));
  if (user) return `uid=${user.uid},gid=${user.gid}`;
  throw new BewaardError("CARD_MOUNT", "there is no user bewaard", { transient: true });
}
