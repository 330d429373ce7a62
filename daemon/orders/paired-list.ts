import { z } from "zod";
import type { NodeKey, VerifierKey } from "../../storage/ledger/note.ts";
import { isOf } from "./order.ts";
import * as part from "./parts.ts";
import { readSigned, refused, signedNote } from "./signed.ts";

const paired = z.strictObject({
  bewaard: z.literal("paired/1"),
  node: part.shortName,
  at: part.time,
  cameras: z
    .array(
      z.strictObject({
        number: part.shortName,
        vendor: part.usbId,
        product: part.usbId,
        serial: part.usbSerial,
        volume: part.volumeSerial,
      }),
    )
    .max(10_000),
});

/** Which cameras the helper may mount: core leaves it as `<state>/paired.note` at each change. */
export type PairedList = z.output<typeof paired>;
export type PairedCamera = PairedList["cameras"][number];

export const PAIRED_BYTES = 8 * 1024 * 1024;

/** The signed note. Throws ZodError for what is no list. */
export function signPairedList(key: NodeKey, list: PairedList): string {
  return signedNote(key, paired.parse(list));
}

/** @throws BewaardError ORDER_REFUSED when it is not signed by the node it is for. */
export function readPairedList(verifier: VerifierKey, note: string): PairedList {
  const list = readSigned(verifier, note, paired);
  if (!isOf(verifier, list.node)) throw refused("paired list of another node");
  return list;
}
