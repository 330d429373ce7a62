import type { CardRecord } from "../../drivers/bodycam/card-record.ts";

/** Another one each time that a card is mounted. */
export function recordKey({ slot, name, device, at }: CardRecord): string {
  return `${slot} ${name} ${device} ${at}`;
}

/**
 * Whether the root helper still says so of that card. Another one may be mounted in its place by now, under the
 * same name and number: what is read there would be kept under the number of the first.
 */
export async function isSameCard(
  records: () => Promise<readonly CardRecord[]>,
  record: CardRecord,
): Promise<boolean> {
  return (await records()).some((one) => recordKey(one) === recordKey(record));
}
