import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";

const BOOT = "00000000-0000-4000-8000-000000000001";

/** A record of a mounted card, as the root helper writes it; of it `more` is otherwise. */
export function cardRecordOf(
  { name, media, slot = "0000:00:14.0/2.3" }: { name: string; media: string; slot?: string },
  more: Partial<CardRecord> = {},
): CardRecord {
  return {
    bewaard: "card/1",
    bootId: BOOT,
    slot,
    name,
    device: "8:17",
    vendor: "0b6a",
    product: "1234",
    serial: "SN-1",
    volume: { kind: "vfat", serial: "1A2B-3C4D", label: null },
    bytes: 32_000_000_000,
    largest: null,
    readOnly: false,
    number: "bc-0101",
    mountedAt: join(media, name),
    refused: null,
    at: "2026-06-01T10:00:00.000Z",
    ...more,
  };
}

/** Writes a record by rename, as the root helper does. */
export async function writeRecord(folder: string, record: CardRecord): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${record.name}.json`);
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o644 });
  await rename(`${path}.new`, path);
}

export async function removeRecord(folder: string, name: string): Promise<void> {
  await rm(join(folder, `${name}.json`), { force: true });
}
