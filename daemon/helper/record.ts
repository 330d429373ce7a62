import { mkdir } from "node:fs/promises";
import { z } from "zod";
import { writeWhole } from "#base/durable";
import { BewaardError } from "#base/errors";
import { readTrusted } from "#base/trusted-file";
import * as part from "../orders/parts.ts";
import { recordPath } from "./record-path.ts";

const record = z.strictObject({
  bewaard: z.literal("card/1"),
  bootId: part.bootId,
  slot: part.slot,
  name: part.cardName,
  device: part.deviceNumber,
  vendor: part.usbId,
  product: part.usbId,
  serial: z.string().nullable(),
  volume: z.strictObject({
    /** Of a card that is no file system known here: vfat, without a serial. `refused` says so. */
    kind: z.enum(["vfat", "exfat", "mtp"]),
    serial: part.volumeSerial,
    label: z.string().nullable(),
  }),
  /** 0 over MTP: nobody tells before it is mounted. */
  bytes: z.int().min(0),
  /** The longest file that can be fetched of it; null where nothing limits that. */
  largest: z.int().min(1).nullable().default(null),
  readOnly: z.boolean(),
  number: part.shortName.nullable(),
  mountedAt: z.string().nullable(),
  refused: z
    .enum([
      "unpaired",
      "same-identity",
      "not-one-partition",
      "unknown-file-system",
      "too-large",
      "mount-failed",
      "no-program",
    ])
    .nullable(),
  at: part.time,
});

/** What the helper found when udev told of a card, for the daemon to read. */
export type OwnRecord = z.output<typeof record>;

const RECORD_BYTES = 16 * 1024;

/** Replaces the record of this card. It need not outlive a restart of the machine. */
export async function writeRecord(cards: string, one: OwnRecord): Promise<void> {
  await mkdir(cards, { recursive: true, mode: 0o755 });
  await writeWhole(recordPath(cards, one.name), `${JSON.stringify(one)}\n`, 0o644);
}

/**
 * What the helper wrote of a card; undefined when it is not there, or another version of it wrote what this one does
 * not know: then the card is to be looked at again.
 * @throws BewaardError ORDER_REFUSED when somebody else could have written it.
 */
export async function readRecord(cards: string, name: string): Promise<OwnRecord | undefined> {
  const bytes = await readTrusted(recordPath(cards, name), [ownUser()], RECORD_BYTES);
  if (bytes === "absent") return undefined;
  if (bytes === "untrusted")
    throw new BewaardError("ORDER_REFUSED", `record of ${name}: not written by the helper alone`);
  return record.safeParse(JSON.parse(bytes.toString())).data;
}

/** Root, outside of tests. */
export function ownUser(): number {
  return process.getuid?.() ?? 0;
}
