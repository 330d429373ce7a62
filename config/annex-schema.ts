import { z } from "zod";
import { READ_BACK, ROLE, retention, room, words } from "./policy-schema.ts";
import { day, manager, reference, slug } from "./values.ts";

/** What a tenant and the municipality agreed: it may narrow the policy, never widen it (AR-08, AR-09). */
export const annexSchema = z
  .strictObject({
    tenant: slug.describe("The tenant: a controller of its own (AR-07)."),
    own_regime: z
      .boolean()
      .default(false)
      .describe("The tenant follows a regime of its own; then this annex narrows nothing (AR-09)."),
    consent: z
      .strictObject({
        reference: reference.describe("Number of the building manager's consent."),
        date: day.describe("Day of the consent."),
        by: manager.describe(`Which manager consented. ${ROLE}`),
      })
      .describe("Consent of the building's manager to the cameras (AR-07)."),
    agreed: z
      .strictObject({
        reference: reference.describe("Number of the municipality's agreement."),
        date: day.describe("Day of the agreement."),
        by: slug.describe(`Who agreed. ${ROLE}`),
      })
      .optional()
      .describe(
        "The municipality's agreement with this annex (AR-08). Not for a regime of its own.",
      ),
    retention: retention.optional().describe("Shorter than the policy's."),
    read_back: z.enum(READ_BACK).optional().describe("whole, where the policy says sampled."),
    purposes: words.min(1).optional().describe("Some of the policy's."),
    hold_grounds: words.min(1).optional().describe("Some of the policy's, by name."),
    recipients: words.min(1).optional().describe("Some of the policy's."),
    hand_over_on: words.optional().describe("Some of the policy's."),
    buildings: words.optional().describe("Some of the policy's, by name."),
    sound_rooms: z.array(room).optional().describe("Some of the policy's; an empty list is none."),
    covert: z.boolean().optional().describe("false: no covert cameras."),
    external_staff: z.boolean().optional().describe("false: no external staff."),
    live_view: z
      .array(z.enum(["custodian", "reception", "security"]))
      .optional()
      .describe("Some of the policy's roles."),
  })
  .refine((annex) => annex.own_regime || annex.agreed !== undefined, {
    path: ["agreed"],
    message: "{ reference, date, by } of the municipality's agreement",
  })
  .superRefine((annex, context) => {
    if (!annex.own_regime) return;
    for (const key of NARROWING) {
      if (annex[key] === undefined) continue;
      const message = "leave it out: a regime of its own is no annex to the policy (AR-09)";
      context.addIssue({ code: "custom", path: [key], message });
    }
  });

/** The keys by which an annex narrows, and the agreement that goes with them. */
const NARROWING = [
  "agreed",
  "retention",
  "read_back",
  "purposes",
  "hold_grounds",
  "recipients",
  "hand_over_on",
  "buildings",
  "sound_rooms",
  "covert",
  "external_staff",
  "live_view",
] as const;

export type Annex = z.output<typeof annexSchema>;
