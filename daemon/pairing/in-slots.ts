import type { DeviceId } from "#base/ids";
import {
  type Bodycam,
  isSameModelAndSerial,
  type Looks,
  lookAlike,
} from "../../storage/catalog/bodycams.ts";
import { isItself, isPlaceholder } from "./serials.ts";

/** What is in a slot now, as this machine sees it. */
export interface InSlot extends Looks {
  readonly slot: string;
  readonly kind: "disk" | "mtp" | "other";
  /** Why the root helper did not mount it; null where it did, or has not looked yet. */
  readonly refused: string | null;
  /** Whether the root helper has looked at it: before that the serial of its file system is not known. */
  readonly looked: boolean;
}

/** Looks in every slot. Sees what is there now, whatever anybody was told of it. */
export type LookInSlots = () => Promise<readonly InSlot[]>;

/** Why a device is not read. */
export const UNREAD = [
  "no-files",
  "not-looked",
  "unpaired",
  "same-identity",
  "volume-changed",
] as const;
type Unread = (typeof UNREAD)[number];

export interface Recognised extends InSlot {
  /** The number it has here. Also of one that is not read because its file system is another. */
  readonly number: DeviceId | null;
  readonly unread: Unread | null;
}

/**
 * Whose each device is. Of two that look the same neither is anybody's: the number of one would be put on
 * the footage of the other.
 */
export function recognise(
  present: readonly InSlot[],
  paired: readonly Bodycam[],
): readonly Recognised[] {
  const inService = paired.filter(({ retiredAt }) => retiredAt === undefined);
  return present.map((one) => {
    if (!one.looked)
      return { ...one, number: null, unread: one.kind === "other" ? "no-files" : "not-looked" };
    const isTwin = present.some(
      (other) => other.looked && other.slot !== one.slot && lookAlike(one, other),
    );
    if (isTwin || !isItself(one)) return { ...one, number: null, unread: "same-identity" };
    const exact = inService.filter((camera) => lookAlike(camera, one));
    if (exact.length === 1) return { ...one, number: exact[0]?.device ?? null, unread: null };
    const changed = isPlaceholder(one.serial)
      ? []
      : inService.filter((camera) => isSameModelAndSerial(camera, one));
    if (changed.length === 1)
      return { ...one, number: changed[0]?.device ?? null, unread: "volume-changed" };
    return { ...one, number: null, unread: "unpaired" };
  });
}
