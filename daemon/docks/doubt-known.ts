import { type Clock, DAY_MS } from "#base/time";
import type { CardFile } from "../../drivers/bodycam/card.ts";

/** Zones, and a camera's clock that runs a little off. */
const SLACK_MS = DAY_MS;

/**
 * Whether a file's time of change cannot be its own, on a camera that records over its oldest within `loopsWithinMs`. Its clock
 * began again then, and gives another recording the same name, length and time: only its bytes tell which one it is.
 */
export function doubter(clock: Clock, loopsWithinMs: number | null): (file: CardFile) => boolean {
  if (loopsWithinMs === null) return () => false;
  return ({ modifiedAt }) => {
    const now = clock.now();
    return modifiedAt > now + SLACK_MS || modifiedAt < now - loopsWithinMs - SLACK_MS;
  };
}
