import type { DeviceId } from "#base/ids";
import type { Instant } from "#base/time";
import type { SlotWhy } from "./slot-why.ts";

// What a slot shows to whoever puts a camera in it, as a pure function of what happened there. It may say
// that a camera may go only when every file that was seen on its card lies adopted on this box.

export type SlotState = "free" | "busy" | "safe" | "done" | "failed";

/** Which state may follow which. A slot is free again from any, because a camera may go at any moment. */
export const NEXT = {
  free: ["busy"],
  busy: ["safe", "done", "failed", "free"],
  safe: ["busy", "done", "failed", "free"],
  done: ["busy", "safe", "failed", "free"],
  failed: ["busy", "safe", "done", "free"],
} as const satisfies Record<SlotState, readonly SlotState[]>;

/** How far the card of a slot is. What the profile ignores is not counted. */
export interface Counted {
  readonly files: number;
  readonly bytes: number;
  /** Sealed and handed over, now or at an earlier docking. */
  readonly filesDone: number;
  readonly bytesDone: number;
  /** Adopted: recorded by core, and in its ring or further. */
  readonly adopted: number;
}

export interface Slot extends Counted {
  readonly state: SlotState;
  /** Why it is busy or has failed, and what one that may go still waits for; null where there is nothing to say. */
  readonly why: SlotWhy | null;
  /** From being seen to being gone: a ULID. Null in a free slot. */
  readonly docking: string | null;
  readonly number: DeviceId | null;
  readonly hoursFree: number | null;
  readonly since: Instant;
  /** Since when the camera may go; null while it may not. */
  readonly readySince: Instant | null;
}

const NOTHING: Counted = { files: 0, bytes: 0, filesDone: 0, bytesDone: 0, adopted: 0 };

export function freeSlot(at: Instant): Slot {
  return {
    ...NOTHING,
    state: "free",
    why: null,
    docking: null,
    number: null,
    hoursFree: null,
    since: at,
    readySince: null,
  };
}

/** What can happen in a slot. All but `seen` is of a docking, and comes to nothing when that one is over. */
export type Happening = { readonly docking: string } & (
  | { readonly kind: "seen" }
  | { readonly kind: "recognised"; readonly number: DeviceId }
  /** A whole look at the card ended (`whole`), and why files stay on it; or one of its files was taken. */
  | {
      readonly kind: "counted";
      readonly counted: Counted;
      readonly whole: boolean;
      readonly left: SlotWhy | null;
    }
  | { readonly kind: "delayed"; readonly why: SlotWhy }
  | { readonly kind: "failed"; readonly why: SlotWhy }
  /** One that may go: how much fits, and what the wiping of its card, or the setting of its clock, waits for. */
  | { readonly kind: "kept"; readonly hoursFree: number | null; readonly why: SlotWhy | null }
  | { readonly kind: "gone" }
  /** As `gone`, but what the card was in is still plugged in; `as` is what happens to that from now on. */
  | { readonly kind: "lost"; readonly as: string }
);

/** The slot after what happened at `at`. */
export function after(slot: Slot, happening: Happening, at: Instant): Slot {
  if (happening.kind === "seen") {
    if (happening.docking === slot.docking) return slot;
    return { ...freeSlot(at), state: "busy", why: "recognising", docking: happening.docking };
  }
  if (happening.docking !== slot.docking) return slot;
  switch (happening.kind) {
    case "recognised":
      return moved(slot, { state: "busy", why: "reading", number: happening.number }, at);
    case "counted":
      return moved(slot, { ...happening.counted, ...judged(slot, happening) }, at);
    case "delayed":
      return slot.state === "busy" ? moved(slot, { state: "busy", why: happening.why }, at) : slot;
    case "failed":
      return moved(slot, { state: "failed", why: happening.why }, at);
    case "kept":
      if (slot.state !== "safe" && slot.state !== "done") return slot;
      return { ...slot, hoursFree: happening.hoursFree, why: happening.why };
    case "gone":
      return freeSlot(at);
    case "lost": {
      const { number } = slot;
      return { ...freeSlot(at), state: "busy", why: "card-gone", docking: happening.as, number };
    }
    default:
      return happening satisfies never;
  }
}

function judged(
  slot: Slot,
  { counted, whole, left }: Happening & { readonly kind: "counted" },
): Pick<Slot, "state" | "why"> {
  const { files, filesDone, adopted } = counted;
  if (left !== null) return { state: "failed", why: left };
  // Until a file was taken after all, or the whole card was looked at, nothing is known to be better.
  if (slot.state === "failed" && !whole && filesDone <= slot.filesDone) return slot;
  if (whole && adopted === files) {
    const state = files === 0 ? "done" : "safe";
    return { state, why: slot.state === state ? slot.why : null };
  }
  return { state: "busy", why: filesDone === files ? "adopting" : "reading" };
}

function moved(slot: Slot, change: Partial<Slot> & Pick<Slot, "state">, at: Instant): Slot {
  const ready = change.state === "safe" || change.state === "done";
  return {
    ...slot,
    ...change,
    since: change.state === slot.state ? slot.since : at,
    readySince: ready ? (slot.readySince ?? at) : null,
  };
}
