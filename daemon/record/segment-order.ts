import type { Mark } from "./mark.ts";
import * as marking from "./mark.ts";
import type { Moment } from "./moment.ts";

/** What is known of one segment by now. */
interface SegmentMarks {
  /** `recording`: it is being recorded, so that a gap which is open ends with it. */
  stored(from: Moment, until: Moment, synced: Moment, recording: boolean): void;
  lost(from: Moment, to: Moment, cause: string): void;
  /** Nothing more is said of it. */
  end(): void;
}

/**
 * The segments of one camera. A slow disk takes several at a time, and is done with them in any order; what
 * is known of one is noted when those that began before it are ended, or they would seem to be missing.
 */
export interface SegmentOrder {
  join(look: () => void): SegmentMarks;
  /** Lets each segment say how far it is by now. */
  look(): void;
  /** Nobody expects more. Whether something is not noted yet; the mark is `settled` once all that is. */
  parting(): boolean;
  /** The camera does not record, whatever waits to be noted. */
  broken(): void;
}

interface Segment {
  readonly look: () => void;
  stored: readonly [from: Moment, until: Moment, synced: Moment] | undefined;
  recording: boolean;
  readonly lost: (readonly [from: Moment, to: Moment, cause: string])[];
  ended: boolean;
}

/** Changes the mark by `change`. */
export function openSegmentOrder(change: (how: (mark: Mark) => Mark) => void): SegmentOrder {
  const segments: Segment[] = [];
  /** How many of them are from before nobody expected more. */
  let left = 0;

  function note(): void {
    for (let [first] = segments; first; [first] = segments) {
      const { stored, recording, lost } = first;
      if (stored && recording) change((mark) => marking.resumed(mark, stored[0]));
      if (stored) change((mark) => marking.stored(mark, ...stored));
      for (const one of lost) change((mark) => marking.lost(mark, ...one));
      first.stored = undefined;
      first.lost.length = 0;
      if (!first.ended) return;
      segments.shift();
      left -= 1;
      if (left === 0) change(marking.settled);
    }
  }

  return {
    join(look) {
      const segment: Segment = {
        look,
        stored: undefined,
        recording: false,
        lost: [],
        ended: false,
      };
      segments.push(segment);
      return {
        stored(from, until, synced, recording) {
          segment.stored = [from, until, synced];
          segment.recording ||= recording;
          note();
        },
        lost(from, to, cause) {
          segment.lost.push([from, to, cause]);
          note();
        },
        end() {
          segment.ended = true;
          note();
        },
      };
    },
    look() {
      for (const segment of segments) if (!segment.ended) segment.look();
    },
    parting() {
      left = segments.length;
      return left > 0;
    },
    broken() {
      for (const segment of segments) segment.recording = false;
    },
  };
}
