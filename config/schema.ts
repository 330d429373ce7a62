import { z } from "zod";
import { parseNodeId, parsePersonId } from "#base/ids";
import { ALARMS, alarmsSchema, metricsSchema } from "./alarm-schema.ts";
import { isUnencrypted, securedSchema, vaultSchema } from "./bucket-schema.ts";
import { wallCamera } from "./camera-schema.ts";
import { EEA_COUNTRIES } from "./eea.ts";
import { uploadSchema } from "./upload-schema.ts";
import {
  absolutePath,
  attempt,
  bytes,
  cameraNumber,
  day,
  named,
  over,
  parsedBy,
  placeName,
  plainUrl,
  reference,
  siteName,
  slug,
} from "./values.ts";

// An unknown key is refused: a mistyped limit must not be no limit.

const NODE = 'write a short name like "dock-1"';
const bodycam = z.strictObject({
  number: cameraNumber,
  /** A folder that stands for the docked camera. */
  folder: absolutePath.describe("Where its card shows up."),
  profile: named.describe("A shipped profile by name, or one of the site's own by absolute path."),
  paired: day.describe("The day it came into service here."),
  place: placeName
    .optional()
    .describe("Where it is used, so that footage is found by place. Never a person."),
});

/** Who timestamps the signed ledger once a day (RFC 3161). */
const timestamps = z.strictObject({
  url: plainUrl.describe("Its address, over http or https."),
  /** Outside the EEA no byte goes (DH-11). */
  country: z
    .enum(EEA_COUNTRIES, "write the code of a country in the EEA, like NL")
    .describe("Where it stands: a country of the EEA."),
  authority: absolutePath
    .optional()
    .describe("PEM file with the root of its certificates; without it, those the system trusts."),
  declared_by: z
    .string()
    .min(1, "write who looked up where it stands, by role")
    .describe("The role that looked up where it stands and answers for it."),
});

/** Consent to a change (AR-43). Its reference serves once. */
const approval = z.strictObject({
  reference: reference.describe("Number of the decision. It serves for one change."),
  date: day.describe("Day of the decision."),
  by: slug.describe("Who decided: as the policy's approved_by says."),
});

/** How bodycams dock here. */
const docks = z.strictObject({
  /** Invariant 1: what is to have the same bytes before a card is wiped. */
  wipe_after: z
    .enum(["vault", "second-medium"])
    .optional()
    .describe(
      "What must have a file before it leaves its card: the vault; or the vault or the separate medium.",
    ),
});

/** What is the recorder's own: core need not be able to read it (docs/decisions/0035). */
const recorder = z.strictObject({
  state: absolutePath.describe(
    "How far each camera in a building is recorded, the recorder's sockets, and passwords of cameras.",
  ),
});

