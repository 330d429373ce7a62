import type { Instant } from "#base/time";
import type { Mark } from "./mark.ts";
import * as marking from "./mark.ts";
import { type Moment, momentAt } from "./moment.ts";
import { openSegmentOrder } from "./segment-order.ts";

/** Of one camera: what the recorder says as it goes. Nothing here waits for a disk. */
export interface CameraHistory {
  /** Footage is expected from now on. */
  begin(): void;
  /** A segment begins. `look` is called before marks are written: it may say how far it is. */
  segment(look: () => void): SegmentHistory;
  /** It does not record, because of `cause`. */
  break(cause: string): void;
  /** Nobody expects footage any more. */
  excuse(): void;
  /** Its period has ended at `until`, and does not begin again, whatever becomes of wall time (AR-40). */
  endPeriod(until: Instant): void;
  /** Whether a period that ends at `until` was seen to be over. */
  periodEnded(until: Instant): boolean;
  /** When the gap began that is open. */
  gapSince(): Instant | undefined;
  /** Whether footage is expected. */
  expected(): boolean;
}

/** Of one segment, in whatever order segments are done with. */
export interface SegmentHistory {
  /**
   * It is being recorded since `from`, so that a gap which is open ends there; what came until `until` is
   * written, and until `synced` survives a power cut.
   */
  written(from: Instant, until: Instant, synced: Instant): void;
  /** The same when it is not recorded any more. */
  kept(from: Instant, until: Instant, synced: Instant): void;
  /** What was recorded from `from` to `to` is lost, or damaged. */
  lose(from: Instant, to: Instant, cause: string): void;
  /** Nothing more is said of it. */
  end(): void;
}

/** The same, for who keeps the marks. */
export interface OpenCameraHistory extends CameraHistory {
  /** Lets its segments say how far they are. */
  look(): void;
  /** The recorder stops by itself. */
  stop(): void;
}

/** Where the mark of a camera lies, if it has one. */
interface MarkPlace {
  get(): Mark | undefined;
  set(mark: Mark): void;
}

/** Of a recorder that started at `startedUp`. */
export function openCameraHistory(
  startedUp: Moment,
  now: () => Moment,
  place: MarkPlace,
): OpenCameraHistory {
  const change = (how: (mark: Mark) => Mark): void => {
    const mark = place.get();
    if (mark) place.set(how(mark));
  };
  const at = (when: Instant): Moment => momentAt(now(), when);
  const order = openSegmentOrder(change);

  return {
    begin: () => place.set(marking.begun(place.get(), now())),
    segment(look) {
      const segment = order.join(look);
      return {
        written: (from, until, synced) => segment.stored(at(from), at(until), at(synced), true),
        kept: (from, until, synced) => segment.stored(at(from), at(until), at(synced), false),
        lose: (from, to, cause) => segment.lost(at(from), at(to), cause),
        end: () => segment.end(),
      };
    },
    break(cause) {
      order.broken();
      change((mark) => marking.broken(mark, cause, startedUp));
    },
    excuse() {
      order.broken();
      change((mark) => marking.excused(mark, now(), order.parting()));
    },
    endPeriod(until) {
      order.broken();
      place.set(marking.past(place.get(), until, now(), order.parting()));
    },
    periodEnded(until) {
      const mark = place.get();
      return mark !== undefined && marking.isPast(mark, until);
    },
    gapSince() {
      const mark = place.get();
      return mark && marking.gapSince(mark);
    },
    expected: () => (place.get()?.since ?? "excused") !== "excused",
    look: () => order.look(),
    stop() {
      order.broken();
      change((mark) => marking.stopped(mark, now()));
    },
  };
}
