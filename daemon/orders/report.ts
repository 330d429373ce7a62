import { join } from "node:path";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { readTrusted } from "#base/trusted-file";
import * as part from "./parts.ts";

const index = z.int().min(0);

const report = z.strictObject({
  bewaard: z.literal("report/1"),
  nonce: part.nonce,
  /** Null when what lay there could not be read as an order. */
  verb: z.enum(["wipe", "set-time"]).nullable(),
  startedAt: part.time,
  endedAt: part.time,
  /** refused: the card was not touched. failed: something of it may have been done; `removed` says what. */
  outcome: z.enum(["done", "refused", "failed"]),
  why: z
    .string()
    .regex(/^[a-z-]{1,40}$/)
    .nullable(),
  /** Places in the order's list, of files that matched and are gone. */
  removed: z.array(index),
  kept: z.array(
    z.strictObject({
      index,
      why: z.enum(["changed", "gone", "not-a-file", "unreadable", "not-removed"]),
    }),
  ),
  /** Regular files on the card afterwards; null when that could not be counted. */
  left: z.int().min(0).nullable(),
});

/** What the root helper says came of an order. */
export type Report = z.output<typeof report>;
export type KeptFile = Report["kept"][number];

const REPORT_BYTES = 4 * 1024 * 1024;

export function reportPath(folder: string, nonce: string): string {
  return join(folder, `${nonce}.json`);
}

export function reportText(one: Report): string {
  return `${JSON.stringify(report.parse(one))}\n`;
}

/**
 * The report of `nonce`, or undefined while there is none. `owner` is who must own it: root, 0.
 * @throws BewaardError ORDER_REFUSED when somebody else could have written it, or it is no report of this order.
 */
export async function readReport(
  folder: string,
  nonce: string,
  owner: number,
): Promise<Report | undefined> {
  const bytes = await readTrusted(reportPath(folder, nonce), [owner], REPORT_BYTES);
  if (bytes === "absent") return undefined;
  if (bytes === "untrusted")
    throw new BewaardError("ORDER_REFUSED", `report ${nonce}: not written by the helper alone`);
  try {
    const one = report.parse(JSON.parse(bytes.toString()));
    if (one.nonce === nonce) return one;
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof z.ZodError)) throw cause;
    throw new BewaardError("ORDER_REFUSED", `report ${nonce}: not of its form`, { cause });
  }
  throw new BewaardError("ORDER_REFUSED", `report ${nonce}: of another order`);
}
