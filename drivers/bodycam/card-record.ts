import { readdirSync } from "node:fs";
import { constants, type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BewaardError, systemCode } from "#base/errors";
import { printableText } from "#base/printable";

/** Why the root helper did not mount a card. */
export const CARD_REFUSALS = [
  "unpaired",
  "same-identity",
  "not-one-partition",
  "unknown-file-system",
  "too-large",
  "mount-failed",
  "no-program",
] as const;

const DEVICE_NAME = /^[a-z0-9][a-z0-9.:-]{0,39}$/;
const text = z.string().max(200);

const cardRecord = z.strictObject({
  bewaard: z.literal("card/1"),
  bootId: text,
  slot: z.string().regex(/^[\w.:-]{1,80}\/\d{1,3}(?:\.\d{1,3}){0,6}$/),
  name: z.string().regex(DEVICE_NAME),
  device: z.string().regex(/^\d{1,8}:\d{1,8}$/),
  vendor: z.string().regex(/^[0-9a-f]{4}$/),
  product: z.string().regex(/^[0-9a-f]{4}$/),
  // As `printable` shows 126 characters of USB that are not plain, 12 for each.
  serial: z.string().max(2000).nullable(),
  volume: z.strictObject({
    kind: z.enum(["vfat", "exfat", "mtp"]),
    serial: text.nullable(),
    label: text.nullable(),
  }),
  bytes: z.int().nonnegative(),
  /** The longest file that can be fetched of it (MTP); null where nothing limits that. */
  largest: z.int().positive().nullable().default(null),
  readOnly: z.boolean(),
  number: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/)
    .nullable(),
  mountedAt: z.string().nullable(),
  refused: z.enum(CARD_REFUSALS).nullable(),
  at: z.iso.datetime(),
});

/** What the root helper wrote of a card when udev told of it. Nobody but root could have. */
export type CardRecord = z.output<typeof cardRecord>;

/** Whose records are believed, and where they may say that a card is mounted. */
export interface RecordRules {
  /** The only user whose records are believed: root, outside of tests. */
  readonly owner: number;
  /** The only folder below which cards are mounted. */
  readonly media: string;
  /** Told of each record that is not believed, each time it is read. */
  readonly refused: (name: string, why: string) => void;
}

const OF_ROOT: RecordRules = { owner: 0, media: "/run/bewaard/media", refused: () => undefined };

/** Some kilobytes are a hundred times what a record needs. */
const LIMIT_BYTES = 16 * 1024;

/**
 * Reads the records in `folder` (`/run/bewaard/cards`); none where there is no such folder. A record that
 * root does not own, that somebody else may write, or that leads out of the media folder is left out and
 * told. Whether it is of this start of the machine, and whether its device is still there, is not looked at.
 * @throws BewaardError CARD_READ (transient) when the folder cannot be read.
 */
export async function readCardRecords(
  folder: string,
  rules: RecordRules = OF_ROOT,
): Promise<readonly CardRecord[]> {
  const records: CardRecord[] = [];
  for (const file of namesIn(folder)) {
    try {
      const record = await readRecord(join(folder, file), rules.owner);
      if (record === undefined) continue;
      const wrong = wrongIn(record, file, rules.media);
      if (wrong === undefined) records.push(record);
      else rules.refused(printableText(file), wrong);
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      rules.refused(printableText(file), error.message);
    }
  }
  return records;
}

/** Of memory, as sysfs is: it never waits, and a promise of it costs ten times as much. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .toSorted();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    if (code === "ENOENT") return [];
    throw unread(`the records of cards cannot be listed (${code})`, cause);
  }
}

/** Undefined when it is not there any more. */
async function readRecord(path: string, owner: number): Promise<CardRecord | undefined> {
  try {
    await using file = await open(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    return cardRecord.parse(JSON.parse(await textOf(file, owner)));
  } catch (cause) {
    if (cause instanceof BewaardError) throw cause;
    if (systemCode(cause) === "ENOENT") return undefined;
    const of = cause instanceof z.ZodError || cause instanceof SyntaxError;
    if (!of && systemCode(cause) === undefined) throw cause;
    throw unread(of ? "is no record of a card" : `cannot be read (${systemCode(cause)})`, cause);
  }
}

async function textOf(file: FileHandle, owner: number): Promise<string> {
  const stats = await file.stat();
  if (!stats.isFile()) throw unread("is no file");
  if (stats.uid !== owner) throw unread("is not root's");
  if ((stats.mode & 0o022) !== 0) throw unread("may be written by others than root");
  if (stats.size > LIMIT_BYTES) throw unread("is longer than any record");
  return (await file.readFile()).toString("utf8");
}

/** What makes a record one that the helper cannot have written. */
function wrongIn(record: CardRecord, file: string, media: string): string | undefined {
  if (file !== `${record.name}.json`) return "tells of another device than its name";
  const { mountedAt, refused } = record;
  if (mountedAt !== null && mountedAt !== join(media, record.name)) {
    return "says that it is mounted outside of the media folder";
  }
  if ((mountedAt === null) === (refused === null)) return "is neither mounted nor refused, or both";
  return undefined;
}

function unread(message: string, cause?: unknown): BewaardError {
  return new BewaardError("CARD_READ", message, { transient: true, cause });
}
