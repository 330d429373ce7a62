import { readFile } from "node:fs/promises";
import { z } from "zod";
import { diskError } from "#base/disk-errors";
import { writeDurably, writeWhole } from "#base/durable";
import { systemCode } from "#base/errors";
import { type DeviceId, parseDeviceId, parseSegmentId } from "#base/ids";
import { instant } from "#base/time";
import type { Mark } from "./mark.ts";

/** What the recorder must remember of each camera, over its own death. */
export type Marks = ReadonlyMap<DeviceId, Mark>;

const at = z.int().min(0).transform(instant);
const moment = z.strictObject({ at, bootId: z.string(), uptimeMs: z.number() });
const untold = z.strictObject({
  id: z.string().transform(parseSegmentId),
  startedAt: at,
  endedAt: at,
  cause: z.string(),
});
const owed = z.strictObject({ startedAt: at, end: moment, cause: z.string() });
const mark = z.strictObject({
  until: moment,
  synced: moment.optional(),
  since: z.string(),
  untold: z.array(untold),
  owed: owed.optional(),
  waiting: z.strictObject({ from: moment, to: moment }).optional(),
  over: at.optional(),
});
const marks = z.strictObject({
  bewaard: z.literal("marks/1"),
  marks: z.array(z.tuple([z.string().transform(parseDeviceId), mark])),
});

/** The marks in the file at `path`; none where there is no file; undefined where it cannot be understood. */
export async function readMarks(path: string): Promise<Marks | undefined> {
  try {
    const parsed = marks.safeParse(JSON.parse(await readFile(path, "utf8")));
    return parsed.success ? new Map(parsed.data.marks) : undefined;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return new Map();
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return undefined;
    throw diskError(error, "reading how far cameras were recorded");
  }
}

/**
 * Replaces the file as a whole: after a power cut it is this one or the one before, never an empty one (XFS
 * keeps a new name sooner than what is in the file). It is this one for sure when written `durably`.
 * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient): the file before is still there.
 */
export async function writeMarks(path: string, all: Marks, durably: boolean): Promise<void> {
  const text = `${JSON.stringify({ bewaard: "marks/1", marks: [...all] })}\n`;
  try {
    await (durably ? writeDurably : writeWhole)(path, text, 0o600);
  } catch (error) {
    throw diskError(error, "noting how far cameras were recorded");
  }
}
