import type { Clock } from "#base/time";
import { type CardRecord, readCardRecords } from "../../drivers/bodycam/card-record.ts";
import { CARDS } from "../places.ts";
import type { InSlot, LookInSlots } from "./in-slots.ts";

/** What the root helper wrote of the cards that are in, since this start of the machine. */
export function lookAtCards(
  clock: Pick<Clock, "bootId">,
  readRecords: () => Promise<readonly CardRecord[]> = () => readCardRecords(CARDS),
): LookInSlots {
  return async () => {
    const bootId = clock.bootId();
    return (await readRecords()).filter((one) => one.bootId === bootId).map(inSlot);
  };
}

function inSlot({ slot, vendor, product, serial, volume, refused }: CardRecord): InSlot {
  const kind = volume.kind === "mtp" ? "mtp" : "disk";
  return { slot, kind, vendor, product, serial, volume: volume.serial, refused, looked: true };
}
