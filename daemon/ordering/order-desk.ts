import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { ZodError } from "zod";
import { diskError } from "#base/disk-errors";
import { writeDurably } from "#base/durable";
import { BewaardError } from "#base/errors";
import { type DeviceId, type NodeId, parseDeviceId } from "#base/ids";
import { type Clock, isoOf, plus } from "#base/time";
import type { OrderBounds } from "../../storage/catalog/order-wipe.ts";
import type { NodeKey } from "../../storage/ledger/note.ts";
import type { Params } from "../control/protocol.ts";
import { type Order, signOrder } from "../orders/order.ts";
import { orderPath } from "./outstanding.ts";

// What core's orders have in common, whatever their verb.

/** Who signs, and where orders are written for the helper. */
export interface OrderDesk {
  readonly node: NodeId;
  readonly key: NodeKey;
  /** `<state>/orders`. */
  readonly folder: string;
}

/** What the dock says of a card. */
export type AskedCard = Params<"docks.wipe">["record"];

type Common = "bewaard" | "node" | "nonce" | "bootId" | "issuedAt" | "expiresAt";
type OfCard = "slot" | "name" | "device" | "volume";

/** The camera that a card is of. @throws BewaardError CONTROL_REFUSED where it is of none. */
export function deviceOf({ number }: AskedCard): DeviceId {
  if (number === null)
    throw new BewaardError("CONTROL_REFUSED", "the card of no camera is ordered");
  return parseDeviceId(number);
}

/** What of this card itself is in the way of an order: to `remove` files, or to `write` to it. */
export function whyNotThis(
  clock: Clock,
  record: AskedCard,
  what: "remove" | "write",
): "not-a-disk" | "not-docked" | "write-protected" | undefined {
  // The helper writes to file systems; a media device is asked to remove a file, and no more.
  if (record.volume.kind === "mtp" && what === "write") return "not-a-disk";
  if (record.bootId !== clock.bootId() || record.mountedAt === null) return "not-docked";
  return record.readOnly ? "write-protected" : undefined;
}

/** Of a new order that lives for `lifeMs` from now. */
export function boundsFor(clock: Clock, lifeMs: number): OrderBounds {
  // Read once: a millisecond later it would live longer than an order may.
  const issuedAt = clock.now();
  return {
    nonce: randomBytes(16).toString("hex"),
    issuedAt,
    expiresAt: plus(issuedAt, lifeMs),
    bootId: clock.bootId(),
    expiresUptimeMs: Math.floor(clock.uptimeMs()) + lifeMs,
  };
}

/** What is said in the ledger, and to who asks, of an order that core does not sign; it is settled at once. */
export const UNSIGNED = "unsigned";

/**
 * Signs an order and leaves it where the helper finds it. One that does not get there expires, like one that is not
 * heard of. Returns which of its fields can be in no order: it was not signed then, and nobody will ever report of it.
 * @throws BewaardError DISK_… when it cannot be written.
 */
export async function leaveOrder(
  { node, key, folder }: OrderDesk,
  { slot, name, device, volume }: AskedCard,
  { nonce, bootId, issuedAt, expiresAt }: OrderBounds,
  what: DistributiveOmit<Order, Common | OfCard>,
): Promise<string | undefined> {
  const order = signedOrder(key, {
    bewaard: "order/1",
    node,
    nonce,
    bootId,
    slot,
    name,
    device,
    volume: volume.serial,
    issuedAt: isoOf(issuedAt),
    expiresAt: isoOf(expiresAt),
    ...what,
  });
  if ("fields" in order) return order.fields;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeDurably(orderPath(folder, nonce), order.note, 0o600);
    return undefined;
  } catch (error) {
    throw diskError(error, "writing an order");
  }
}

function signedOrder(
  key: NodeKey,
  order: Order,
): { readonly note: string } | { readonly fields: string } {
  try {
    return { note: signOrder(key, order) };
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    // Where, and not what: names on a card may be anything.
    const fields = new Set(error.issues.map(({ path }) => path.join(".")));
    return { fields: [...fields].slice(0, 3).join(", ") };
  }
}

/** `Omit` of each member of a union by itself. */
type DistributiveOmit<T, Keys extends PropertyKey> = T extends unknown ? Omit<T, Keys> : never;
