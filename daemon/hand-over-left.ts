import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, systemCode } from "#base/errors";
import { TERM_LIMIT_MS } from "#base/term";
import { type Clock, DAY_MS, type Instant, instant, plus } from "#base/time";
import { joined } from "../drivers/bodycam/card.ts";
import { type LeftManifest, manifestText } from "../storage/spool/manifest.ts";
import type { Dock, Sealing } from "./dock.ts";
import { arrived, writeFact } from "./hand-over-fact.ts";
import { newSegmentId } from "./new-id.ts";

/** A file of a card, or a folder of it that cannot be listed. */
export interface Left {
  readonly path: Buffer;
  readonly bytes?: number;
  readonly modifiedAt?: Instant;
}

/** What a person must decide about: trying again may never help. */
const UNDECIDED: ReadonlySet<ErrorCode> = new Set([
  "CARD_READ",
  "SOURCE_CHANGED",
  "SOURCE_TOO_LARGE",
]);

/** Without a date to count from, soon. */
const UNKNOWN_DATE_MS = 7 * DAY_MS;

/**
 * Hands over that something of a card could not be taken, and by when somebody must decide: it exists
 * nowhere else. False, and nothing is said, when it is not there any more.
 */
export async function handOverLeft(
  clock: Clock,
  { node, incoming }: Sealing,
  { device, folder }: Dock,
  left: Left,
  code: ErrorCode,
): Promise<boolean> {
  if (!(await isThere(joined(Buffer.from(folder), left.path)))) return false;
  if (!UNDECIDED.has(code)) return true;
  const id = newSegmentId(clock.now());
  const { path, bytes = null, modifiedAt = null } = left;
  const manifest: LeftManifest = {
    bewaard: "manifest/1",
    kind: "left",
    id,
    node,
    producer: "dock",
    device,
    ...arrived(clock),
    file: { path: path.toString("base64"), bytes, modifiedAt },
    code,
    decideBy: decideBy(clock.now(), modifiedAt),
  };
  await writeFact(join(incoming, `${id}.json`), manifestText(manifest));
  return true;
}

/** A day before the footage may be at its term, by its last change. */
function decideBy(now: Instant, modifiedAt: Instant | null): Instant {
  if (modifiedAt === null || modifiedAt > now) return plus(now, UNKNOWN_DATE_MS);
  return instant(Math.max(now, modifiedAt + TERM_LIMIT_MS - DAY_MS));
}

async function isThere(path: Buffer): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // In a folder that may be listed and not looked into, or on a broken card: nobody took that away.
    return isNamed(path);
  }
}

/** Whether its folder still has a name that leads nowhere. That of a card that was pulled out has none. */
async function isNamed(path: Buffer): Promise<boolean> {
  const end = path.lastIndexOf("/");
  try {
    const names = await readdir(path.subarray(0, end), { encoding: "buffer" });
    return names.some((name) => name.equals(path.subarray(end + 1)));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
