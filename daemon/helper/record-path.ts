import assert from "node:assert/strict";
import { join } from "node:path";
import { DISK_NAME, MTP_NAME } from "../orders/disk-name.ts";

/** Where the record of the card `name` is: of a disk, or of a media device. */
export function recordPath(cards: string, name: string): string {
  assert.ok(DISK_NAME.test(name) || MTP_NAME.test(name), name);
  return join(cards, `${name}.json`);
}
