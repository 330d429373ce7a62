import { z } from "zod";
import { TERM_LIMIT_MS } from "#base/term";
import { DAY_MS } from "#base/time";
import { day, duration, manager, over, slug } from "./values.ts";

// What a municipality has decided. The code holds the upper limits; each shipped policy quotes the line of
// its city's document that it follows.

/** Twenty years: a longer term of a register is a mistyped one. */
const REGISTER_LIMIT_MS = 20 * 366 * DAY_MS;

const TERM = 'at most "28 days" (DH-06, AR-26): policy can only be shorter';
export const retention = duration
  .refine((ms) => ms <= TERM_LIMIT_MS, { message: TERM })
  .refine((ms) => ms >= DAY_MS, { message: 'at least "1 day"' });
const registerTerm = duration
  .refine((ms) => ms <= REGISTER_LIMIT_MS, { message: "at most 20 years" })
  .refine((ms) => ms >= DAY_MS, { message: 'at least "1 day"' });
const within = duration.refine((ms) => ms > 0, { message: 'write a time like "28 days"' });

export const words = z.array(slug).refine((all) => new Set(all).size === all.length, {
  message: "each word once: one stands here twice",
});
export const ROLE = "Which role, not which person.";

export const room = z.strictObject({
  building: slug.describe("One of buildings."),
  room: slug.describe("The room in it."),
});

/** The first is the least. */
export const READ_BACK = ["sampled", "whole"] as const;

const registers = z.strictObject({
  access: registerTerm.describe("Who opened or viewed what."),
  hand_overs: registerTerm.describe("What was handed over, to whom (AR-34)."),
  requests: registerTerm.describe("Requests of data subjects, and complaints."),
  persons: registerTerm.describe("Who was authorised, counted from the end of it."),
  audit: registerTerm.describe("Audits, access reviews, changes of configuration."),
});

