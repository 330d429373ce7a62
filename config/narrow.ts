import type { Annex } from "./annex-schema.ts";
import type { Policy } from "./policy-schema.ts";
import { durationText } from "./units.ts";

/** Something in an annex that would allow more than the policy does. */
interface Widening {
  /** The key of the annex, and which of its list. */
  readonly path: readonly (string | number)[];
  readonly what: string;
}

/** The policy as the annex leaves it, or every way in which the annex would widen it (AR-08). */
export type Narrowed =
  | { readonly policy: Policy; readonly widenings?: undefined }
  | { readonly policy?: undefined; readonly widenings: readonly [Widening, ...Widening[]] };

/** Lays `annex` over `policy`. What the annex does not name stays as it is. */
export function narrow(policy: Policy, annex: Annex): Narrowed {
  const [first, ...rest] = widenings(policy, annex);
  if (first) return { widenings: [first, ...rest] };
  const purposes = annex.purposes ?? policy.purposes;
  const hold_grounds = policy.hold_grounds.filter(({ name }) => keeps(annex.hold_grounds, name));
  const buildings = policy.buildings.filter(({ name }) => keeps(annex.buildings, name));
  return {
    policy: {
      ...policy,
      own_regime: policy.own_regime || annex.own_regime,
      retention: annex.retention ?? policy.retention,
      read_back: annex.read_back ?? policy.read_back,
      purposes,
      hold_grounds,
      recipients: annex.recipients ?? policy.recipients,
      hand_over_on: (annex.hand_over_on ?? policy.hand_over_on).filter((ground) =>
        hold_grounds.some(({ name }) => name === ground),
      ),
      buildings,
      sound: soundLeft({ ...policy, purposes, buildings }, annex),
      covert: annex.covert === false ? undefined : policy.covert,
      external_staff: annex.external_staff === false ? undefined : policy.external_staff,
      live_view: policy.live_view.filter(({ role }) => keeps(annex.live_view, role)),
    },
  };
}

/** A room goes with its building, and all of them with the purpose of sound. */
function soundLeft({ sound, purposes, buildings }: Policy, annex: Annex): Policy["sound"] {
  if (!sound || !purposes.includes(sound.purpose)) return undefined;
  const rooms = sound.rooms.filter(
    (one) =>
      buildings.some(({ name }) => name === one.building) &&
      (annex.sound_rooms ?? sound.rooms).some((other) => isSameRoom(one, other)),
  );
  return rooms.length > 0 ? { ...sound, rooms } : undefined;
}

const LISTS = [
  "purposes",
  "hold_grounds",
  "recipients",
  "hand_over_on",
  "buildings",
  "live_view",
] as const;

const ALLOWED: Readonly<Record<(typeof LISTS)[number], (policy: Policy) => readonly string[]>> = {
  purposes: (policy) => policy.purposes,
  hold_grounds: (policy) => policy.hold_grounds.map(({ name }) => name),
  recipients: (policy) => policy.recipients,
  hand_over_on: (policy) => policy.hand_over_on,
  buildings: (policy) => policy.buildings.map(({ name }) => name),
  live_view: (policy) => policy.live_view.map(({ role }) => role),
};

function widenings(policy: Policy, annex: Annex): readonly Widening[] {
  const found: Widening[] = [];
  if (annex.retention !== undefined && annex.retention > policy.retention) {
    const what = `longer than the policy: at most "${durationText(policy.retention)}"`;
    found.push({ path: ["retention"], what });
  }
  if (annex.read_back === "sampled" && policy.read_back === "whole") {
    found.push({ path: ["read_back"], what: "less than the policy: write whole, or leave it out" });
  }
  for (const key of LISTS) {
    const allowed = ALLOWED[key](policy);
    const choice = allowed.length > 0 ? `only from: ${allowed.join(", ")}` : "it has none";
    for (const [index, word] of (annex[key] ?? []).entries()) {
      if (allowed.includes(word)) continue;
      found.push({ path: [key, index], what: `more than the policy allows; ${choice}` });
    }
  }
  for (const [index, room] of (annex.sound_rooms ?? []).entries()) {
    if (policy.sound?.rooms.some((one) => isSameRoom(one, room))) continue;
    const what = "sound where the policy has none (AR-14): leave the room out";
    found.push({ path: ["sound_rooms", index], what });
  }
  for (const key of ["covert", "external_staff"] as const) {
    if (annex[key] !== true || policy[key] !== undefined) continue;
    found.push({ path: [key], what: "the policy has none: write false, or leave it out" });
  }
  return found;
}

function keeps(some: readonly string[] | undefined, one: string): boolean {
  return some === undefined || some.includes(one);
}

interface Room {
  readonly building: string;
  readonly room: string;
}

function isSameRoom(one: Room, other: Room): boolean {
  return one.building === other.building && one.room === other.room;
}
