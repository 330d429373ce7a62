import type { Clock } from "#base/time";
import { instantOf, MINUTE_MS, plus } from "#base/time";
import type { Order } from "../orders/order.ts";
import type { OwnRecord } from "./record.ts";

/** Why an order is not carried out; it stands in the report. */
export type Refusal =
  | "expired"
  | "not-yet"
  | "other-boot"
  | "not-docked"
  | "other-slot"
  | "other-device"
  | "other-volume"
  | "not-mounted"
  | "read-only";

/** Core and helper have one clock; it may be put back a little between them. */
const SKEW_MS = MINUTE_MS;

/** Why a signed order does not hold here and now, for the card of this record; undefined when it does. */
export function whyNot(
  clock: Clock,
  order: Order,
  card: OwnRecord | undefined,
): Refusal | undefined {
  if (clock.now() >= instantOf(order.expiresAt)) return "expired";
  if (plus(clock.now(), SKEW_MS) < instantOf(order.issuedAt)) return "not-yet";
  return whyNotThisCard(clock, order, card) ?? (card?.readOnly ? "read-only" : undefined);
}

/** The same, whenever that is. */
export function whyNotThisCard(
  clock: Clock,
  order: Order,
  card: OwnRecord | undefined,
): Refusal | undefined {
  if (order.bootId !== clock.bootId()) return "other-boot";
  if (card === undefined || card.bootId !== order.bootId) return "not-docked";
  if (card.slot !== order.slot) return "other-slot";
  if (card.device !== order.device) return "other-device";
  if (card.volume.serial !== order.volume) return "other-volume";
  return card.mountedAt === null ? "not-mounted" : undefined;
}
