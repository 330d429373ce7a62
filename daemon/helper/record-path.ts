import assert from "node:assert/strict";
import { join } from "node:path";
import { DISK_NAME } from "../orders/disk-name.ts";

/** Where the record of the card in the disk `name` is. */
export function recordPath(cards: string, name: string): string {
  assert.match(name, DISK_NAME);
  return join(cards, `${name}.json`);
}