export const policySchema = z
  .strictObject({
    name: z.string().min(1).describe("What the policy is called."),
    /** A tenant's own regime (AR-09): not the municipality's, and shown so everywhere. */
    own_regime: z
      .boolean()
      .default(false)
      .describe("A tenant's own regime instead of the municipality's policy (AR-09)."),
    /** Legal ground of the processing (DH-02, AR-06). */
    ground: z.string().min(1).describe("Legal ground of the processing (DH-02, AR-06)."),
    in_force_from: day
      .optional()
      .describe("The first day this version holds. Without it: the day employees were informed."),
    informed_on: day
      .optional()
      .describe("The day employees were informed of this version (AR-11), else in the box's file."),
    approved_by: slug.describe("Whose consent a change needs (AR-43)."),
    privacy_contact: z.string().optional().describe("Where people turn to about their data."),
    keeps: z
      .array(z.enum(["video", "audio", "location"]))
      .min(1)
      .describe("What is kept of a recording: nothing else (DH-05, AR-12, AR-13)."),
    retention: retention.describe("How long footage is kept, counted from recording."),
    /** The longest a camera stays out of its dock: counts where its clock cannot be relied on. */
    longest_undocked: duration.describe("The longest a bodycam stays out of its dock."),
    /** What footage may be used for: a closed list, free text is refused (DH-03, AR-05). */
    purposes: words.min(1).describe("What footage may be used for: a closed list (DH-03, AR-05)."),
    incident_kinds: words.default([]).describe("What an incident can be (AR-02)."),
    /** What may be a ground for a hold, and whether it needs a reference (DH-03, DH-04, AR-17). */
    hold_grounds: z
      .array(
        z.strictObject({
          name: slug.describe("What the ground is called."),
          reference: z.boolean().describe("Whether it needs a reference."),
        }),
      )
      .min(1)
      .describe("What may be a ground for a hold (DH-03, DH-04, AR-17)."),
    review_within: within.describe("A hold is reviewed at least this often (AR-19)."),
    destroy_within: within.describe("Held copies are gone this long after closing (DH-09, AR-29)."),
    separate_copy: z.boolean().describe("Whether held footage goes to a separate medium (AR-20)."),
    /** What of a stored object is read back before a card is wiped or a copy leaves the spool. */
    read_back: z
      .enum(READ_BACK)
      .default("sampled")
      .describe("What of stored footage is read back: whole, or pieces picked at random."),
    /** Who footage may be handed to (DH-10, AR-30). */
    recipients: words.min(1).describe("Who footage may be handed to (DH-10, AR-30)."),
    hand_over_on: words.describe("Which hold grounds may lead to a hand-over (AR-32)."),
    opened_by: slug.describe(`Who may open kept footage (AR-25, DH-13). ${ROLE}`),
    four_eyes: z.strictObject({
      people: z.int().min(2, "at least 2 (AR-21)").describe("How many people open together."),
      instruction_by: slug
        .optional()
        .describe(`Whose targeted instruction may stand for the second person (AR-21). ${ROLE}`),
    }),
    live_view: z
      .array(
        z.strictObject({
          role: z.enum(["custodian", "reception", "security"]).describe("Who."),
          buildings: z.enum(["all", "own"]).describe("All buildings, or only where they work."),
        }),
      )
      .default([])
      .describe("Who may see live pictures (AR-18, AR-46)."),
    external_staff: z
      .strictObject({
        named_by: slug.describe(`Who may name external staff. ${ROLE}`),
        inside_only: z.boolean().describe("Whether they work only inside the location (AR-24)."),
      })
      .optional()
      .describe("External staff (AR-22, AR-24). Without it: none."),
    buildings: z
      .array(
        z.strictObject({
          name: slug.describe("What the building is called."),
          manager: manager.describe(`Responsible manager (AR-16). ${ROLE}`),
        }),
      )
      .default([])
      .describe("The buildings where cameras may hang: a closed list (AR-04)."),
    sound: z
      .strictObject({
        purpose: slug.describe("The one purpose that recorded sound opens for. One of purposes."),
        rooms: z.array(room).min(1).describe("Where a camera may record sound."),
      })
      .optional()
      .describe("Sound of building cameras (AR-14). Without it: none."),
    covert: z
      .strictObject({
        ground: slug.describe("The only suspicion that allows it."),
        decided_by: slug.describe(`Who decides, for a stated period. ${ROLE}`),
      })
      .optional()
      .describe("Covert cameras (AR-40, AR-41). Without it: none."),
    requests: z.strictObject({
      due_within: within.describe("A request of a data subject is answered within this (AR-38)."),
      freeze: z.boolean().describe("Whether a request may freeze footage meanwhile (AR-38)."),
    }),
    complaints: z.strictObject({
      due_within: within.describe("A complaint is answered within this (AR-42)."),
      extended_by: duration.describe("Once longer, by this."),
    }),
    /** How long each register itself is kept. */
    register_terms: registers,
    audit_every: within.describe("How often the kept recordings are audited (DH-16)."),
    access_review_every: within.describe("How often access is reviewed (DH-14)."),
  })
  .refine((policy) => policy.longest_undocked <= policy.retention - DAY_MS, {
    ...over("longest_undocked", "retention"),
    message: "at least a day shorter than retention",
  })
  .refine((policy) => (policy.informed_on ?? 0) <= (policy.in_force_from ?? Infinity), {
    ...over("informed_on", "in_force_from"),
    message: "on or before in_force_from: employees are told beforehand (AR-11)",
  })
  .refine((policy) => isOneOfEach(policy.hold_grounds), {
    ...over("hold_grounds"),
    message: "each ground once: one stands here twice",
  })
  .refine((policy) => isOneOfEach(policy.buildings), {
    ...over("buildings"),
    message: "each building once: one stands here twice",
  })
  .refine((policy) => isOneOfEach(policy.live_view.map(({ role }) => ({ name: role }))), {
    ...over("live_view"),
    message: "each role once: one stands here twice",
  })
  .refine((policy) => isWithin(policy.hand_over_on, policy.hold_grounds.map(nameOf)), {
    ...over("hand_over_on", "hold_grounds"),
    message: "only names of hold_grounds",
  })
  .refine((policy) => isWithin(soundPurposes(policy), policy.purposes), {
    ...over("sound", "purposes"),
    message: "its purpose is one of purposes",
  })
  .refine((policy) => isWithin(soundBuildings(policy), policy.buildings.map(nameOf)), {
    ...over("sound", "buildings"),
    message: "its rooms are in buildings of the list (AR-04, AR-14)",
  });

function nameOf({ name }: { name: string }): string {
  return name;
}

function isOneOfEach(all: readonly { name: string }[]): boolean {
  return new Set(all.map(nameOf)).size === all.length;
}

function isWithin(some: readonly string[], all: readonly string[]): boolean {
  return some.every((one) => all.includes(one));
}

function soundPurposes({ sound }: { sound?: { purpose: string } | undefined }): readonly string[] {
  return sound ? [sound.purpose] : [];
}

function soundBuildings({
  sound,
}: {
  sound?: { rooms: readonly { building: string }[] } | undefined;
}): readonly string[] {
  return (sound?.rooms ?? []).map(({ building }) => building);
}

export type Policy = z.output<typeof policySchema>;
