import { z } from "zod";
import * as part from "../orders/parts.ts";

// What the dock asks of wiping cards: a part of protocol.ts.

/** A file of a card, as listed. */
export const cardFile = z.strictObject({
  path: z.base64(),
  bytes: z.int(),
  modifiedAtMs: z.int(),
});

/** What of a card record an order is bound to; the record may say more. */
export const cardOf = z
  .object({
    bootId: z.string(),
    slot: part.slot,
    name: z.string(),
    device: z.string(),
    volume: z.object({ kind: z.enum(["vfat", "exfat", "mtp"]), serial: part.volumeSerial }),
    readOnly: z.boolean(),
    number: z.string().nullable(),
    mountedAt: z.string().nullable(),
  })
  .refine(isNamedAsItsKind, "has a name of another kind of card");

/** What speaks MTP has a name of another kind, and never that of a disk. */
function isNamedAsItsKind(card: {
  readonly name: string;
  readonly device: string;
  readonly volume: { readonly kind: string };
}): boolean {
  const name = card.volume.kind === "mtp" ? part.mtpName : part.diskName;
  return name.safeParse(card.name).success && part.deviceNumber.safeParse(card.device).success;
}

export const WIPE_METHODS = {
  "docks.wipe": {
    params: z.strictObject({
      docking: z.ulid(),
      record: cardOf,
      /** Each file of the card that is footage. */
      files: z.array(cardFile).max(1_000_000),
      /** How many regular files the card has besides: its camera's own, by its profile. */
      others: z.int().min(0).default(0),
    }),
    result: z.object({
      /** The order that is open for this docking; null when nothing is ordered. */
      nonce: z.string().nullable(),
      /** Files that may go later, by themselves. */
      waiting: z.number(),
      /** Files that stay until somebody decides, or their term ends. */
      forbidden: z.number(),
      /** Paths of waiting files whose second read differed: they are to be taken once more. */
      again: z.array(z.base64()),
      /** Why nothing is ordered at all now. */
      why: z
        .enum(["clock", "history", "never", "not-docked", "not-a-disk", "write-protected"])
        .nullable(),
    }),
  },
  "docks.report": {
    params: z.strictObject({ nonce: part.nonce }),
    result: z.object({
      outcome: z.enum(["open", "done", "refused", "failed", "unreported"]),
      why: z.string().nullable(),
      removed: z.number(),
      kept: z.array(z.object({ path: z.base64(), why: z.string() })),
      left: z.number().nullable(),
    }),
  },
} as const;
