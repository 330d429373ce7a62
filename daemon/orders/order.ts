import { z } from "zod";
import { instantOf, MINUTE_MS } from "#base/time";
import type { NodeKey, VerifierKey } from "../../storage/ledger/note.ts";
import * as part from "./parts.ts";
import { readSigned, refused, signedNote } from "./signed.ts";

/** Longest life of an order: a card that is pulled out is another one soon after. */
export const ORDER_LIFE_MS = 10 * MINUTE_MS;
/** More than this many files is several orders. */
export const ORDER_FILES = 10_000;
/** Ten thousand files with a path of a kilobyte each. More the helper does not take into its memory. */
export const ORDER_BYTES = 16 * 1024 * 1024;
/** Longer paths than this together are several orders too: in base64, beside all else, no order is longer than ORDER_BYTES. */
export const ORDER_PATH_BYTES = 10 * 1024 * 1024;

const common = {
  bewaard: z.literal("order/1"),
  node: part.shortName,
  nonce: part.nonce,
  bootId: part.bootId,
  slot: part.slot,
  name: part.cardName,
  device: part.deviceNumber,
  volume: part.volumeSerial,
  issuedAt: part.time,
  expiresAt: part.time,
};

const wipe = z.strictObject({
  ...common,
  verb: z.literal("wipe"),
  how: z.enum(["unlink", "overwrite"]),
  files: z
    .array(
      z.strictObject({
        path: part.cardPath,
        bytes: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1)
    .max(ORDER_FILES),
});

const setTime = z.strictObject({
  ...common,
  verb: z.literal("set-time"),
  path: part.cardPath,
  /** The moment of writing goes in at `{year} {month} {day} {hour} {minute} {second}`. */
  template: z.string().max(4096),
  /** IANA zone that the camera's clock keeps. */
  zone: z.string().regex(/^[A-Za-z0-9_+/-]{1,64}$/),
});

const order = z.discriminatedUnion("verb", [wipe, setTime]).refine(livesShortly, {
  path: ["expiresAt"],
  message: "is not within 10 minutes after issuedAt",
});

/** What core orders of the root helper, for one card in one slot, once. */
export type Order = z.output<typeof order>;
export type WipeOrder = z.output<typeof wipe>;
export type SetTimeOrder = z.output<typeof setTime>;

/** The signed note that core leaves as `<state>/orders/<nonce>.order`. Throws ZodError for what is no order. */
export function signOrder(key: NodeKey, one: Order): string {
  return signedNote(key, order.parse(one));
}

/**
 * An order as core signed it, with the key of the node it is for. Whether it still holds is the helper's to say.
 * @throws BewaardError ORDER_REFUSED.
 */
export function readOrder(verifier: VerifierKey, note: string): Order {
  const one = readSigned(verifier, note, order);
  if (!isOf(verifier, one.node)) throw refused("for another node");
  return one;
}

/** A node's key is named `bewaard/<site>/<node>`. */
export function isOf(verifier: VerifierKey, node: string): boolean {
  return verifier.name.endsWith(`/${node}`);
}

function livesShortly(one: { readonly issuedAt: string; readonly expiresAt: string }): boolean {
  const life = instantOf(one.expiresAt) - instantOf(one.issuedAt);
  return life > 0 && life <= ORDER_LIFE_MS;
}
