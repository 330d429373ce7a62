import { z } from "zod";
import { cameraNumber, named, placeName, slug } from "../../config/values.ts";
import * as part from "../orders/parts.ts";
import { UNREAD } from "../pairing/in-slots.ts";

// What is asked of bodycams and their slots: a part of protocol.ts.

const slot = z.string().min(1).max(128);

const looks = {
  vendor: z.string(),
  product: z.string(),
  serial: z.string().nullable(),
  volume: z.string().nullable(),
};

/** What the dock says of one slot. */
const slotNews = z.strictObject({
  /** Or the folder that stands for a camera. */
  slot: part.slot.or(z.string().regex(/^folder\/[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/)),
  number: part.shortName.nullable(),
  state: z.enum(["free", "busy", "safe", "done", "failed"]),
  /** A heading of docs/troubleshooting.md, or why a card is not read. */
  why: z
    .string()
    .regex(/^[a-z-]{1,64}$/)
    .nullable(),
  files: z.int().nonnegative(),
  filesDone: z.int().nonnegative(),
  bytes: z.number().nonnegative(),
  bytesDone: z.number().nonnegative(),
  bytesPerSecond: z.number().nonnegative(),
  secondsLeft: z.number().nonnegative().nullable(),
  hoursFree: z.number().nonnegative().nullable(),
  since: z.iso.datetime(),
  readySince: z.iso.datetime().nullable(),
  /** By uptime of the box: the order in which slots became ready, whatever was done to its clock. */
  readyUptimeMs: z.number().nonnegative().nullable(),
});
export type SlotNews = z.output<typeof slotNews>;

export const DOCK_METHODS = {
  bodycams: {
    params: z.strictObject({}),
    result: z.object({
      bodycams: z.array(
        z.object({
          number: z.string(),
          ...looks,
          profile: z.string(),
          pairedAt: z.string(),
          pairedBy: z.string(),
          retiredAt: z.string().nullable(),
          seenAt: z.string(),
          /** Where it is now. */
          slot: z.string().nullable(),
          /** Where it is used. */
          place: z.string().nullable(),
        }),
      ),
      /** Those of the configuration, which are folders. */
      configured: z.array(
        z.object({ number: z.string(), folder: z.string(), profile: z.string() }),
      ),
    }),
  },
  "bodycams.pair": {
    params: z.strictObject({
      number: cameraNumber,
      slot,
      profile: named,
      by: slug,
      /** Where it is used from now on; left as it is where nobody says. */
      place: placeName.optional(),
    }),
    result: z.object({
      number: z.string(),
      slot: z.string(),
      ...looks,
      /** What is new: nothing where it was so already. */
      changed: z.enum(["paired", "volume", "profile", "nothing"]),
    }),
  },
  "bodycams.retire": {
    params: z.strictObject({ number: cameraNumber, by: slug, reason: slug }),
    result: z.object({ retired: z.string() }),
  },
  /** From the dock: what a camera says of itself in a file of its own. */
  "bodycams.identify": {
    params: z.strictObject({ number: cameraNumber, says: z.string().min(1).max(2000) }),
    result: z.object({ is: z.enum(["it", "another"]) }),
  },
  docks: {
    params: z.strictObject({}),
    result: z.object({
      /** When the dock last said so; null where none did. */
      at: z.string().nullable(),
      slots: z.array(slotNews),
      /** What this machine itself sees in its slots. */
      devices: z.array(
        z.object({
          slot: z.string(),
          kind: z.enum(["disk", "mtp", "other"]),
          ...looks,
          number: z.string().nullable(),
          unread: z.enum(UNREAD).nullable(),
          refused: z.string().nullable(),
        }),
      ),
    }),
  },
  "docks.news": {
    params: z.strictObject({ slots: z.array(slotNews).max(1000) }),
    result: z.object({}),
  },
  "docks.pairings": {
    params: z.strictObject({}),
    result: z.object({
      cameras: z.array(
        z.object({
          number: z.string(),
          ...looks,
          idFileSha256: z.string().nullable(),
          profile: z.string(),
        }),
      ),
    }),
  },
} as const;
