import { parseHoldId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { listHolds, segmentsOfHold } from "../storage/catalog/list-holds.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Answers } from "./control/protocol.ts";

/** What core answers about holds. */
export function holdAnswers(database: Database): Pick<Answers, "holds"> {
  return {
    holds: async ({ hold }) => {
      const all = await listHolds(database);
      const one = hold === null ? undefined : parseHoldId(hold);
      const segments = one === undefined ? [] : await segmentsOfHold(database, one);
      return {
        holds: all
          .filter(({ id }) => one === undefined || id === one)
          .map(({ owner, requestedAt, reviewAt, releasedAt, ...rest }) => ({
            ...rest,
            owner: owner ?? null,
            requestedAt: isoOf(requestedAt),
            reviewAt: isoOf(reviewAt),
            releasedAt: isoOrNull(releasedAt),
          })),
        segments: segments.map(({ medium, ...rest }) => ({
          id: rest.id,
          state: rest.state,
          inVaultAt: isoOrNull(rest.inVaultAt),
          securedAt: isoOrNull(rest.securedAt),
          medium: medium?.kind ?? null,
          serial: medium?.serial ?? null,
          copy: rest.copy ?? null,
          sha256: rest.sha256 ?? null,
        })),
      };
    },
  };
}

function isoOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : isoOf(at);
}
