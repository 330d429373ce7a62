import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { step } from "#base/step";
import type { Clock } from "#base/time";
import type { Events } from "../events.ts";
import { type CameraHistory, type OpenCameraHistory, openCameraHistory } from "./camera-history.ts";
import type { Mark, Untold } from "./mark.ts";
import * as marking from "./mark.ts";
import { readMarks, writeMarks } from "./marks-file.ts";
import { type Moment, momentOf } from "./moment.ts";

/** How far each camera's footage is stored, and what is missing of it (invariant 9). */
export interface History {
  of(device: DeviceId): CameraHistory;
  /** The recorder stops by itself. */
  stop(): void;
  /** It stops to record this camera: to go on by other settings of it, or for good. */
  left(device: DeviceId, why: "changed" | "gone"): void;
  /**
   * Writes what changed, then hands over the gaps nobody was told of (docs/design.md, "Record").
   * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient): what could not be told is told next time.
   */
  settle(): Promise<void>;
}

/**
 * Takes up the marks at `path` where the recorder left them; of those that are not `devices` any more
 * nothing is expected. `tell` hands a gap over as a fact: once more is harmless, it has the same id.
 * @throws BewaardError SPOOL_IO (transient) when the marks cannot be read.
 */
export async function openHistory(
  clock: Clock,
  events: Events,
  path: string,
  devices: readonly DeviceId[],
  tell: (device: DeviceId, gap: Untold) => Promise<void>,
): Promise<History> {
  const startedUp = momentOf(clock);
  const read = await readMarks(path);
  if (read === undefined) events.marksUnread();
  const marks = new Map(read?.entries().map(([device, mark]) => [device, marking.takenUp(mark)]));
  for (const [device, mark] of marks) {
    if (devices.includes(device)) continue;
    marks.set(device, marking.excused(marking.begun(mark, startedUp), startedUp));
  }
  let written: ReadonlyMap<DeviceId, Mark> = new Map();
  const change = (device: DeviceId, how: (mark: Mark) => Mark): void => {
    const mark = marks.get(device);
    if (mark) marks.set(device, how(mark));
  };
  // Which start of the machine this is does not change while the recorder runs, and costs a file to read.
  const now = (): Moment => ({ ...startedUp, at: clock.now(), uptimeMs: clock.uptimeMs() });
  const cameras = new Map<DeviceId, OpenCameraHistory>();
  const of = (device: DeviceId): OpenCameraHistory => {
    const camera =
      cameras.get(device) ??
      openCameraHistory(startedUp, now, {
        get: () => marks.get(device),
        set: (mark) => void marks.set(device, mark),
      });
    cameras.set(device, camera);
    return camera;
  };

  return {
    of,
    stop() {
      for (const device of marks.keys()) of(device).stop();
    },
    left(device, why) {
      if (why === "gone") of(device).excuse();
      else of(device).stop();
    },
    async settle() {
      for (const camera of cameras.values()) camera.look();
      for (const [device, mark] of marks)
        marks.set(device, marking.inPieces(marking.paid(mark, now()), now()));
      if (!same(marks, written)) written = await write(path, marks, written.size === 0);
      step("record.marked");
      for (const [device, { untold }] of marks) {
        for (const gap of untold) await tell(device, gap);
        if (untold.length > 0) step("record.gap-told");
        const ids = new Set(untold.map(({ id }) => id));
        change(device, (mark) => marking.told(mark, ids));
      }
      for (const [device, mark] of marks) if (marking.isOver(mark)) marks.delete(device);
    },
  };
}

/** A gap must not be forgotten before it is told; how far footage goes is known again from the next one. */
async function write(path: string, marks: ReadonlyMap<DeviceId, Mark>, first: boolean) {
  const all = new Map(marks);
  const durably = first || [...all.values()].some(({ untold }) => untold.length > 0);
  await writeMarks(path, all, durably);
  return all;
}

function same(one: ReadonlyMap<DeviceId, Mark>, two: ReadonlyMap<DeviceId, Mark>): boolean {
  return one.size === two.size && [...one].every(([device, mark]) => two.get(device) === mark);
}

/** Settles, and says so at most hourly where the disk refuses for the moment. */
export async function settleOrSay(
  history: History,
  say: (error: BewaardError) => void,
): Promise<boolean> {
  try {
    await history.settle();
    return true;
  } catch (error) {
    if (!(error instanceof BewaardError && error.transient)) throw error;
    say(error);
    return false;
  }
}
