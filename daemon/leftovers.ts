import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { atMostEvery } from "#base/at-most-every";
import { diskError } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { type Clock, every, HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import { changedAt, joined } from "../drivers/bodycam/card.ts";
import { closeTruncated } from "../storage/spool/close-truncated.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { type Intent, intentPath, readIntent } from "../storage/spool/intent.ts";
import type { Dock } from "./dock.ts";
import type { Events } from "./events.ts";
import { isGivenUp, setApart } from "./set-apart.ts";

const DOING = "settling what a crash left";
const OURS = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.(?:age|age\.partial|intent)$/;

/** What the disk would not let settle. Nothing waits for it. */
export interface Unsettled {
  /**
   * Tries again every ten minutes, until nothing is left or the signal aborts. What is refused a week after it
   * was begun is handed to core to be quarantined, and so destroyed in time (invariant 3).
   */
  again(clock: Clock, signal: AbortSignal): Promise<void>;
}

const AGAIN_EVERY_MS = 10 * MINUTE_MS;
/** Nothing is given up that was not tried for so long: the clock may have been wrong when it was begun. */
const TRIED_FOR_MS = HOUR_MS;

/**
 * Settles what a crash left half done of recording in `incoming`, before anything new is sealed there: it is
 * closed as truncated and kept, because nobody can have it again (docs/design.md, procedure "Record"). What
 * the disk refuses stays, is said, and keeps nothing from being recorded.
 * @throws BewaardError SPOOL_IO (transient) when the folder itself cannot be read.
 */
export function settleCutOff(events: Events, incoming: string): Promise<Unsettled> {
  return settleAll(events, incoming, (id) => settleSourceless(events, incoming, id));
}

/**
 * Settles what a crash left half done in `incoming`, before anything new is sealed: where the same file
 * is still on a docked card it is removed, and taken again; where it is not, it is closed as truncated
 * and kept (docs/design.md, procedure "Seal"). What the disk refuses stays, and is said.
 * @throws BewaardError SPOOL_IO (transient) when the folder itself cannot be read.
 */
export function settleLeftovers(
  events: Events,
  incoming: string,
  docks: readonly Pick<Dock, "device" | "folder">[],
): Promise<Unsettled> {
  return settleAll(events, incoming, (id) => settle(events, incoming, docks, id));
}

async function settleAll(
  events: Events,
  incoming: string,
  settleOne: (id: string) => Promise<void>,
): Promise<Unsettled> {
  const ids = new Set<string>();
  for (const name of await namesIn(incoming)) {
    const [, id] = OURS.exec(name) ?? [];
    if (id !== undefined) ids.add(id);
    else if (name.endsWith(".partial"))
      await tried(() => rm(join(incoming, name), { force: true }));
  }

  async function turn(now: Instant | undefined, sayNow: (code: string) => boolean): Promise<void> {
    const names = new Set(await namesIn(incoming));
    for (const id of ids) {
      const refused = await triedFor(id, now, async () => {
        const sealed = names.has(`${id}.age`) || names.has(`${id}.age.partial`);
        if (!names.has(`${id}.json`) && sealed) return settleOne(id);
        return rm(intentPath(incoming, id), { force: true });
      });
      if (!refused) ids.delete(id);
      else if (sayNow(`${refused.code} ${id}`)) events.leftoverDelayed(id, refused);
    }
    await tried(() => syncDirectory(incoming));
  }

  /** Where it is refused, and is given up by `now`, core gets it as it is. */
  async function triedFor(
    id: string,
    now: Instant | undefined,
    work: () => Promise<void>,
  ): Promise<BewaardError | undefined> {
    const refused = await tried(work);
    const over = now !== undefined && isGivenUp(id, now);
    return refused && over ? tried(() => setApart(incoming, id)) : refused;
  }

  await turn(undefined, () => true);
  return {
    async again(clock, signal) {
      const hourly = atMostEvery(clock, HOUR_MS);
      const beganMs = clock.uptimeMs();
      // It was said a moment ago.
      let begun = false;
      for await (const now of every(clock, AGAIN_EVERY_MS, signal)) {
        if (ids.size === 0) return;
        const givesUp = clock.uptimeMs() - beganMs >= TRIED_FOR_MS;
        await tried(() => turn(givesUp ? now : undefined, (what) => hourly(what) && begun));
        begun = true;
      }
    },
  };
}

async function namesIn(incoming: string): Promise<readonly string[]> {
  try {
    return await readdir(incoming);
  } catch (error) {
    throw diskError(error, DOING);
  }
}

/** Returns what a disk answered; what is no answer of a disk is a bug. */
async function tried(work: () => Promise<void>): Promise<BewaardError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const refused = diskError(error, DOING);
    if (refused instanceof BewaardError && refused.transient) return refused;
    throw refused;
  }
}

async function settle(
  events: Events,
  incoming: string,
  docks: readonly Pick<Dock, "device" | "folder">[],
  id: string,
): Promise<void> {
  const intent = await intentOf(incoming, id);
  if (intent === "unreadable") return setApart(incoming, id);
  // Older releases wrote none, and only ever sealed what stayed on its card.
  if (!intent || (await sourceIsThere(docks, intent))) {
    await rm(`${sealedPath(incoming, id)}.partial`, { force: true });
    await rm(sealedPath(incoming, id), { force: true });
    await syncDirectory(incoming);
    await rm(intentPath(incoming, id), { force: true });
    return;
  }
  await close(events, incoming, intent);
}

async function settleSourceless(events: Events, incoming: string, id: string): Promise<void> {
  const intent = await intentOf(incoming, id);
  if (intent === undefined || intent === "unreadable") await setApart(incoming, id);
  else await close(events, incoming, intent);
}

async function close(events: Events, incoming: string, intent: Intent): Promise<void> {
  const closed = await closeTruncated(incoming, intent);
  if (closed === "closed") events.truncatedClosed(intent.id, intent.device);
  else events.cutOffEmpty(intent.id, intent.device);
}

async function intentOf(incoming: string, id: string): Promise<Intent | "unreadable" | undefined> {
  try {
    return await readIntent(incoming, id);
  } catch (error) {
    if (error instanceof BewaardError && error.code === "MANIFEST_LIES") return "unreadable";
    throw error;
  }
}

/** The same file as when sealing began, as far as its name, length and time of change can tell. */
async function sourceIsThere(
  docks: readonly Pick<Dock, "device" | "folder">[],
  intent: Intent,
): Promise<boolean> {
  const dock = docks.find(({ device }) => device === intent.device);
  if (!dock || !intent.file) return false;
  const path = joined(Buffer.from(dock.folder), Buffer.from(intent.file.path, "base64"));
  try {
    const { size, mtimeMs } = await lstat(path);
    return size === intent.sourceBytes && changedAt(mtimeMs) === intent.file.modifiedAt;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
