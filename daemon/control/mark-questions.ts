import { z } from "zod";
import { cameraNumber, slug } from "../../config/values.ts";

// What a coordinator says of an incident: a part of protocol.ts.

export const MARK_METHODS = {
  "bodycams.mark": {
    params: z.strictObject({ number: cameraNumber, by: slug, fromMs: z.int(), toMs: z.int() }),
    result: z.object({
      id: z.string(),
      /** Segments of then that this box has and nobody holds. */
      footage: z.number(),
    }),
  },
  "bodycams.marks": {
    params: z.strictObject({}),
    result: z.object({
      marks: z.array(
        z.object({
          id: z.string(),
          device: z.string(),
          startedAt: z.string(),
          endedAt: z.string(),
          by: z.string(),
          markedAt: z.string(),
          open: z.number(),
          held: z.number(),
          dueAt: z.string().nullable(),
        }),
      ),
    }),
  },
} as const;
