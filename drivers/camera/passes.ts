import type { Track } from "./admitted.ts";
import type { Channels } from "./set-up.ts";

/** Which of the camera's frames may pass. */
export interface Passes {
  /** By the payload type too: no other medium comes along on a channel that is let. */
  readonly let: (track: Track, channels: Channels) => void;
  readonly admit: (channel: number, type: number) => boolean;
  readonly dropped: () => number;
}

/** Lets nothing pass before it was let. */
export function openPasses(): Passes {
  const allowed = new Map<number, (type: number) => boolean>();
  let dropped = 0;
  return {
    let({ payload }, [rtp, rtcp]) {
      allowed.set(rtp, (type) => (type & 0x7f) === payload);
      allowed.set(rtcp, (type) => type >= 192 && type <= 223);
    },
    admit(channel, type) {
      const admitted = allowed.get(channel)?.(type) === true;
      if (!admitted) dropped += 1;
      return admitted;
    },
    dropped: () => dropped,
  };
}