const boxKeys = z.strictObject({
  site: z
    .strictObject({
      name: siteName.describe("The site; boxes and desk must agree on it."),
      /** A demo site lets one person open and release; it must never hold real footage. */
      demo: z
        .boolean()
        .default(false)
        .describe("Lets one person open and release. Never on a site with real footage."),
      segment_seconds: z
        .int()
        .min(1)
        .max(60)
        .optional()
        .describe("A wall camera's segments are this long. Of a demo site only: else a minute."),
    })
    .refine((site) => site.demo || site.segment_seconds === undefined, {
      ...over("segment_seconds", "demo"),
      message: "leave it out: where real footage is kept a segment is a minute",
    }),
  node: z
    .string(NODE)
    .transform(parsedBy(attempt(parseNodeId), NODE))
    .describe("The name of this box; part of every key in the vault, so it never changes."),
  policy: named
    .default("den-haag")
    .describe("A shipped policy by name, or one of the site's own by absolute path."),
  /** AR-11, for a policy that does not say so itself: the shipped ones cannot know. */
  informed_on: day
    .optional()
    .describe("The day employees were informed of the policy, where its own file does not say."),
  /** What a tenant's annex narrows of the policy (AR-08). */
  annex: absolutePath.optional().describe("A tenant's annex, which narrows the policy."),
  approval: approval.optional().describe("Consent to a change of what needs one (AR-43)."),
  /** Catalog, keys and sockets of this box. */
  state: absolutePath.describe("Catalog, node key and control socket."),
  recorder: recorder
    .optional()
    .describe(
      "What is the recorder's own. Without it: that lies in `state`, or, where that is `/var/lib/bewaard` or a tenant's, beside it, in `/var/lib/bewaard-record`.",
    ),
  spool: z.strictObject({
    path: absolutePath.describe("The sealed files on this machine: a file system of its own."),
    limit: bytes.describe("The most footage the ring holds."),
    keep_free: bytes.describe("What stays free on that file system besides."),
  }),
  vault: vaultSchema("Where the second copy goes: the mount of a NAS."),
  secured: securedSchema.optional().describe("The separate medium for held footage (AR-20)."),
  upload: uploadSchema.optional().describe("How much of the line the vault may take."),
  /** Public day identities, from `bewaarctl desk init`. */
  recipients: absolutePath.describe("Public day identities, from `bewaarctl desk init`."),
  backup: z
    .strictObject({
      /** The identity that opens them lies in an envelope, and never here. */
      recipients: absolutePath.describe("Public recovery keys, from `bewaard recovery-key`."),
    })
    .optional()
    .describe("Daily backup of the catalog to the vault. Without it: none."),
  /** Who may sign desk entries: OpenSSH allowed_signers, from `bewaarctl desk init`. */
  desk_signers: absolutePath.describe("Who may sign desk entries, from `bewaarctl desk init`."),
  timestamps: timestamps.optional().describe("Who timestamps the signed ledger once a day."),
  /**
   * What may vouch for this box's clock beside `clock confirm`: authenticated time (nts), and, only where
   * it is listed, time that anybody on the way could forge (ntp).
   */
  time: z
    .strictObject({
      sources: z
        .array(z.enum(["nts", "ntp"]))
        .describe("What may vouch for the clock beside `clock confirm`: nts; ntp can be forged."),
    })
    .default({ sources: ["nts"] })
    .describe("Who may vouch for this box's clock."),
  docks: docks.optional().describe("How bodycams dock here."),
  alarms: alarmsSchema.default(ALARMS).describe("When an operator is told."),
  metrics: metricsSchema
    .optional()
    .describe("What Prometheus may read of this box. Without it: nothing listens."),
  // That numbers and folders are each there once is looked at with all other paths: config/crossings.ts.
  bodycams: z.array(bodycam).default([]).describe("The bodycams that dock here."),
  /** What policy allows of them is looked at in config/camera-rules.ts. */
  cameras: z.array(wallCamera).default([]).describe("The cameras in buildings, recorded here."),
});

const UNENCRYPTED = "over https: without it only a demo, on its own machine";

export const configSchema = boxKeys
  .refine((box) => box.site.demo || !isUnencrypted(box.vault), {
    ...over("vault", "site"),
    path: ["vault", "s3", "endpoint"],
    message: UNENCRYPTED,
  })
  .refine((box) => box.site.demo || !isUnencrypted(box.secured), {
    ...over("secured", "site"),
    path: ["secured", "s3", "endpoint"],
    message: UNENCRYPTED,
  });

const PERSON = 'write a pseudonym like "p-01"';

/** A desk station: made by `bewaarctl desk init`, kept beside the keys it names. */
const deskKeys = z.strictObject({
  site: siteName.describe("The site, as on its boxes."),
  demo: z.boolean().describe("A demo site: one person may open and release."),
  person: z
    .string(PERSON)
    .transform(parsedBy(attempt(parsePersonId), PERSON))
    .describe("The pseudonym of who signs here."),
  /** Private SSH key, or a public one whose private half is on a token. */
  sign_key: absolutePath.describe("Private SSH key, or the public half of one on a token."),
  vault: vaultSchema("The vault, as this desk sees it."),
  secured: securedSchema.optional().describe("The separate medium for held footage (AR-20)."),
  policy: named.describe("The policy, as on the boxes."),
  annex: absolutePath.optional().describe("The tenant's annex, as on the boxes."),
  /** Public keys of the boxes, as `bewaard setup` prints them. */
  nodes: z.array(z.string()).describe("Public keys of the boxes, as `bewaard setup` prints them."),
  /** Age recipients of the officers: what people write is sealed to them. */
  officers: z.array(z.string()).min(1).describe("Age recipients of the officers."),
});

export const deskSchema = deskKeys
  .refine((desk) => desk.demo || !isUnencrypted(desk.vault), {
    ...over("vault", "demo"),
    path: ["vault", "s3", "endpoint"],
    message: UNENCRYPTED,
  })
  .refine((desk) => desk.demo || !isUnencrypted(desk.secured), {
    ...over("secured", "demo"),
    path: ["secured", "s3", "endpoint"],
    message: UNENCRYPTED,
  });

/** Where a desk that is to be made finds the vault: a part of `desk.yaml`. */
export const deskPlacesSchema = z.strictObject({
  vault: vaultSchema("The vault, as this desk sees it."),
  secured: securedSchema.optional(),
});

export type Config = z.output<typeof configSchema>;
export type DeskConfig = z.output<typeof deskSchema>;
