import type { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { failed, type Say } from "./say.ts";

// What there is to say of slots: a part of daemon/events.ts.

/** A slot, who is in it, and since when: `docking` is one stay of one camera. */
interface InSlot {
  readonly slot: string;
  readonly docking: string | null;
  readonly device: DeviceId | null;
}

export function slotEvents(say: Say) {
  return {
    docked: (where: InSlot) => say("notice", "docked", "something was put in", where),
    slotBusy: (where: InSlot, why: string | null) =>
      say("info", "slot-busy", "do not take it out", { ...where, why }),
    slotSafe: (where: InSlot, why: string | null) =>
      say("info", "slot-safe", "all that is on the card is kept here, the camera may go", {
        ...where,
        why,
      }),
    slotDone: (where: InSlot, why: string | null) =>
      say("notice", "slot-done", "all is kept and the card is empty, the camera may go", {
        ...where,
        why,
      }),
    slotFailed: (where: InSlot, why: string | null) =>
      say("error", "slot-failed", "somebody must look at it", { ...where, why }),
    undocked: (where: InSlot) => say("notice", "undocked", "taken out", where),
    undockedEarly: (where: InSlot) =>
      say("warning", "undocked-early", "taken out before all was kept: it must come back", where),
    noUsb: (why: string) =>
      say(
        "notice",
        "no-usb",
        "plugging in is not heard of, slots are looked at now and then or are none",
        { why },
      ),
    slotsUnseen: (error: BewaardError) =>
      say("error", "slots-unseen", "what is in the slots cannot be seen now", failed(error)),
    recordRefused: (record: string, why: string) =>
      say("alert", "card-record-refused", "a record of a card is not believed ({record})", {
        record,
        why,
      }),
  };
}
