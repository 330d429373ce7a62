import { createHash } from "node:crypto";
import { BewaardError } from "#base/errors";
import { type Clock, isoOf } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { type Looks, readBodycams, recordIdentity } from "../../storage/catalog/bodycams.ts";
import { recordPlaces } from "../../storage/catalog/place.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Answers, Result } from "../control/protocol.ts";
import type { Board } from "./board.ts";
import { type LookInSlots, recognise } from "./in-slots.ts";
import { pair, retire } from "./pair.ts";
import type { PairedNote } from "./paired-note.ts";

export type BodycamAnswers = Pick<
  Answers,
  | "bodycams"
  | "bodycams.identify"
  | "bodycams.pair"
  | "bodycams.retire"
  | "docks"
  | "docks.news"
  | "docks.pairings"
>;

/** What core answers about bodycams and their slots. `enterProfiles` is told of each change of what is paired. */
export function bodycamAnswers(
  clock: Clock,
  database: Database,
  lookInSlots: LookInSlots,
  note: PairedNote,
  board: Board,
  configured: Config["bodycams"],
  enterProfiles: () => Promise<void>,
): BodycamAnswers {
  const paired = () => database.transaction(readBodycams);
  const present = async () => recognise(await lookInSlots(), await paired());
  return {
    bodycams: async () => ({
      bodycams: listed(await paired(), await present()),
      configured: configured.map(({ number, folder, profile }) => ({ number, folder, profile })),
    }),
    "bodycams.pair": async (asked) => {
      const { camera, outcome } = await pair(clock, database, lookInSlots, note, configured, asked);
      await enterProfiles();
      const { number, slot, place } = asked;
      if (place !== undefined)
        await recordPlaces(database, clock.now(), [{ device: number, place }]);
      return { number, slot, ...looksOf(camera), changed: CHANGED[outcome] ?? "nothing" };
    },
    "bodycams.retire": async ({ number, by, reason }) => {
      await retire(clock, database, note, number, by, reason);
      await enterProfiles();
      return { retired: number };
    },
    "bodycams.identify": async ({ number, says }) => {
      const sha256 = createHash("sha256").update(says).digest("hex");
      const known = await recordIdentity(database, clock.now(), number, sha256);
      if (known === "not-paired")
        throw new BewaardError("BODYCAM_REFUSED", `${number} is not paired`);
      return { is: known === "another" ? "another" : "it" };
    },
    docks: async () => ({
      ...board.read(),
      devices: (await present()).map(({ slot, kind, number, unread, refused, ...one }) => ({
        slot,
        kind,
        ...looksOf(one),
        number,
        unread,
        refused,
      })),
    }),
    "docks.news": async ({ slots }) => {
      board.news(slots);
      return {};
    },
    "docks.pairings": async () => ({
      cameras: (await paired())
        .filter(({ retiredAt }) => retiredAt === undefined)
        .map(({ device, idFileSha256, profile, ...one }) => ({
          number: device,
          ...looksOf(one),
          idFileSha256,
          profile,
        })),
    }),
  };
}

const CHANGED: Readonly<Partial<Record<string, Result<"bodycams.pair">["changed"]>>> = {
  paired: "paired",
  "volume-changed": "volume",
  "profile-changed": "profile",
};

function listed(
  paired: Awaited<ReturnType<typeof readBodycams>>,
  present: ReturnType<typeof recognise>,
): Result<"bodycams">["bodycams"] {
  return paired.map((one) => ({
    number: one.device,
    ...looksOf(one),
    profile: one.profile,
    pairedAt: isoOf(one.pairedAt),
    pairedBy: one.by,
    retiredAt: one.retiredAt === undefined ? null : isoOf(one.retiredAt),
    seenAt: isoOf(one.seenAt),
    place: one.place,
    slot: present.find(({ number }) => number === one.device)?.slot ?? null,
  }));
}

function looksOf({ vendor, product, serial, volume }: Looks): Looks {
  return { vendor, product, serial, volume };
}
