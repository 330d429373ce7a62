import { link, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { step } from "#base/step";
import type { Instant } from "#base/time";
import type { Sealed } from "../../storage/seal/sealer.ts";
import { sealedPath } from "../../storage/spool/incoming.ts";
import { type Intent, intentPath } from "../../storage/spool/intent.ts";
import { digestsOf, manifestText, type SegmentManifest } from "../../storage/spool/manifest.ts";
import { arrived, writeFact } from "../hand-over-fact.ts";
import type { RecordSealing } from "./sealing.ts";

/** When a segment was, by this box's clock, and the camera's clock less ours, or null where nobody knows. */
export interface SegmentTimes {
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly offsetMs: number | null;
}

/** How far handing over has come: what is a fact may be gone already, because core has adopted it. */
export type Stage = "sealing" | "telling" | "told";

/**
 * Gives a sealed file its name and writes its manifest last: from then on it is a fact. Each part of it may
 * be done already: after a failure it is asked again. `reached` is told how far it has come.
 */
export async function handOverSegment(
  { incoming, clock }: RecordSealing,
  intent: Intent,
  sealed: Sealed,
  times: SegmentTimes,
  reached: (stage: Stage) => void,
): Promise<void> {
  const { id } = intent;
  await giveName(sealedPath(incoming, id));
  await syncDirectory(incoming);
  step("record.durable");
  const manifest = manifestOf(intent, sealed, times, arrived(clock));
  reached("telling");
  await writeFact(join(incoming, `${id}.json`), manifestText(manifest));
  reached("told");
  step("record.handed-over");
  await dropIntent(incoming, id);
}

/** A name that exists is never replaced: an id that came twice must not cost footage. */
async function giveName(path: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await link(partial, path);
    step("record.named");
  } catch (error) {
    // Named before a failure: then it is the same file, or its partial name is gone already.
    if (systemCode(error) === "ENOENT") await stat(path);
    else if (systemCode(error) !== "EEXIST" || !(await isSame(partial, path))) throw error;
  }
  await rm(partial, { force: true });
}

/** The fact stands without: an intent that stays is cleared at the next start. */
async function dropIntent(incoming: string, id: string): Promise<void> {
  try {
    await rm(intentPath(incoming, id), { force: true });
  } catch (error) {
    if (!(diskError(error, "removing an intent") instanceof BewaardError)) throw error;
  }
}

/** Whether core has adopted what was being told when a failure came: then nothing of it lies here any more. */
export async function isAdopted(incoming: string, { id }: Intent): Promise<boolean> {
  const names = await readdir(incoming);
  return !names.some((name) => name.startsWith(id) && !name.endsWith(".intent"));
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  return a.ino === b.ino && a.dev === b.dev;
}

function manifestOf(
  intent: Intent,
  sealed: Sealed,
  { startedAt, endedAt, offsetMs }: SegmentTimes,
  arrival: ReturnType<typeof arrived>,
): SegmentManifest {
  const { sourceBytes: _, ...known } = intent;
  return {
    ...known,
    ...arrival,
    bewaard: "manifest/1",
    recording: {
      ...known.recording,
      startedAt,
      endedAt,
      clock: { ...known.recording.clock, offsetMs },
    },
    ...digestsOf(sealed),
  };
}
