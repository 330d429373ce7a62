import { createHash } from "node:crypto";
import type { SetTimeOrder, WipeOrder } from "../../daemon/orders/order.ts";

const common = {
  bewaard: "order/1",
  node: "dock-1",
  nonce: "0123456789abcdef0123456789abcdef",
  bootId: "11111111-2222-3333-4444-555555555555",
  slot: "0000:00:14.0/2.3",
  name: "sdb1",
  device: "8:17",
  volume: "1A2B-3C4D",
  issuedAt: "2026-11-29T12:00:00.000Z",
  expiresAt: "2026-11-29T12:10:00.000Z",
} as const;

/** One line of a wipe order: a file on the card, by its path and content. */
export function listed(
  path: string | Uint8Array,
  content: string | Uint8Array,
): WipeOrder["files"][number] {
  const bytes = Buffer.from(content);
  return {
    path: Buffer.from(path).toString("base64"),
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

export function wipeOrder(change: Partial<WipeOrder> = {}): WipeOrder {
  const files = [listed("DCIM/a.mp4", "hello")];
  return { ...common, verb: "wipe", how: "unlink", files, ...change };
}

export function setTimeOrder(change: Partial<SetTimeOrder> = {}): SetTimeOrder {
  const template = "{year}-{month}-{day} {hour}:{minute}:{second}\r\n";
  const path = Buffer.from("time.txt").toString("base64");
  return { ...common, verb: "set-time", path, template, zone: "Europe/Amsterdam", ...change };
}
