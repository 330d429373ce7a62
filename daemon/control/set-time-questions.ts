import { z } from "zod";
import { cardOf } from "./wipe-questions.ts";

// What the dock asks of setting a camera's clock: a part of protocol.ts.

export const SET_TIME_METHODS = {
  "docks.set-time": {
    params: z.strictObject({
      docking: z.ulid(),
      /** With when root mounted it. */
      record: cardOf.safeExtend({ at: z.iso.datetime() }),
      /** The camera's clock less ours, in ms, measured at this docking; null where it cannot be. */
      offsetMs: z.int().nullable(),
    }),
    result: z.object({
      /**
       * none: its profile names no file that sets it. open: the helper is at it. done: it was, in this stay of the card.
       * failed: it was not; it is ordered again by itself. later: not now.
       */
      state: z.enum(["none", "open", "done", "failed", "later"]),
      /** Of `failed` a word of the helper's; of `later` what is in the way. */
      why: z.string().nullable(),
    }),
  },
} as const;
